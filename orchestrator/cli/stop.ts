import { Socket } from 'node:net'
import { killGroups } from '#runtime/stage/process-group.ts'

/** Exit codes of a process that was asked to stop; `contimg cancel` asks with SIGUSR2. */
const stopCodes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129, SIGUSR2: 6 } as const
/** The launcher passes on the Ctrl-C that the terminal has sent to both: a second one in so short a time is the same. */
const SAME_STOP_MS = 500

/**
 * A signal that is aborted with the exit code as its reason when this process is asked to stop: what runs is then ended in order. Asked
 * again, it ends its children at once.
 * @param launcher descriptor of a pipe that ends with the launcher. A run without one cannot be stopped from its terminal any more:
 * it ends as by SIGTERM
 */
export function stopSignal(launcher: string | undefined): AbortSignal {
  const controller = new AbortController()
  let stoppedAtMs: number | undefined
  const stop = (code: number): void => {
    if (stoppedAtMs === undefined) {
      stoppedAtMs = performance.now()
      controller.abort(code)
    } else if (performance.now() - stoppedAtMs > SAME_STOP_MS) killGroups()
  }
  for (const [name, code] of Object.entries(stopCodes)) process.on(name, () => stop(code))
  if (launcher !== undefined) {
    const pipe = new Socket({ fd: Number(launcher), readable: true, writable: false })
    pipe.on('error', () => undefined).on('close', () => stop(stopCodes.SIGTERM))
    pipe.resume().unref()
  }
  return controller.signal
}
