import { parentPort, workerData } from 'node:worker_threads'
import { openTiles } from '#runtime/formats/measurement-set/tiles.ts'
import { toStageError } from '#runtime/stage/errors.ts'
import { createApply } from './apply-pass.ts'
import { solveBandpass } from '../solve/bandpass.ts'
import { SLOTS_PER_UNIT } from '../contract.ts'
import { unitsOf, type Job, type Pass, type PassResult } from '../job.ts'
import { createSums } from './sum-pass.ts'
import { createSurvey } from './survey-pass.ts'

/** A thread that takes part in each pass it is told of: claims units until none is left. */
const { job, worker } = workerData as { job: Job; worker: number }
const port = parentPort
port?.on('message', (pass: Pass) => {
  let result: PassResult = { type: 'done' }
  try {
    work(pass)
  } catch (thrown) {
    const error = toStageError(thrown)
    result = {
      type: 'error',
      code: error.code,
      message: error.message,
      ...(error.hint === undefined ? {} : { hint: error.hint }),
    }
  }
  port.postMessage(result)
})

function work(pass: Pass): void {
  if (pass.kind === 'bandpass-solve') {
    claim(pass, (unit) => solveBandpass({ ...pass, subband: unit }))
    return
  }
  const tiles = openTiles(job.layout, 'read')
  try {
    if (pass.kind === 'survey') claim(pass, createSurvey(job, pass, { tiles, worker }))
    else if (pass.kind !== 'apply') claim(pass, createSums(job, pass, tiles))
    else {
      const output = openTiles(pass.output, 'write')
      try {
        claim(pass, createApply(job, pass, { input: tiles, output }))
      } finally {
        output.close()
      }
    }
  } finally {
    tiles.close()
  }
}

function claim(pass: Pass, unit: (unit: number) => void): void {
  const units = unitsOf(job, pass, SLOTS_PER_UNIT)
  for (let next = Atomics.add(job.counter, 0, 1); next < units; next = Atomics.add(job.counter, 0, 1)) {
    unit(next)
    Atomics.add(job.counter, 1, 1)
  }
}
