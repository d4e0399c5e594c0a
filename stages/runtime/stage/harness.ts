import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import {
  attemptDirectory,
  commitAttempt,
  createAttempt,
  describeOutputs,
  syncAttempt,
  type DescribedOutputs,
} from './commit.ts'
import {
  apiVersion,
  type Progress,
  type Run,
  type StageContext,
  type StageContract,
  type StageResult,
  type StageRun,
} from './contract.ts'
import { checkInputs, parseParams, productDirectory, readContext } from './entry.ts'
import { DiskFullError, explainNoSpace, fullPlace, SCRATCH_FIX, type StoragePlace } from './disk-space.ts'
import { errorData, StageError, toStageError } from './errors.ts'
import { armFailpoints, failpoint } from './failpoint.ts'
import { makeDirectory } from './filesystem.ts'
import { ChildFailure } from './exec.ts'
import { createLog, type LogSink } from './log.ts'
import { writeSnapshot } from './snapshot.ts'
import { startUsage, type UsageMeter, type UsageSample } from './usage.ts'

/**
 * The life of a stage process: read the context, check what it promises, run, check what was promised, commit.
 * The only place of a stage that reads the environment and sets the exit code.
 */
export async function main<C extends StageContract>(contract: C, run: Run<C>): Promise<void> {
  armFailpoints(contract.name, process.env['CONTIMG_FAILPOINTS'])
  const { values } = parseArgs({ options: { context: { type: 'string' } }, allowPositionals: false })
  const started = createLog({ stage: contract.name, observation: '' })
  try {
    if (values.context === undefined) {
      throw new StageError('PARAMS_INVALID', `usage: node stages/${contract.name}/main.ts --context <context.json>`)
    }
    const context = await readContext(values.context, contract)
    await attempt({ contract, run, context, root: process.cwd() })
  } catch (thrown) {
    end(toStageError(thrown), { log: started, stage: contract.name })
  }
}

interface Attempt<C extends StageContract> {
  contract: C
  run: Run<C>
  context: StageContext
  root: string
}

/** Owns what an attempt holds: its directory, its scratch, its signals. Whatever happens, none of them is left. */
async function attempt<C extends StageContract>({ contract, run, context, root }: Attempt<C>): Promise<void> {
  const { name: stage } = contract
  const productDir = productDirectory(context, root)
  const { uid } = context.attempt
  const cancelled = cancellation()
  const scratchDir = await createScratch(resolve(root, context.scratchDir), stage)
  const snapshot = snapshotWriter(stage)
  let log = createLog({ stage, observation: context.observation })
  const usage: UsageMeter = startUsage({
    scratchDir,
    onSample(sample) {
      snapshot.sample(sample)
      snapshot.write(usage)
      log.event({ type: 'usage', ...sample })
    },
  })
  try {
    failpoint('scratch.made')
    const outputDir = await createAttempt(productDir, uid)
    log = createLog({ stage, observation: context.observation, directory: outputDir })
    const session: Session = {
      usage,
      log,
      outputDir,
      scratchDir,
      signal: cancelled.signal,
      onProgress: (progress) => snapshot.progress(progress),
      onPhase() {
        snapshot.progress(undefined)
        // At once: whoever is killed in it should be known to have been there.
        snapshot.write(usage)
      },
    }
    const made = await perform({ contract, run, context, root }, session)
    if (log.failure !== undefined) throw log.failure
    await commitAttempt(outputDir, productDir, made)
    log.event({ type: 'committed', product: context.productDir })
  } catch (thrown) {
    const failure = cancelled.signal.aborted
      ? new StageError('CANCELLED', `${stage} was stopped`, { cause: thrown })
      : await explained(toStageError(thrown), [
          {
            name: 'the scratch folder',
            path: scratchDir,
            plannedBytes: context.resources.scratchBytes,
            fix: SCRATCH_FIX,
          },
          { name: 'the data root', path: root, fix: 'free some space there' },
        ])
    snapshot.fail(failure, usage)
    failpoint('attempt.remove.before')
    // Before anything is said: whoever listened may be gone.
    await rm(attemptDirectory(productDir, uid), { recursive: true, force: true })
    failpoint('attempt.remove.after')
    end(failure, { log, stage })
  } finally {
    usage.stop()
    failpoint('scratch.remove.before')
    await rm(scratchDir, { recursive: true, force: true })
    failpoint('scratch.remove.after')
    cancelled.release()
  }
}

/** What a failure for want of room means, by the place that has none: asked before anything is cleaned up. */
async function explained(failure: StageError, places: readonly StoragePlace[]): Promise<StageError> {
  if (failure instanceof DiskFullError) return failure
  if (failure.code === 'DISK_FULL') return explainNoSpace(failure.cause ?? failure, places)
  if (failure.code !== 'WSCLEAN_FAILED' && !(failure.cause instanceof ChildFailure)) return failure
  // Programs say it in many ways, and die of it in others: by a signal, where they write to a file through memory.
  const full = await fullPlace(places)
  return full === undefined ? failure : explainNoSpace(failure, [full])
}

interface Session {
  usage: UsageMeter
  log: LogSink
  outputDir: string
  scratchDir: string
  signal: AbortSignal
  onProgress: (progress: Progress) => void
  onPhase: () => void
}

/** Checks what the context promises, runs the stage, makes its bytes durable and checks what it promised. */
async function perform<C extends StageContract>(
  { contract, run, context, root }: Attempt<C>,
  { usage, log, outputDir, scratchDir, signal, onProgress, onPhase }: Session,
): Promise<{ result: StageResult; files: DescribedOutputs['files'] }> {
  const params = parseParams(contract, context.params)
  const folders = { root, incoming: process.env['CONTIMG_INCOMING'] }
  const inputs = await usage.phase('check-inputs', () => checkInputs(contract, context.inputs, folders))
  const warnings: string[] = []
  const outcome = await run({
    params,
    inputs: inputs as StageRun<C>['inputs'],
    upstream: context.upstream,
    observation: context.observation,
    key: context.key,
    outputDir,
    scratchDir,
    resources: context.resources,
    signal,
    log,
    progress(progress) {
      onProgress(progress)
      log.event({ type: 'progress', phase: usage.current, ...progress })
    },
    phase(name, work) {
      signal.throwIfAborted()
      log.event({ type: 'phase', name })
      failpoint('phase.before', name)
      return usage.phase(name, async () => {
        onPhase()
        const done = await work()
        failpoint('phase.after', name)
        return done
      })
    },
    warn(message) {
      warnings.push(message)
      log.warn(message)
    },
  })
  signal.throwIfAborted()
  await usage.phase('sync', () => syncAttempt(outputDir))
  const { outputs, files } = await usage.phase('hash', () => describeOutputs(contract, outputDir, outcome.outputs))
  signal.throwIfAborted()
  const result: StageResult = {
    apiVersion,
    stage: contract.name,
    key: context.key,
    attempt: context.attempt,
    outputs,
    metrics: finiteMetrics(outcome.metrics),
    quality: outcome.quality,
    usage: usage.stop(),
    warnings,
    provenance: { contimg: await version(), node: process.version, ...outcome.provenance },
  }
  return { result, files }
}

/** Rewrites the termination message with where the stage is; a failure stays in it to the end. */
function snapshotWriter(stage: string) {
  const path = process.env['CONTIMG_TERMINATION_PATH']
  let last: Progress | undefined
  let used: UsageSample | undefined
  let failure: StageError | undefined
  return {
    progress(progress: Progress | undefined): void {
      last = progress
    },
    sample(sample: UsageSample): void {
      used = sample
    },
    fail(error: StageError, usage: UsageMeter): void {
      failure = error
      this.write(usage)
    },
    write(usage: UsageMeter): void {
      writeSnapshot(path, {
        stage,
        phase: usage.current,
        peakMemoryBytes: usage.peakMemoryBytes,
        ...used,
        ...last,
        ...(failure === undefined ? {} : { error: errorData(failure) }),
      })
    },
  }
}

async function createScratch(root: string, stage: string): Promise<string> {
  await makeDirectory(root)
  return mkdtemp(join(root, `${stage}-`))
}

/** SIGTERM and SIGINT as an AbortSignal whose reason is a StageError. */
function cancellation(): { signal: AbortSignal; release(): void } {
  const controller = new AbortController()
  const stop = (name: NodeJS.Signals): void => controller.abort(new StageError('CANCELLED', `stopped by ${name}`))
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
  return {
    signal: controller.signal,
    release() {
      process.off('SIGTERM', stop)
      process.off('SIGINT', stop)
    },
  }
}

function end(error: StageError, { log, stage }: { log: LogSink; stage: string }): void {
  log.error(`${stage} failed: ${error.message}`, { error: errorData(error) })
  log.event({ type: 'error', error: errorData(error) })
  if (error.code === 'INTERNAL' && error.cause instanceof Error) log.debug('stack', { stack: error.cause.stack })
  process.exitCode = error.exitCode
}

function finiteMetrics(metrics: Record<string, number | undefined>): Record<string, number> {
  // JSON knows no NaN: a metric that could not be measured is absent, never a number that looks measured.
  return Object.fromEntries(
    Object.entries(metrics).filter((entry): entry is [string, number] => Number.isFinite(entry[1])),
  )
}

async function version(): Promise<string> {
  const path = fileURLToPath(new URL('../../../package.json', import.meta.url))
  const { version: found } = JSON.parse(await readFile(path, 'utf8')) as { version: string }
  return found
}
