import { renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { parentPort, workerData } from 'node:worker_threads'
import { createUvh5Writer } from '#runtime/formats/uvh5/write.ts'
import { errorData, toStageError, type ErrorData } from '#runtime/stage/errors.ts'
import type { Observation } from './observation.ts'
import { subbandFile, subbandIntegrations } from './subband.ts'

export interface WorkerInput {
  readonly observation: Observation
  readonly dir: string
}

export type WorkerMessage = { type: 'block' } | { type: 'done'; subband: number } | { type: 'error'; error: ErrorData }

/** A thread that writes the subbands it is told to, one after another. */
if (parentPort !== null) {
  const { observation, dir } = workerData as WorkerInput
  const port = parentPort
  port.on('message', (subband: number) => {
    try {
      writeSubband(observation, subband, { dir, onBlock: () => port.postMessage({ type: 'block' }) })
      port.postMessage({ type: 'done', subband } satisfies WorkerMessage)
    } catch (error) {
      port.postMessage({ type: 'error', error: errorData(toStageError(error)) } satisfies WorkerMessage)
    }
  })
}

/** Writes under the `_incomplete` name until the file is whole, as the telescope does. */
function writeSubband(observation: Observation, subband: number, out: { dir: string; onBlock(): void }): void {
  const name = observation.files.get(subband)
  if (name === undefined) throw new RangeError(`subband ${subband} is not written`)
  const incomplete = join(out.dir, incompleteName(name))
  const writer = createUvh5Writer(incomplete, subbandFile(observation, subband))
  try {
    for (const integration of subbandIntegrations(observation, subband)) {
      writer.append(integration)
      out.onBlock()
    }
    writer.close()
  } catch (error) {
    writer.abandon()
    rmSync(incomplete, { force: true })
    throw error
  }
  renameSync(incomplete, join(out.dir, name))
}

function incompleteName(name: string): string {
  return name.replace(/\.hdf5$/, '_incomplete.hdf5')
}
