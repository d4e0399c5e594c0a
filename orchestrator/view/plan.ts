import { apiVersion, type StagePlan, type StageName } from '#runtime/stage/contract.ts'
import type { RunConfig } from '../pipeline/config.ts'
import { KEY_DIGITS, productPath } from '../pipeline/key.ts'
import type { Plan, PlannedStep } from '../pipeline/plan.ts'
import { stepResources, stepSlots, type Machine } from '../pipeline/resources.ts'
import type { CalibrationChoice } from '../pipeline/solutions.ts'
import { bytes, count, glyph, span, table, type Style } from './format.ts'
import { problemLines } from './problem.ts'

/** What `contimg plan` prints as JSON; removing a field is a breaking change. */
export interface PlanDocument {
  apiVersion: string
  input: string
  root: string
  /** Steps that run at the same time on this machine. */
  concurrentSteps: number
  totals: {
    observations: number
    steps: number
    cached: number
    /** Predicted sum over the steps that would run, and the time they take side by side. */
    seconds: number
    makespanSeconds: number
    gibHours: number
    peakMemoryBytes: number
    peakScratchBytes: number
  }
  observations: { id: string; calibration: CalibrationChoice; steps: PlanStepDocument[] }[]
  rejected: { id: string; status: string; error: { code: string; message: string; hint?: string } }[]
}

interface PlanStepDocument {
  stage: StageName
  key: string
  cached: boolean
  product: string
  /** Why it is made although the stage ran on this observation before. */
  why: string | null
  need: StagePlan
  limits: { cpu: number; memoryBytes: number; scratchBytes: number }
}

interface Surroundings {
  config: RunConfig
  machine: Machine
}

const GIB = 2 ** 30

export function planDocument(plan: Plan, surroundings: Surroundings): PlanDocument {
  const { config } = surroundings
  const steps = plan.observations.flatMap((observation) => observation.steps)
  const running = steps.filter(({ cached }) => cached === undefined)
  const seconds = running.reduce((sum, { need }) => sum + need.seconds, 0)
  const slots = stepSlots(surroundings).steps
  // Steps of one observation follow one another: no run is shorter than its longest observation.
  const longest = Math.max(0, ...plan.observations.map((observation) => secondsOf(observation.steps)))
  return {
    apiVersion,
    input: config.input ?? '',
    root: config.root,
    concurrentSteps: slots,
    totals: {
      observations: plan.observations.length,
      steps: steps.length,
      cached: steps.length - running.length,
      seconds: rounded(seconds),
      makespanSeconds: rounded(Math.max(longest, seconds / slots)),
      gibHours: rounded(
        running.reduce((sum, { need }) => sum + ((need.workingBytes / GIB) * need.seconds) / 3600, 0),
        1e4,
      ),
      peakMemoryBytes: Math.max(0, ...running.map(({ need }) => need.workingBytes)),
      peakScratchBytes: Math.max(0, ...running.map(({ need }) => need.scratchBytes)),
    },
    observations: plan.observations.map(({ id, calibration, steps: own }) => ({
      id,
      calibration,
      steps: own.map((step) => stepDocument(step, surroundings)),
    })),
    rejected: plan.rejected.map(({ id, status, problem: { code, message, hint } }) => ({
      id,
      status,
      error: { code, message, ...(hint === undefined ? {} : { hint }) },
    })),
  }
}

/** A block an observation: its solution set and its steps; then what is left out, and the sums. */
export function planLines(plan: Plan, surroundings: Surroundings, style: Style): string[] {
  const document = planDocument(plan, surroundings)
  const lines: string[] = []
  for (const { id, calibration, steps } of document.observations) {
    lines.push(`${id}  ${calibrationText(calibration)}`)
    if (calibration.kind === 'missing')
      for (const rejected of calibration.rejected.slice(0, 3)) lines.push(`    not ${rejected}`)
    lines.push(...table(steps.map(stepCells)).map((line) => `    ${line}`))
  }
  for (const { status, id, problem } of plan.rejected)
    lines.push(
      ...problemLines(problem, { ...style, mark: status === 'skipped' ? 'skipped' : 'failed', observation: id }),
    )
  return [...lines, ...sumLines(document, style)]
}

/** The steps that would run, as `observation/stage/key`. */
export function planNames({ observations }: Plan): string[] {
  return observations.flatMap(({ steps }) =>
    steps
      .filter(({ cached }) => cached === undefined)
      .map(({ observation, stage, key }) => `${observation}/${stage}/${key.slice(0, KEY_DIGITS)}`),
  )
}

function stepDocument(step: PlannedStep, { config, machine }: Surroundings): PlanStepDocument {
  const { stage, key, cached, miss, need } = step
  const { cpu, memoryBytes, scratchBytes } = stepResources(stage, need, { config, machine })
  return {
    stage,
    key,
    cached: cached !== undefined,
    product: `${config.root}/${cached ?? productPath(step)}`,
    why: miss ?? null,
    need,
    limits: { cpu, memoryBytes, scratchBytes },
  }
}

function stepCells({ stage, key, cached, why, need, limits }: PlanStepDocument): string[] {
  const name = [stage, key.slice(0, KEY_DIGITS)]
  if (cached) return [...name, 'reuse', '', '', '', 'its product exists']
  return [
    ...name,
    'run',
    `${bytes(need.workingBytes)} of ${bytes(limits.memoryBytes)}`,
    `scratch ${bytes(need.scratchBytes)}`,
    `about ${span(need.seconds)}`,
    why ?? 'new',
  ]
}

function calibrationText(choice: CalibrationChoice): string {
  switch (choice.kind) {
    case 'none':
      return 'uncalibrated, as asked'
    case 'own':
      return `solves on ${choice.calibrator}: ${choice.reason}`
    case 'set':
      return `solution set of ${choice.observation} (${choice.calibrator}): ${choice.reason}`
    case 'missing':
      return `no calibrator: ${choice.reason}`
  }
}

function sumLines({ totals, concurrentSteps: slots, observations }: PlanDocument, style: Style): string[] {
  const run = totals.steps - totals.cached
  const over = observations
    .flatMap(({ id, steps }) => steps.map((step) => ({ id, ...step })))
    .filter(({ cached, need, limits }) => !cached && need.workingBytes > limits.memoryBytes)
  return [
    ...over.map(
      ({ id, stage, need, limits }) =>
        `${glyph('failed', style)} ${stage} of ${id} plans ${bytes(need.workingBytes)} of memory, its limit is ${bytes(limits.memoryBytes)} [PLAN_TOO_LARGE]`,
    ),
    `${count(totals.observations, 'observation')}, ${count(run, 'step')} to run, ${totals.cached} reused; ` +
      (run === 0
        ? 'nothing is left to do'
        : `about ${span(totals.makespanSeconds)} with ${count(slots, 'step')} at a time, ` +
          `up to ${bytes(totals.peakMemoryBytes)} of memory and ${bytes(totals.peakScratchBytes)} of scratch a step, ${totals.gibHours} GiB h`),
  ]
}

function secondsOf(steps: readonly PlannedStep[]): number {
  return steps.reduce((sum, { cached, need }) => sum + (cached === undefined ? need.seconds : 0), 0)
}

function rounded(value: number, figures = 10): number {
  return Math.round(value * figures) / figures
}
