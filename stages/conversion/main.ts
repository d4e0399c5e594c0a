import { randomUUID } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { availableParallelism, freemem, tmpdir } from 'node:os'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { errorData, StageError, toStageError } from '#runtime/stage/errors.ts'
import type { ConversionParams } from './contract.ts'
import type { ScanOptions } from './scan.ts'
import type { StandaloneOptions } from './standalone.ts'

/** How soon a conversion ends when the command that started it has been killed. */
const PARENT_CHECK_MS = 100

/** How often a scan says how far it is. */
const PROGRESS_MS = 250

/**
 * The entrypoint has three modes: `--context FILE` converts one observation of a run, `--scan DIR` lists those of a folder,
 * `--convert --out SET FILE…` converts files outside of a run. Each loads what it needs: a scan of known files takes less
 * time than the modules of the others.
 */
const given = (option: string): boolean =>
  process.argv.slice(2).some((argument) => argument === option || argument.startsWith(`${option}=`))
if (given('--scan')) await scan()
else if (given('--convert')) await convert()
else {
  const [{ main }, { conversion }, { run }] = await Promise.all([
    import('#runtime/stage/harness.ts'),
    import('./contract.ts'),
    import('./run.ts'),
  ])
  await main(conversion, run)
}

/** Writes the scan of a folder as JSON to `--out`, or to standard output. An error is one JSON line on standard error. */
async function scan(): Promise<void> {
  try {
    const { values } = parseArgs({
      options: {
        scan: { type: 'string' },
        out: { type: 'string' },
        expect: { type: 'string' },
        'earth-orientation': { type: 'string' },
        'station-table': { type: 'string' },
        cache: { type: 'string' },
        threads: { type: 'string' },
      },
    })
    const threads = positive('threads', values.threads)
    // Read here only to say early what is wrong with it.
    if (values['station-table'] !== undefined)
      (await import('#runtime/formats/station-table.ts')).readStationTable(values['station-table'])
    const [{ scanFolder }, { readEarthOrientation }] = await Promise.all([
      import('./scan.ts'),
      import('#runtime/formats/earth-orientation.ts'),
    ])
    const found = await scanFolder(values.scan ?? '', {
      nowMs: Date.now(),
      earthOrientation: readEarthOrientation(values['earth-orientation']),
      ...(values.expect === undefined ? {} : { expect: parseExpect(values.expect) }),
      ...(threads === undefined ? {} : { threads }),
      cache: values.cache,
      onProgress: progressTeller(),
      note: (message) => process.stderr.write(`${JSON.stringify({ level: 'warn', message })}\n`),
    })
    const text = `${JSON.stringify(found)}\n`
    if (values.out === undefined) process.stdout.write(text)
    else await writeFile(values.out, text)
  } catch (thrown) {
    const error = toStageError(thrown)
    process.stderr.write(`${JSON.stringify({ type: 'error', error: errorData(error) })}\n`)
    process.exitCode = error.exitCode
  }
}

/** Progress as JSON lines on standard error, where standard output may be the answer: not for short scans, and not often. */
function progressTeller(): (done: number, total: number) => void {
  let nextMs = performance.now() + PROGRESS_MS
  return (done, total) => {
    if (performance.now() < nextMs) return
    nextMs = performance.now() + PROGRESS_MS
    process.stderr.write(`${JSON.stringify({ type: 'progress', done, total, unit: 'files' })}\n`)
  }
}

/** Progress, phases and the result are JSON lines on standard output, and so is an error. */
async function convert(): Promise<void> {
  const stopped = cancellation()
  const [{ createLog }, { conversion, conversionParams }, { convertFiles }] = await Promise.all([
    import('#runtime/stage/log.ts'),
    import('./contract.ts'),
    import('./standalone.ts'),
  ])
  const log = createLog({ stage: conversion.name, observation: '' })
  try {
    const result = await convertFiles({ ...parseConvert(conversionParams.parse({})), signal: stopped.signal, log })
    log.event({ type: 'result', ...result })
  } catch (thrown) {
    const error = stopped.signal.aborted ? toStageError(stopped.signal.reason) : toStageError(thrown)
    log.event({ type: 'error', error: errorData(error) })
    if (error.code === 'INTERNAL' && error.cause instanceof Error) process.stderr.write(`${error.cause.stack}\n`)
    process.exitCode = error.exitCode
  } finally {
    stopped.release()
  }
}

function parseConvert(defaults: ConversionParams): Omit<StandaloneOptions, 'signal' | 'log'> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      convert: { type: 'boolean' },
      out: { type: 'string' },
      uid: { type: 'string' },
      cpu: { type: 'string' },
      'memory-bytes': { type: 'string' },
      scratch: { type: 'string' },
      staging: { type: 'string' },
      'earth-orientation': { type: 'string' },
      'station-table': { type: 'string' },
      'dead-antenna-fraction': { type: 'string' },
      force: { type: 'boolean' },
      hash: { type: 'boolean' },
    },
  })
  if (values.out === undefined) throw new StageError('PARAMS_INVALID', 'usage: --convert --out SET FILE…')
  const fraction = Number(values['dead-antenna-fraction'] ?? Number.NaN)
  if (values['dead-antenna-fraction'] !== undefined && !(fraction > 0 && fraction <= 1)) {
    const text = values['dead-antenna-fraction']
    throw new StageError('PARAMS_INVALID', `--dead-antenna-fraction must be more than 0 and at most 1, not ${text}`)
  }
  const memoryBytes = positive('memory-bytes', values['memory-bytes']) ?? Math.floor(freemem() / 2)
  return {
    files: positionals,
    out: resolve(values.out),
    uid: values.uid ?? randomUUID(),
    earthOrientation: values['earth-orientation'],
    stationTable: values['station-table'],
    deadAntennaFraction: Number.isNaN(fraction) ? defaults.deadAntennaFraction : fraction,
    resources: {
      cpu: positive('cpu', values.cpu) ?? availableParallelism(),
      memoryBytes,
      // Scratch space may be memory; the conversion itself takes little of it.
      scratchBytes: memoryBytes,
      staging: stagingOf(values.staging),
    },
    scratch: values.scratch ?? tmpdir(),
    force: values.force === true,
    hash: values.hash === true,
  }
}

function stagingOf(text = 'auto'): 'auto' | 'on' | 'off' {
  if (text === 'auto' || text === 'on' || text === 'off') return text
  throw new StageError('PARAMS_INVALID', `--staging must be auto, on or off, not ${text}`)
}

function positive(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const value = Number(text)
  if (!Number.isFinite(value) || value < 1)
    throw new StageError('PARAMS_INVALID', `--${option} must be a number from 1, not ${text}`)
  return value
}

/** Aborted by SIGINT and SIGTERM, and when the process that started this one has gone: nobody would hear of the result. */
function cancellation(): { signal: AbortSignal; release(): void } {
  const controller = new AbortController()
  const stop = (why: string): void => controller.abort(new StageError('CANCELLED', `stopped: ${why}`))
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
  const parent = process.ppid
  const watch = setInterval(() => {
    if (process.ppid !== parent) stop('the command that started it has gone')
  }, PARENT_CHECK_MS)
  watch.unref()
  return {
    signal: controller.signal,
    release() {
      process.off('SIGTERM', stop)
      process.off('SIGINT', stop)
      clearInterval(watch)
    },
  }
}

/** Whoever asks has checked it; the schema of the parameters would cost a scan of known files more time than the scan. */
function parseExpect(text: string): NonNullable<ScanOptions['expect']> {
  const invalid = (cause?: unknown): StageError =>
    new StageError('PARAMS_INVALID', `--expect ${text} is not {"subbands": [...], "integrations": n}`, { cause })
  let json: { subbands?: unknown; integrations?: unknown } | null
  try {
    json = JSON.parse(text)
  } catch (cause) {
    throw invalid(cause)
  }
  const { subbands, integrations } = json ?? {}
  if (!Array.isArray(subbands) || !subbands.every(isWhole) || !isWhole(integrations)) throw invalid()
  return { subbands, integrations }
}

function isWhole(value: unknown): value is number {
  return Number.isSafeInteger(value)
}
