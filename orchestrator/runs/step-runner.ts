import { randomUUID } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { ownerName, thisOwner } from '#runtime/stage/owner.ts'
import type { AttemptHandle, AttemptListener, AttemptOutcome, Executor } from '../executors/executor.ts'
import type { RunConfig } from '../pipeline/config.ts'
import { buildContext, type FinishedProduct } from '../pipeline/context.ts'
import type { NewEvent, StepRef } from '../pipeline/events.ts'
import type { LiveStep } from '../pipeline/live.ts'
import { productPath } from '../pipeline/key.ts'
import type { PlannedInput, PlannedStep } from '../pipeline/plan.ts'
import { stepResources, type Machine } from '../pipeline/resources.ts'
import { defaultBudgets, shouldRetry, type AttemptRecord, type Budget } from '../pipeline/retry.ts'
import { readProduct, rejectProduct, removeKeyFile, writeKeyFile } from './product-store.ts'
import { rememberProduct, verifyProduct } from './verification.ts'

export interface StepEnvironment {
  run: string
  config: RunConfig
  machine: Machine
  executor: Executor
  /** Folder that `incoming:` paths are relative to. */
  incoming: string
  emit: (event: NewEvent) => void
  /** Hears what is known of a running step for the moment. */
  onLive: (step: StepRef, live: LiveStep) => void
  signal: AbortSignal
  finished: (step: StepRef) => FinishedProduct | undefined
  /** Earlier steps of the same observation. */
  earlier: (step: PlannedStep) => readonly PlannedStep[]
  /** Called with each attempt as it begins. */
  started: (handle: AttemptHandle) => void
}

/** Attempts a step until it succeeds or its budget of retries is spent; the outcome is that of the last attempt. */
export async function runStep(step: PlannedStep, environment: StepEnvironment): Promise<AttemptOutcome> {
  const { config, machine, executor, emit, signal } = environment
  const ref = refOf(step)
  const resources = stepResources(step.stage, step.need, { config, machine })
  const timeoutSeconds = config.execution.timeouts[step.stage]
  const stored = await storedProducts(config.root, step)
  const attempts: AttemptRecord[] = []
  /** Where a good product lies that is made again. */
  let replaced: string | undefined
  await writeKeyFile(config.root, step)
  for (let number = 1; ; number++) {
    const uid = `${randomUUID()}.${ownerName(thisOwner())}`
    const product = productPath(step)
    const existing = await verifyProduct(config.root, product, { trust: true })
    const remake = step.fresh && number === 1
    if (existing.ok && existing.result.key === step.key && !remake) {
      return { class: 'succeeded', evidence: ['another run made the product meanwhile'], result: existing.result }
    }
    const reason = existing.ok ? { why: remake ? 'it is made again, as asked' : 'it has another key' } : existing
    const movedTo = await rejectProduct(config.root, product, reason)
    if (existing.ok && remake) replaced = movedTo
    if (movedTo !== undefined) emit({ type: 'product.rejected', step: ref, product, why: reason.why, movedTo })
    const context = buildContext({
      run: environment.run,
      step,
      attempt: { number, uid },
      resources,
      scratchDir: await executor.scratchFolder(
        uid,
        resources.scratchBytes,
        resources.memoryBytes - step.need.workingBytes,
      ),
      finished: environment.finished,
      stored: (product) => stored.get(product),
      earlier: environment.earlier(step),
    })
    emit({
      type: 'attempt.started',
      step: ref,
      attempt: number,
      uid,
      log: executor.logPath(context),
      resources,
      need: step.need,
    })
    const handle = executor.submit(
      { context, incoming: environment.incoming, ...(timeoutSeconds === undefined ? {} : { timeoutSeconds }) },
      listener(ref, environment),
    )
    environment.started(handle)
    const outcome = await handle.outcome
    attempts.push({
      class: outcome.class,
      ...(outcome.retryable === undefined ? {} : { retryable: outcome.retryable }),
    })
    const retry = outcome.class !== 'succeeded' && !signal.aborted && shouldRetry(attempts, budgets(config))
    const { class: ended, evidence, peakMemoryBytes } = outcome
    emit({
      type: 'attempt.ended',
      step: ref,
      attempt: number,
      class: ended,
      evidence,
      ...(peakMemoryBytes === undefined ? {} : { peakMemoryBytes }),
      retry,
    })
    if (retry) continue
    if (outcome.result === undefined) await removeKeyFile(config.root, step)
    else {
      await rememberProduct(config.root, product, outcome.result)
      if (replaced !== undefined) await rm(join(config.root, replaced), { recursive: true, force: true })
    }
    return outcome
  }
}

export function refOf({ observation, stage, key }: StepRef): StepRef {
  return { observation, stage, key }
}

function listener(step: StepRef, { emit, onLive }: Pick<StepEnvironment, 'emit' | 'onLive'>): AttemptListener {
  const live: LiveStep = {}
  return {
    phase(phase) {
      delete live.progress
      onLive(step, live)
      emit({ type: 'step.phase', step, phase })
    },
    progress(progress) {
      live.progress = progress
      onLive(step, live)
    },
    usage(usage) {
      live.usage = usage
      onLive(step, live)
    },
  }
}

/** Products of earlier runs that a step takes as inputs. */
async function storedProducts(root: string, step: PlannedStep): Promise<Map<string, FinishedProduct>> {
  const found = new Map<string, FinishedProduct>()
  for (const input of Object.values(step.inputs).flatMap((planned) => planned as PlannedInput | PlannedInput[])) {
    if (input.from !== 'product') continue
    const reading = await readProduct(root, input.product)
    if (reading.ok) found.set(input.product, reading)
  }
  return found
}

function budgets(config: RunConfig): Record<Budget, number> {
  const chosen = Object.entries(config.execution.retries).filter(
    (entry): entry is [Budget, number] => entry[1] !== undefined,
  )
  return { ...defaultBudgets, ...Object.fromEntries(chosen) }
}
