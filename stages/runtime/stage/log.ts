import { join } from 'node:path'
import pino from 'pino'
import { LOG_FILE } from './checksums.ts'
import type { StageLog } from './contract.ts'

export interface LogSink extends StageLog {
  error(message: string, fields?: Record<string, unknown>): void
  /** One line of the event stream on standard output that is not a log message. */
  event(event: { type: string } & Record<string, unknown>): void
  /** Why the file of the log is not complete: it cannot be written. */
  readonly failure: Error | undefined
}

/**
 * NDJSON on standard output and, once the attempt directory is known, in its `stage.log`. Synchronous, so that the
 * last line survives whatever ends the process.
 */
export function createLog({
  stage,
  observation,
  directory,
}: {
  stage: string
  observation: string
  directory?: string
}): LogSink {
  const stdout = pino.destination({ dest: 1, sync: true })
  const streams: pino.StreamEntry[] = [{ level: 'info', stream: stdout }]
  let failure: Error | undefined
  if (directory !== undefined) {
    const file = pino.destination({ dest: join(directory, LOG_FILE), sync: true })
    file.on('error', (error: Error) => (failure ??= error))
    streams.push({ level: 'debug', stream: file })
  }
  const logger = pino(
    { level: 'debug', base: { stage, observation }, timestamp: pino.stdTimeFunctions.isoTime },
    pino.multistream(streams),
  )
  return {
    debug: (message, fields = {}) => logger.debug(fields, message),
    info: (message, fields = {}) => logger.info(fields, message),
    warn: (message, fields = {}) => logger.warn(fields, message),
    error: (message, fields = {}) => logger.error(fields, message),
    event: (event) => stdout.write(`${JSON.stringify(event)}\n`),
    get failure() {
      return failure
    },
  }
}
