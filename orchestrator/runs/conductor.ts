import { errorData, toStageError } from '#runtime/stage/errors.ts'
import type { AttemptHandle, AttemptOutcome, Executor } from '../executors/executor.ts'
import type { RunConfig } from '../pipeline/config.ts'
import { dependencies, earlierSteps, stepProduct, type FinishedProduct } from '../pipeline/context.ts'
import type { NewEvent, StepRef } from '../pipeline/events.ts'
import type { LiveStep } from '../pipeline/live.ts'
import { productPath, stepOfProduct } from '../pipeline/key.ts'
import {
  makePlan,
  type Plan,
  type PlanInput,
  type PlannedInput,
  type PlannedObservation,
  type PlannedStep,
} from '../pipeline/plan.ts'
import { ProblemError, isQuarantine, problemOf, type Problem } from '../pipeline/problem.ts'
import { decide } from '../pipeline/reconcile.ts'
import { stepSlots, type Machine } from '../pipeline/resources.ts'
import { gradeOfSet } from '../pipeline/solutions.ts'
import type { RunState } from '../pipeline/state.ts'
import { listProducts, rejectProduct, restoreKeyFile } from './product-store.ts'
import { explainRoom } from './room.ts'
import { refOf, runStep } from './step-runner.ts'
import { verifyProduct, type Verification } from './verification.ts'

/** Hashing less than this takes no time that anybody notices. */
const ANNOUNCED_HASH_BYTES = 256 * 1024 ** 2

export interface ConductorOptions {
  run: string
  config: RunConfig
  /** Everything the plan depends on besides products and bad sets, which the conductor follows. */
  planInput: Omit<PlanInput, 'products' | 'unusable' | 'badSets' | 'refusedSets'>
  executor: Executor
  machine: Machine
  /** The state that `emit` folds events into. */
  state: RunState
  emit: (event: NewEvent) => void
  /** Hears what is known of a running step for the moment. */
  onLive: (step: StepRef, live: LiveStep) => void
  /** Called for an observation whose raw data turned out to be at fault in a step. */
  quarantine: (step: StepRef, problem: Problem) => Promise<void>
  signal: AbortSignal
}

/** Brings a planned run to its end: asks what to do now, does it, waits until something has happened, asks again. */
export async function conduct(options: ConductorOptions): Promise<void> {
  const conductor = new Conductor(options)
  await conductor.run()
}

/** Owns the attempts that run. */
class Conductor {
  readonly #options: ConductorOptions
  readonly #slots: number
  readonly #badSets = new Set<string>()
  readonly #refusedSets = new Map<string, Set<string>>()
  /** Steps that failed once and whose inputs were hashed for it. */
  readonly #doubted = new Set<string>()
  readonly #results = new Map<string, FinishedProduct>()
  readonly #handles = new Map<string, AttemptHandle>()
  readonly #running = new Map<string, Promise<void>>()
  #plan: Plan = { observations: [], rejected: [], quarantined: [] }

  constructor(options: ConductorOptions) {
    this.#options = options
    this.#slots = stepSlots(options).steps
  }

  async run(): Promise<void> {
    const { signal, emit } = this.#options
    const cancelAll = (): void => this.#handles.forEach((handle) => handle.cancel())
    signal.addEventListener('abort', cancelAll)
    try {
      this.#plan = await this.#makePlan()
      for (const observation of this.#plan.observations) emit(plannedEvent(observation))
      for (;;) {
        if (!signal.aborted) await this.#act()
        if (this.#running.size === 0) break
        await Promise.race(this.#running.values())
      }
    } finally {
      cancelAll()
      await Promise.allSettled(this.#running.values())
      signal.removeEventListener('abort', cancelAll)
    }
  }

  /** Carries out decisions until they need something that is still running. */
  async #act(): Promise<void> {
    const { state, emit } = this.#options
    for (let again = true; again;) {
      again = false
      const busy = new Set(this.#running.keys())
      for (const decision of decide({ plan: this.#plan, state, busy, slots: this.#slots - busy.size })) {
        const { step } = decision
        again ||= decision.kind === 'skip' || decision.kind === 'reuse'
        if (decision.kind === 'skip') emit({ type: 'step.skipped', step: refOf(step), error: decision.problem })
        else if (decision.kind === 'wait') emit({ type: 'step.waiting', step: refOf(step), reason: decision.reason })
        else if (decision.kind === 'start') this.#start(step)
        else await this.#reuse(step)
      }
    }
  }

  #start(step: PlannedStep): void {
    const id = stepId(step)
    const done = this.#perform(step).finally(() => {
      this.#handles.delete(id)
      this.#running.delete(id)
    })
    this.#running.set(id, done)
  }

  /** Attempts a step whose inputs are sound; else they are made again first, and the step waits for them. */
  async #perform(step: PlannedStep): Promise<void> {
    const outcome = await this.#attempt(step).catch(async (thrown: unknown): Promise<AttemptOutcome> => {
      const explained = await explainRoom(thrown, this.#options.config.root)
      const problem =
        explained instanceof ProblemError ? explained.problem : problemOf(errorData(toStageError(explained)))
      return { class: 'unknown', evidence: [], problem }
    })
    if (outcome !== undefined) await this.#conclude(step, outcome)
  }

  async #attempt(step: PlannedStep): Promise<AttemptOutcome | undefined> {
    const { config, planInput, signal } = this.#options
    if (await this.#repairInputs(step, { trust: true })) return undefined
    return runStep(step, {
      ...this.#options,
      incoming: planInput.scan.input,
      finished: (wanted) => this.#results.get(stepId(wanted)),
      earlier: (later) =>
        earlierSteps(later, this.#plan.observations.find(({ id: own }) => own === later.observation)?.steps ?? []),
      started: (handle) => {
        this.#handles.set(stepId(step), handle)
        if (signal.aborted) handle.cancel()
      },
      config,
    })
  }

  async #conclude(step: PlannedStep, { class: outcome, problem, result }: AttemptOutcome): Promise<void> {
    const { emit, quarantine } = this.#options
    const ref = refOf(step)
    if (result !== undefined) {
      const product: FinishedProduct = { product: productPath(step), result }
      this.#results.set(stepId(step), product)
      emit({ type: 'step.finished', step: ref, ...stepProduct(product) })
      if (step.solves !== undefined && gradeOfSet(result.quality) === 'bad') await this.#rejectSet(step, 'is bad')
      return
    }
    if (outcome === 'cancelled') return emit({ type: 'step.cancelled', step: ref })
    // What a stage stumbles over may be damage that its files' times do not show: once, everything it read is hashed.
    if (outcome === 'app' && !this.#doubted.has(stepId(step))) {
      this.#doubted.add(stepId(step))
      if (await this.#repairInputs(step, { trust: false })) {
        return emit({ type: 'step.waiting', step: ref, reason: 'for its inputs, which were damaged' })
      }
    }
    const error: Problem = problem ?? { code: 'STAGE_CRASHED', message: `${step.stage} ended as ${outcome}` }
    if (await this.#takeAnotherSet(step, error)) return
    const quarantined = isQuarantine(error.code)
    emit({ type: 'step.failed', step: ref, error, quarantined })
    if (quarantined) await quarantine(ref, error)
    if (step.solves !== undefined) await this.#rejectSet(step, 'could not be solved')
  }

  async #reuse(step: PlannedStep): Promise<void> {
    const { config, emit } = this.#options
    const product = step.cached ?? productPath(step)
    const reading = await this.#verify(product, { trust: true })
    if (reading.ok) {
      await restoreKeyFile(config.root, step)
      this.#results.set(stepId(step), reading)
      emit({ type: 'step.reused', step: refOf(step), ...stepProduct(reading) })
    } else {
      await this.#reject(step, product, reading)
      this.#plan = await this.#makePlan()
    }
  }

  /** Holds a product against its hashes; a long look is announced. */
  #verify(product: string, { trust }: { trust: boolean }): Promise<Verification> {
    const { config, emit } = this.#options
    return verifyProduct(config.root, product, {
      trust,
      onHash(bytes) {
        if (bytes < ANNOUNCED_HASH_BYTES) return
        const size = `${(bytes / 2 ** 30).toFixed(1)} GiB`
        emit({ type: 'run.note', level: 'info', message: `holding ${size} of ${product} against their hashes` })
      },
    })
  }

  /** Moves a damaged product aside and says so; what was known of it is forgotten. */
  async #reject(step: StepRef, product: string, damage: Verification & { ok: false }): Promise<void> {
    const { config, emit } = this.#options
    const movedTo = await rejectProduct(config.root, product, damage)
    this.#results.delete(stepId(step))
    if (movedTo !== undefined) emit({ type: 'product.rejected', step: refOf(step), product, why: damage.why, movedTo })
  }

  /**
   * Holds the products that a step reads against their hashes. True when some were damaged: they are moved aside, and
   * the plan makes them again, or does without a set that belongs to no observation of this run.
   */
  async #repairInputs(step: PlannedStep, { trust }: { trust: boolean }): Promise<boolean> {
    let damaged = false
    for (const { owner, product } of this.#inputProducts(step)) {
      const reading = await this.#verify(product, { trust })
      if (reading.ok) continue
      damaged = true
      await this.#reject(owner, product, reading)
    }
    if (damaged) await this.#planAgain(`a product that ${step.stage} reads was damaged`)
    return damaged
  }

  #inputProducts(step: PlannedStep): { owner: StepRef; product: string }[] {
    const own = dependencies(step).flatMap((owner) => {
      const product = this.#results.get(stepId(owner))?.product
      return product === undefined ? [] : [{ owner, product }]
    })
    const stored = Object.values(step.inputs)
      .flatMap((input) => input as PlannedInput | PlannedInput[])
      .flatMap((input) =>
        input.from === 'product' ? [{ owner: this.#ownerOf(input.product), product: input.product }] : [],
      )
    const unique = new Map([...own, ...stored].map((input) => [input.product, input]))
    return [...unique.values()]
  }

  /** The step of this run whose product it is; of another observation what its path says. */
  #ownerOf(product: string): StepRef {
    const step = this.#plan.observations.flatMap(({ steps }) => steps).find((each) => productPath(each) === product)
    return step ?? stepOfProduct(product)
  }

  /** A set that is no use: those that were to be calibrated with it are planned again, with the next best one. */
  async #rejectSet({ solves, observation }: PlannedStep, why: string): Promise<void> {
    if (solves !== undefined) this.#badSets.add(solves.solveKey)
    await this.#planAgain(`the solution set of ${observation} ${why}`)
  }

  /** Makes the plan again; what changes for an observation that is not over is told with the reason. */
  async #planAgain(why: string): Promise<void> {
    const before = new Map(this.#plan.observations.map((planned) => [planned.id, planned]))
    this.#plan = await this.#makePlan()
    for (const planned of this.#plan.observations) {
      const changed = planned.steps.some(({ key }, index) => key !== before.get(planned.id)?.steps[index]?.key)
      if (changed && !this.#isOver(planned.id)) this.#options.emit({ ...plannedEvent(planned), replanned: why })
    }
  }

  /**
   * A set of another observation that the calibration stage refuses, for it knows more of it than the plan does: the
   * observation is planned again with the next best one. False when there is none, and the failure stands.
   */
  async #takeAnotherSet({ observation, stage }: PlannedStep, { code, message }: Problem): Promise<boolean> {
    const before = this.#plan.observations.find(({ id }) => id === observation)?.calibration
    if (stage !== 'calibration' || code !== 'NO_CALIBRATOR' || before?.kind !== 'set') return false
    const refused = this.#refusedSets.get(observation) ?? new Set()
    this.#refusedSets.set(observation, refused.add(before.solveKey))
    const plan = await this.#makePlan()
    const planned = plan.observations.find(({ id }) => id === observation)
    if (planned === undefined || planned.calibration.kind === 'missing') {
      refused.delete(before.solveKey)
      return false
    }
    this.#plan = plan
    this.#options.emit({ ...plannedEvent(planned), replanned: message })
    return true
  }

  #isOver(observation: string): boolean {
    const { state } = this.#options
    return (
      state.observations
        .find(({ id }) => id === observation)
        ?.steps.some(({ status }) => status === 'failed' || status === 'cancelled') === true
    )
  }

  async #makePlan(): Promise<Plan> {
    const { config, planInput } = this.#options
    const shelf = await listProducts(
      config.root,
      planInput.scan.observations.map(({ id }) => id),
    )
    return makePlan({ ...planInput, ...shelf, badSets: this.#badSets, refusedSets: this.#refusedSets })
  }
}

function plannedEvent({ id, calibration, steps }: PlannedObservation): NewEvent & { type: 'observation.planned' } {
  return {
    type: 'observation.planned',
    observation: id,
    calibration,
    steps: steps.map(({ stage, key, cached, miss }) => ({
      stage,
      key,
      cached: cached !== undefined,
      ...(miss === undefined ? {} : { miss }),
    })),
  }
}

function stepId({ observation, stage, key }: StepRef): string {
  return `${observation} ${stage} ${key}`
}
