import type { Resources, StagePlan } from '#runtime/stage/contract.ts'
import type { RunConfig } from './config.ts'
import type { Slots } from './events.ts'
import type { PipelineStage } from './stages.ts'

/** What a machine has to give. */
export interface Machine {
  cores: number
  availableMemoryBytes: number
}

/** More cores than this help no stage enough to take them from the next observation. */
const MAX_CORES_PER_STEP = 4

/** The resources of one step on this machine: the configuration's, else min(cores, 4) and half of the free memory. */
export function stepResources(
  stage: PipelineStage,
  need: StagePlan,
  { config, machine }: { config: RunConfig; machine: Machine },
): Resources {
  const general = config.execution.resources
  const special = config.execution.stages[stage].resources
  const half = machine.availableMemoryBytes / 2
  // Advisory here: a step that plans more than half may have it, as long as the machine does.
  const memory = Math.max(half, Math.min(need.workingBytes, 0.9 * machine.availableMemoryBytes))
  const { staging } = config.execution
  // What a stage decides for itself it must not have been given memory for.
  const staged = staging === 'on' ? (need.stagingBytes ?? 0) : 0
  return {
    cpu: special.cpu ?? general.cpu ?? Math.min(machine.cores, MAX_CORES_PER_STEP),
    memoryBytes: Math.floor(special.memory ?? general.memory ?? memory),
    scratchBytes: Math.ceil(special.scratch ?? general.scratch ?? need.scratchBytes + staged),
    staging,
  }
}

/** How many steps may run at once: as many as have their cores. */
export function stepSlots({ config, machine }: { config: RunConfig; machine: Machine }): Slots {
  const coresPerStep = config.execution.resources.cpu ?? Math.min(machine.cores, MAX_CORES_PER_STEP)
  return { steps: Math.max(1, Math.floor(machine.cores / coresPerStep)), cores: machine.cores, coresPerStep }
}
