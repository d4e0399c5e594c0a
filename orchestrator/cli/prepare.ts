import { resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Scan } from '../../stages/conversion/contract.ts'
import { readMachine, wscleanVersion } from '../executors/local/machine.ts'
import {
  checkInput,
  checkRoot,
  checkScratch,
  earthOrientationAsset,
  stationTableAsset,
} from '../executors/local/preflight.ts'
import { scanFolder } from '../executors/local/scan.ts'
import { admit, selection } from '../pipeline/admission.ts'
import { awaited, awaitedText } from '../pipeline/arrival.ts'
import type { RunConfig } from '../pipeline/config.ts'
import { ProblemError } from '../pipeline/problem.ts'
import { catalogueAsset, resolveCatalogue, type InstalledCatalogue } from '../runs/catalogues.ts'
import { applyQuarantine } from '../runs/quarantine.ts'
import { explainRoom } from '../runs/room.ts'
import type { SessionOptions } from '../runs/session.ts'
import { count } from '../view/format.ts'
import type { Io } from './io.ts'
import { scanProgress } from './scan-progress.ts'
import { readVersion } from './version.ts'

const NO_CATALOGUE = {
  level: 'warn' as const,
  message:
    'no catalogue: flux scale, astrometry and completeness are not checked and the verdict is at most uncertain; give one with --catalogue',
}

/** What a run is made of besides its configuration. */
export type Prepared = Pick<
  SessionOptions,
  'version' | 'scan' | 'scanSeconds' | 'assets' | 'engines' | 'notes' | 'machine'
>

interface PrepareOptions {
  say: (texts: readonly string[]) => void
  quiet: boolean
  /** Aborted to stop the scan. */
  signal: AbortSignal
}

/** Everything that must hold before the first step: else ProblemError, exit code 2; 1 where there is no room to begin. */
export async function prepare(config: RunConfig, io: Io, options: PrepareOptions): Promise<Prepared> {
  try {
    return await prepareAll(config, io, options)
  } catch (error) {
    throw await explainRoom(error, config.root)
  }
}

async function prepareAll(config: RunConfig, io: Io, { say, quiet, signal }: PrepareOptions): Promise<Prepared> {
  if (config.input === undefined) {
    throw new ProblemError('USAGE', 'there is no input folder', {
      hint: 'give --input DIR, or `input:` in the configuration',
    })
  }
  const { input } = config
  await checkInput(input)
  await checkRoot(config.root)
  const scratch = io.env['CONTIMG_SCRATCH']
  if (scratch) await checkScratch(resolve(io.cwd, scratch))
  const stationTable =
    config.stationTable === undefined ? undefined : await stationTableAsset(config.root, config.stationTable)
  const catalogue = config.catalogue === undefined ? undefined : await resolveCatalogue(config.root, config.catalogue)
  const engines = { wscleanVersion: await wscleanVersion() }
  const started = performance.now()
  const progress = scanProgress(io, quiet)
  const scan = await scanArrived(config, io, { say, signal }, () =>
    scanFolder(input, {
      stagesDir: io.stagesDir,
      expect: config.conversion.expect,
      root: config.root,
      stationTable: config.stationTable,
      signal,
      onProgress: progress.hear,
      onNote: (message) => progress.say([message]),
    }).finally(progress.end),
  )
  const scanSeconds = Math.round(performance.now() - started) / 1000
  const { admitted, rejected } = admit(scan, config)
  if (admitted.length + rejected.length === 0) {
    const ids = scan.observations.map(({ id }) => id)
    const none = ids.filter(selection(config.observations)).length === 0 && ids.length > 0
    throw new ProblemError(
      none ? 'OBSERVATIONS_UNKNOWN' : 'INPUT_EMPTY',
      none
        ? `no observation is selected by ${config.observations?.join(', ')}`
        : `${config.input} holds no observation`,
      {
        hint: none
          ? `there are: ${ids.slice(0, 10).join(', ')}`
          : 'give the folder that holds the .hdf5 files of an observation',
      },
    )
  }
  return {
    version: await readVersion(),
    scan,
    scanSeconds,
    assets: {
      earthOrientation: await earthOrientationAsset(config.root),
      ...(stationTable === undefined ? {} : { stationTable }),
      ...(catalogue === undefined ? {} : { catalogue: await catalogueAsset(config.root, catalogue) }),
    },
    engines,
    machine: await readMachine(),
    notes: [
      catalogue === undefined ? NO_CATALOGUE : { level: 'info', message: catalogueText(catalogue) },
      ...scan.warnings.map((warning) => warningNote(scan.input, warning)),
      ...admitted.flatMap(({ id, warnings }) => warnings.map((warning) => warningNote(id, warning))),
    ],
  }
}

/** Time between two looks at a folder that is waited for. */
const POLL_MS = 2000

/**
 * A scan in which no observation is waited for any more, without the files that earlier runs set aside. Throws
 * ProblemError INTERRUPTED when it is stopped while it waits.
 */
async function scanArrived(
  config: RunConfig,
  { now }: Pick<Io, 'now'>,
  { say, signal }: Pick<PrepareOptions, 'say' | 'signal'>,
  scanNow: () => Promise<Scan>,
): Promise<Scan> {
  const beganMs = now().getTime()
  let told = ''
  for (;;) {
    const scan = await scanNow()
    const waiting = awaited(scan, config, { nowMs: now().getTime(), beganMs })
    if (waiting.length === 0) return applyQuarantine(config.root, scan)
    const texts = waiting.map(awaitedText)
    if (texts.join() !== told) say(texts)
    told = texts.join()
    const leftMs = Math.min(...waiting.map(({ untilMs }) => untilMs)) - now().getTime()
    await delay(Math.min(POLL_MS, Math.max(0, leftMs)), undefined, { signal }).catch((cause: unknown) => {
      throw new ProblemError('INTERRUPTED', 'stopped while it waited for files', { cause })
    })
  }
}

/** A warning of the scan about a file, or about all of what holds it. */
function warningNote(whole: string, { file, message }: Scan['warnings'][number]): SessionOptions['notes'][number] {
  return { level: 'warn', message: `${file ?? whole}: ${message}` }
}

function catalogueText({ name, hash12, rows, simulated }: InstalledCatalogue): string {
  return `catalogue ${name}@${hash12}, ${count(rows, 'source')}${simulated ? ', simulated sky' : ''}`
}
