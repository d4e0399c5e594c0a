import { createWriteStream } from 'node:fs'
import { readFile, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Progress, StageContext } from '#runtime/stage/contract.ts'
import { attemptDirectory } from '#runtime/stage/commit.ts'
import type { ErrorData } from '#runtime/stage/errors.ts'
import { writeFileAtomic } from '#runtime/stage/files.ts'
import { makeDirectory } from '#runtime/stage/filesystem.ts'
import { readMemoryKills } from '#runtime/stage/memory.ts'
import type { Snapshot } from '#runtime/stage/snapshot.ts'
import type { UsageSample } from '#runtime/stage/usage.ts'
import {
  classifyProcess,
  describeEvidence,
  explainAttempt,
  isRetryable,
  type ProcessEvidence,
} from '../../pipeline/classify.ts'
import { productPath, KEY_DIGITS } from '../../pipeline/key.ts'
import type { LastWords } from '../../pipeline/problem.ts'
import { readProduct } from '../../runs/product-store.ts'
import type { AttemptListener, AttemptOutcome, AttemptRequest, Executor } from '../executor.ts'
import { startChild } from './child.ts'
import { chooseScratch, SHARED_MEMORY } from './scratch.ts'

export interface LocalExecutorOptions {
  /** Data root: the working directory of every stage. */
  root: string
  /** Folder of the run, relative to the root: contexts, logs and snapshots of attempts go below it. */
  runFolder: string
  /** Folder that holds `<stage>/main.ts`. */
  stagesDir: string
  /** Scratch folder that the user chose; default: shared memory where the plan fits, else the data root's disk. */
  scratchRoot?: string
}

/** Runs each attempt as a child process of this machine, with the same context that a container would get. */
export function createLocalExecutor(options: LocalExecutorOptions): Executor {
  const { root, runFolder, stagesDir, scratchRoot } = options
  const folderOf: Executor['logPath'] = ({ observation, stage, key, attempt }) =>
    `${runFolder}/attempts/${observation}-${stage}-${key.slice(0, KEY_DIGITS)}-${attempt.number}`
  return {
    name: 'local',
    scratchFolders: [SHARED_MEMORY, scratchRoot ?? join(root, '.scratch')],
    scratchFolder: (uid, scratchBytes, memoryBytes) =>
      chooseScratch({
        uid,
        scratchBytes,
        memoryBytes,
        disk: scratchRoot ?? join(root, '.scratch'),
        fixed: scratchRoot !== undefined,
      }),
    logPath: (context) => `${folderOf(context)}/log.ndjson`,
    submit(request, listener) {
      const controller = new AbortController()
      const outcome = runAttempt(request, listener, {
        root,
        folder: join(root, folderOf(request.context)),
        entry: join(stagesDir, request.context.stage, 'main.ts'),
        cancelled: controller.signal,
      })
      return { outcome, cancel: () => controller.abort() }
    },
  }
}

interface AttemptPlace {
  root: string
  folder: string
  entry: string
  cancelled: AbortSignal
}

async function runAttempt(
  { context, incoming, timeoutSeconds }: AttemptRequest,
  listener: AttemptListener,
  { root, folder, entry, cancelled }: AttemptPlace,
): Promise<AttemptOutcome> {
  await makeDirectory(folder)
  const contextPath = join(folder, 'context.json')
  const snapshotPath = join(folder, 'snapshot.json')
  await writeFileAtomic(contextPath, `${JSON.stringify(context, null, 2)}\n`)
  await rm(snapshotPath, { force: true })
  let logFailure: Error | undefined
  // A log that cannot be written ends no attempt: what counts is heard all the same.
  const log = createWriteStream(join(folder, 'log.ndjson')).on('error', (error) => (logFailure = error))
  const heard: Heard = {}
  const killsBefore = await readMemoryKills()
  const child = startChild({
    entry,
    args: ['--context', contextPath],
    cwd: root,
    env: { CONTIMG_INCOMING: incoming, CONTIMG_TERMINATION_PATH: snapshotPath },
    ...(timeoutSeconds === undefined ? {} : { timeoutSeconds }),
    onStdout(line) {
      // What it uses now is worth knowing for a second; the log keeps the peaks.
      if (hear(line, heard, listener) !== 'usage' && logFailure === undefined) log.write(`${line}\n`)
    },
    onStderr(line) {
      const entry = { level: 50, time: new Date().toISOString(), msg: line, stream: 'stderr' }
      if (logFailure === undefined) log.write(`${JSON.stringify(entry)}\n`)
    },
  })
  if (cancelled.aborted) child.stop('user')
  cancelled.addEventListener('abort', () => child.stop('user'))
  const ended = await child.ended
  if (logFailure === undefined) await new Promise<void>((done) => log.once('close', done).end())
  // The harness cleans up after itself unless it was killed.
  await rm(resolve(root, context.scratchDir), { recursive: true, force: true })
  await rm(attemptDirectory(resolve(root, context.productDir), context.attempt.uid), { recursive: true, force: true })

  const product = ended.exitCode === 0 ? await readProduct(root, productPath(context)) : undefined
  const snapshot = await readSnapshot(snapshotPath)
  const error = heard.error ?? snapshot.error
  const phase = heard.phase ?? snapshot.phase
  const evidence: ProcessEvidence = {
    ...ended,
    oomKills: (await readMemoryKills()) - killsBefore,
    ...(error === undefined ? {} : { error }),
    ...(phase === undefined ? {} : { phase }),
    ...(snapshot.peakMemoryBytes === undefined ? {} : { peakMemoryBytes: snapshot.peakMemoryBytes }),
    limitBytes: context.resources.memoryBytes,
    ...(ended.exitCode !== 0 ? {} : invalidity(product, context)),
  }
  const outcome = classifyProcess(evidence)
  const retryable = isRetryable(evidence)
  return {
    class: outcome,
    evidence: [
      ...describeEvidence(evidence),
      ...(logFailure === undefined ? [] : [`its log is not complete: ${logFailure.message}`]),
    ],
    ...(retryable === undefined ? {} : { retryable }),
    ...(snapshot.peakMemoryBytes === undefined ? {} : { peakMemoryBytes: snapshot.peakMemoryBytes }),
    ...(outcome === 'succeeded' && product?.ok
      ? { result: product.result }
      : {
          problem: {
            ...explainAttempt(outcome, evidence),
            ...lastWords(context, snapshot, { ...heard, ...(error === undefined ? {} : { error }) }),
          },
        }),
  }
}

/** What was last heard of an attempt; of one that could say itself what went wrong, only how far it was. */
function lastWords(
  { resources }: StageContext,
  { phase, done, total, unit, memoryBytes }: Partial<Snapshot>,
  { error, logLine }: Heard,
): { last?: LastWords } {
  const progress = done === undefined || total === undefined || unit === undefined ? undefined : { done, total, unit }
  const said = saidIn(logLine)
  const where = { ...(phase === undefined ? {} : { phase }), ...(progress === undefined ? {} : { progress }) }
  if (error !== undefined) return progress === undefined ? {} : { last: where }
  return {
    last: {
      ...where,
      ...(memoryBytes === undefined ? {} : { memoryBytes, memoryLimitBytes: resources.memoryBytes }),
      ...(said === undefined ? {} : { said }),
    },
  }
}

function saidIn(logLine: string | undefined): string | undefined {
  if (logLine === undefined) return undefined
  try {
    return (JSON.parse(logLine) as { msg?: string }).msg
  } catch {
    // A line cut by the death of the stage.
    return undefined
  }
}

function invalidity(
  product: Awaited<ReturnType<typeof readProduct>> | undefined,
  context: StageContext,
): { invalidResult?: string } {
  if (product === undefined || !product.ok) return { invalidResult: product?.why ?? 'no result was committed' }
  return product.result.key === context.key
    ? {}
    : { invalidResult: `the product of ${context.productDir} has another key` }
}

/** How pino begins a line of level error. */
const FAILURE_LINE = '{"level":50'

interface Heard {
  error?: ErrorData
  phase?: string
  /** The last line of its log, but for the one that tells of its failure. */
  logLine?: string
}

/** Takes what matters from one line of a stage's event stream and says its type; log lines have none. */
function hear(line: string, heard: Heard, listener: AttemptListener): string | undefined {
  if (line.startsWith('{"level":') && !line.startsWith(FAILURE_LINE)) heard.logLine = line
  if (!line.startsWith('{"type":')) return undefined
  let event: { type?: string; name?: string; error?: ErrorData } & Partial<Progress & UsageSample>
  try {
    event = JSON.parse(line) as typeof event
  } catch {
    // A line cut by the death of the stage.
    return undefined
  }
  if (event.type === 'error' && event.error !== undefined) heard.error = event.error
  if (event.type === 'phase' && event.name !== undefined) {
    heard.phase = event.name
    listener.phase(event.name)
  }
  if (event.type === 'progress' && event.done !== undefined && event.total !== undefined && event.unit !== undefined) {
    listener.progress({ done: event.done, total: event.total, unit: event.unit })
  }
  const { memoryBytes, scratchBytes, cpus } = event
  if (event.type === 'usage' && memoryBytes !== undefined && scratchBytes !== undefined && cpus !== undefined)
    listener.usage({ memoryBytes, scratchBytes, cpus })
  return event.type
}

async function readSnapshot(path: string): Promise<Partial<Snapshot>> {
  try {
    return (JSON.parse(await readFile(path, 'utf8')) as Partial<Snapshot> | null) ?? {}
  } catch {
    // None was written, or the stage was killed while it wrote: the exit status remains as evidence.
    return {}
  }
}
