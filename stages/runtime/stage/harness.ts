import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { commitAttempt, attemptDirectory, createAttempt, describeOutputs, syncAttempt } from './commit.ts'
import {
  apiVersion,
  type Progress,
  type Run,
  type StageContext,
  type StageContract,
  type StageResult,
  type StageRun,
} from './contract.ts'
import { checkInputs, parseParams, readContext } from './entry.ts'
import { errorData, StageError, toStageError } from './errors.ts'
import { createLog, type LogSink } from './log.ts'
import { writeSnapshot } from './snapshot.ts'
import { startUsage, type UsageMeter } from './usage.ts'

/**
 * The life of a stage process: read the context, check what it promises, run, check what was promised, commit.
 * The only place of a stage that reads the environment and sets the exit code.
 */
export async function main<C extends StageContract>(contract: C, run: Run<C>): Promise<void> {
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

async function attempt<C extends StageContract>({ contract, run, context, root }: Attempt<C>): Promise<void> {
  const productDir = resolve(root, context.productDir)
  const { uid } = context.attempt
  const directory = await createAttempt(productDir, uid)
  const log = createLog({ stage: contract.name, observation: context.observation, directory })
  const snapshotPath = process.env['CONTIMG_TERMINATION_PATH']
  const cancelled = cancellation()
  const scratchRoot = resolve(root, context.scratchDir)
  await mkdir(scratchRoot, { recursive: true })
  const scratchDir = await mkdtemp(join(scratchRoot, `${contract.name}-`))

  let last: Progress | undefined
  let failure: StageError | undefined
  const usage: UsageMeter = startUsage({ scratchDir, onSample: () => snapshot() })
  const snapshot = (): void =>
    writeSnapshot(snapshotPath, {
      stage: contract.name,
      phase: usage.current,
      peakMemoryBytes: usage.peakMemoryBytes,
      ...last,
      ...(failure === undefined ? {} : { error: errorData(failure) }),
    })

  try {
    const params = parseParams(contract, context.params)
    const folders = { root, incoming: process.env['CONTIMG_INCOMING'] }
    const inputs = await usage.phase('check-inputs', () => checkInputs(contract, context.inputs, folders))
    const warnings: string[] = []
    const stageRun = {
      params,
      inputs: inputs as StageRun<C>['inputs'],
      upstream: context.upstream,
      observation: context.observation,
      key: context.key,
      outputDir: directory,
      scratchDir,
      resources: context.resources,
      signal: cancelled.signal,
      log,
      progress(progress: Progress) {
        last = progress
        log.event({ type: 'progress', phase: usage.current, ...progress })
      },
      phase<T>(name: string, work: () => Promise<T> | T): Promise<T> {
        cancelled.signal.throwIfAborted()
        log.event({ type: 'phase', name })
        return usage.phase(name, work)
      },
      warn(message: string) {
        warnings.push(message)
        log.warn(message)
      },
    } satisfies StageRun<C>

    const outcome = await run(stageRun)
    cancelled.signal.throwIfAborted()
    await usage.phase('sync', () => syncAttempt(directory))
    const outputs = await usage.phase('hash', () => describeOutputs(contract, directory, outcome.outputs))
    cancelled.signal.throwIfAborted()
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
    await commitAttempt(directory, productDir, result)
    log.event({ type: 'committed', product: context.productDir })
  } catch (thrown) {
    failure = cancelled.signal.aborted
      ? new StageError('CANCELLED', `${contract.name} was stopped`, { cause: thrown })
      : toStageError(thrown)
    snapshot()
    end(failure, { log, stage: contract.name })
    await rm(attemptDirectory(productDir, uid), { recursive: true, force: true })
  } finally {
    usage.stop()
    await rm(scratchDir, { recursive: true, force: true })
    cancelled.release()
  }
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
