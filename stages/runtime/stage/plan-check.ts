import { dirname } from 'node:path'
import type { StageContract, StagePlan, StageRun } from './contract.ts'
import { checkRoom, SCRATCH_FIX, sizeText } from './disk-space.ts'
import { StageError } from './errors.ts'

/** What a check of a plan needs of a stage's run. */
type PlannedShell = Pick<StageRun<StageContract>, 'resources' | 'scratchDir' | 'outputDir'>

/**
 * Holds what a step will need against what it was given, before it reads any data.
 * @param options.smaller what a person may choose smaller instead, as `imaging.sizePixels`
 * @throws StageError PLAN_TOO_LARGE for memory, DISK_FULL for scratch space and the place of the outputs
 */
export async function checkPlan(
  stage: string,
  plan: Partial<StagePlan>,
  { resources, scratchDir, outputDir, smaller }: PlannedShell & { smaller?: string },
): Promise<void> {
  const { workingBytes = 0, scratchBytes = 0, outputBytes = 0 } = plan
  if (workingBytes > resources.memoryBytes) {
    const key = `execution.stages.${stage}.resources.memory`
    throw new StageError(
      'PLAN_TOO_LARGE',
      `${stage} needs ${sizeText(workingBytes)} of memory, the limit is ${sizeText(resources.memoryBytes)}`,
      { hint: `raise ${key}${smaller === undefined ? '' : `, or lower ${smaller}`}` },
    )
  }
  await checkRoom([
    { name: 'the scratch folder', path: scratchDir, plannedBytes: scratchBytes, fix: SCRATCH_FIX },
    { name: 'the output folder', path: dirname(outputDir), plannedBytes: outputBytes, fix: 'free some space there' },
  ])
}
