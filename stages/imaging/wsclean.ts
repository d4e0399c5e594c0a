import { ChildFailure, exec } from '#runtime/stage/exec.ts'
import { StageError } from '#runtime/stage/errors.ts'
import { readMemoryKills } from '#runtime/stage/memory.ts'
import { isSupported, parseWscleanVersion, type WscleanVersion } from './wsclean-arguments.ts'
import { emptyCleanLog, isDiverging, readLogLine, type CleanLog } from './wsclean-log.ts'

/** OpenBLAS starts threads that abort WSClean 3.1; it gains nothing from them. */
const environment = { OPENBLAS_NUM_THREADS: '1' }

/** Lines of a failed run that are shown. */
const shownLines = 8

export interface WscleanCall {
  args: readonly string[]
  signal: AbortSignal
  timeoutSeconds: number
  onLog(log: CleanLog): void
  /** Stop when the peaks of the major cycles grow. */
  watchDivergence?: boolean
}

export type WscleanResult = { diverged: boolean; log: CleanLog; seconds: number }

/** The installed WSClean; throws WSCLEAN_MISSING with the command that installs it. */
export async function findWsclean(signal: AbortSignal): Promise<WscleanVersion> {
  const { stdout } = await startOrExplain(() => exec('wsclean', ['-version'], { env: environment, signal }))
  const version = parseWscleanVersion(stdout)
  if (version === undefined || !isSupported(version)) {
    throw new StageError('WSCLEAN_MISSING', `"wsclean -version" does not tell a supported version (3.1 or later)`, {
      hint: 'install the wsclean package of Debian or Ubuntu: apt-get install wsclean',
    })
  }
  return version
}

/** Runs WSClean; a run that diverges is stopped and reported as such, any other failure throws WSCLEAN_FAILED. */
export async function runWsclean(call: WscleanCall): Promise<WscleanResult> {
  const divergence = new AbortController()
  let log = emptyCleanLog
  const onLine = (line: string): void => {
    const next = readLogLine(log, line)
    if (next === log) return
    log = next
    call.onLog(log)
    if (call.watchDivergence === true && isDiverging(log)) divergence.abort()
  }
  try {
    const { seconds } = await startOrExplain(() =>
      exec('wsclean', call.args, {
        env: environment,
        signal: AbortSignal.any([call.signal, divergence.signal]),
        timeoutSeconds: call.timeoutSeconds,
        onLine,
      }),
    )
    return { diverged: false, log, seconds }
  } catch (error) {
    if (divergence.signal.aborted && !call.signal.aborted) return { diverged: true, log, seconds: 0 }
    throw error
  }
}

/** What WSClean, CFITSIO and casacore say when a file system is full. */
const noRoom = /no space left on device|disk quota exceeded|error writing (data buffer )?to (FITS )?file/i
/** What the C++ library says when there is no memory. */
const noMemory = /std::bad_alloc|cannot allocate memory/i

async function startOrExplain<T>(start: () => Promise<T>): Promise<T> {
  const killsBefore = await readMemoryKills()
  try {
    return await start()
  } catch (error) {
    const cause = error instanceof StageError ? error.cause : undefined
    if (!(error instanceof StageError) || !(cause instanceof ChildFailure)) throw error
    if (cause.systemCode === 'ENOENT') {
      throw new StageError('WSCLEAN_MISSING', 'WSClean is not installed: there is no "wsclean" on PATH', {
        hint: 'on Debian or Ubuntu: apt-get install wsclean',
        cause,
      })
    }
    const said = cause.lastLines.filter((line) => !/^[+ ]*$/.test(line)).slice(-shownLines)
    const all = cause.lastLines.join('\n')
    if (noRoom.test(all)) throw new StageError('DISK_FULL', `WSClean could not write: ${said.at(-1) ?? ''}`, { cause })
    if (noMemory.test(all) || (cause.signal === 'SIGKILL' && (await readMemoryKills()) > killsBefore)) {
      const how = cause.signal === 'SIGKILL' ? 'the kernel killed WSClean for memory' : 'WSClean got no more memory'
      throw new StageError('OUT_OF_MEMORY', how, {
        hint: 'free some memory, raise execution.stages.imaging.resources.memory, or lower imaging.sizePixels',
        cause,
      })
    }
    throw new StageError('WSCLEAN_FAILED', `${error.message}: ${said.join(' | ') || 'it printed nothing'}`, {
      hint:
        cause.signal === 'SIGKILL'
          ? 'it was killed from outside, as far as the kernel tells not for memory: run the same command again'
          : 'its last lines are in stage.log',
      cause,
    })
  }
}
