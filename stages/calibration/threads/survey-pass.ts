import type { MsTiles } from '#runtime/formats/measurement-set/tiles.ts'
import { SPEED_OF_LIGHT_M_S } from '#runtime/sky/constants.ts'
import { createBlock, readBlock, type Block } from './block.ts'
import { SLOTS_PER_UNIT } from '../contract.ts'
import type { Job, SurveyPass } from '../job.ts'
import { createNoiseWork, surveyNoise } from '../survey/survey-noise.ts'
import { createSurveyWork, surveyPolarization, type BaselineData, type SurveyOptions } from '../survey/survey.ts'

/** The work of the survey on one unit of slots: read, flag, measure. */
export function createSurvey(
  job: Job,
  pass: SurveyPass,
  { tiles, worker }: { tiles: MsTiles; worker: number },
): (unit: number) => void {
  const { index, perSubband, subbands, polarizations } = job
  const { integrations } = index
  const { channels } = job.layout
  const block = createBlock(job, SLOTS_PER_UNIT)
  const work = createSurveyWork()
  const noiseWork = createNoiseWork({ integrations, channels, polarizations })
  const delayS = new Float64Array(integrations)
  const cells = { sum: pass.cellSum[worker], flagged: pass.cellFlagged[worker] }
  const knownBadAt = Uint8Array.from({ length: integrations }, (_, t) =>
    job.cellFlags.subarray(t * channels, (t + 1) * channels).some((bits) => bits !== 0) ? 1 : 0,
  )
  const flaggedAt = Array.from({ length: SLOTS_PER_UNIT }, () => new Uint8Array(integrations))
  return (unit) => {
    const slot0 = unit * SLOTS_PER_UNIT
    const count = Math.min(SLOTS_PER_UNIT, index.slots - slot0)
    const flaggedRows = new Set<number>()
    readBlock(job, tiles, {
      block,
      slot0,
      count,
      onRows: (row0, rows) => takeFlags(job, tiles, { block, row0, rows, flaggedRows }),
    })
    for (let s = 0; s < count; s++) {
      const baseline = index.baselineOfSlot[slot0 + s]
      if (baseline < 0) continue
      const data: BaselineData = {
        data: block.data,
        offset: block.offset[s],
        integrations,
        channels,
        polarizations,
        perSubband,
      }
      takeZeroWeights(job, block, { s, flaggedRows })
      for (let t = 0; t < integrations; t++)
        flaggedAt[s][t] = flaggedRows.has(index.rowOf[t * index.slots + slot0 + s]) ? 1 : 0
      const options: SurveyOptions = {
        clipSigma: job.clipSigma,
        knownBad: job.cellFlags,
        knownBadAt,
        flags: job.flags,
        flagOffset: block.flagOffset[s],
        flaggedAt: flaggedAt[s],
      }
      let touched = flaggedAt[s].includes(1)
      for (let p = 0; p < polarizations; p++) {
        const k = baseline * polarizations + p
        const found = surveyPolarization(data, p, { work, options, cells })
        pass.amplitude[k] = found.medianAmplitude
        pass.missing[k] = found.missing
        pass.clipped[k] = found.clip
        touched ||= found.missing + found.clip > 0
      }
      setDelays(delayS, job, { pass, slot: slot0 + s })
      surveyNoise(data, {
        work: noiseWork,
        options,
        delays: { freqHz: job.freqHz, delayS },
        out: pass.sigma,
        at: baseline * subbands * polarizations,
      })
      if (touched || block.weights !== undefined) markDirty(job, block, s)
    }
  }
}

/** Copies the FLAG column of the rows just read into the flags of the job. */
function takeFlags(
  job: Job,
  tiles: MsTiles,
  { block, row0, rows, flaggedRows }: { block: Block; row0: number; rows: number; flaggedRows: Set<number> },
): void {
  const { channels } = job.layout
  const { polarizations, flags } = job
  const bytes = block.flagBytes.subarray(0, rows * channels * polarizations)
  tiles.readFlags(row0, rows, 0, channels, bytes)
  for (let k = bytes.indexOf(1); k >= 0; k = bytes.indexOf(1, k + 1)) {
    const cell = row0 * channels + Math.floor(k / polarizations)
    flags[cell] |= 1 << (k % polarizations)
    flaggedRows.add(Math.floor(cell / channels))
  }
}

/** A sample without weight was not observed. */
function takeZeroWeights(
  job: Job,
  { weights, weightOffset, flagOffset }: Block,
  { s, flaggedRows }: { s: number; flaggedRows: Set<number> },
): void {
  if (weights === undefined) return
  const { channels } = job.layout
  for (let t = 0; t < job.index.integrations; t++) {
    const at = weightOffset[s][t]
    if (at < 0) continue
    for (let k = 0; k < channels * job.polarizations; k++) {
      if (weights[at + k] > 0) continue
      job.flags[flagOffset[s][t] + Math.floor(k / job.polarizations)] |= 1 << (k % job.polarizations)
      flaggedRows.add(flagOffset[s][t] / channels)
    }
  }
}

/** Light travel times to the calibrator, over which fringes turn; zeros without one. */
function setDelays(out: Float64Array, job: Job, { pass, slot }: { pass: SurveyPass; slot: number }): void {
  out.fill(0)
  if (pass.model === undefined) return
  const { rowOf, slots } = job.index
  const [l, m, n] = pass.model.offsets
  for (let t = 0; t < out.length; t++) {
    const row = rowOf[t * slots + slot]
    if (row >= 0)
      out[t] = (job.uvwM[3 * row] * l + job.uvwM[3 * row + 1] * m + job.uvwM[3 * row + 2] * n) / SPEED_OF_LIGHT_M_S
  }
}

function markDirty(job: Job, block: Block, s: number): void {
  const { perSubband, subbands, flags, dirty, index } = job
  const { channels } = job.layout
  for (let t = 0; t < index.integrations; t++) {
    const at = block.flagOffset[s][t]
    if (at < 0) continue
    const row = at / channels
    for (let band = 0; band < subbands; band++) {
      let any = block.weights === undefined ? 0 : 1
      for (let c = at + band * perSubband; c < at + (band + 1) * perSubband && any === 0; c++) any = flags[c]
      if (any !== 0) dirty[row * subbands + band] = 1
    }
  }
}
