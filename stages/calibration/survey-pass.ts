import type { MsTiles } from '#runtime/formats/measurement-set/tiles.ts'
import { SPEED_OF_LIGHT_M_S } from '#runtime/sky/constants.ts'
import { createBlock, readBlock, type Block } from './block.ts'
import { SLOTS_PER_UNIT } from './contract.ts'
import type { Job, SurveyPass } from './job.ts'
import { createSurveyWork, surveyNoise, surveyPolarization, type BaselineData, type SurveyOptions } from './survey.ts'

/** The work of the survey on one unit of slots: read, flag, measure. */
export function createSurvey(job: Job, pass: SurveyPass, { tiles, worker }: { tiles: MsTiles; worker: number }): (unit: number) => void {
  const { index, perSubband, subbands, polarizations, flags } = job
  const { integrations } = index
  const { channels } = job.layout
  const block = createBlock(job, SLOTS_PER_UNIT)
  const work = createSurveyWork(integrations, channels)
  const sigma = new Float32Array(subbands)
  const delayS = new Float64Array(integrations)
  return (unit) => {
    const slot0 = unit * SLOTS_PER_UNIT
    const count = Math.min(SLOTS_PER_UNIT, index.slots - slot0)
    readBlock(job, tiles, { block, slot0, count, onRows: (row0, rows) => takeFlags(job, tiles, { block, row0, rows }) })
    for (let s = 0; s < count; s++) {
      const baseline = index.baselineOfSlot[slot0 + s]
      if (baseline < 0) continue
      const data: BaselineData = { data: block.data, offset: block.offset[s], integrations, channels, polarizations }
      const options: SurveyOptions = {
        perSubband,
        clipSigma: job.clipSigma,
        knownBad: job.cellFlags,
        flags,
        flagOffset: block.flagOffset[s],
      }
      takeZeroWeights(job, block, s)
      setDelays(delayS, job, { pass, slot: slot0 + s })
      for (let p = 0; p < polarizations; p++) {
        const k = baseline * polarizations + p
        const found = surveyPolarization(data, p, { work, options, cellSum: pass.cellSum[worker], cellFlagged: pass.cellFlagged[worker] })
        pass.amplitude[k] = found.medianAmplitude
        pass.missing[k] = found.missing
        pass.clipped[k] = found.clip
      }
      for (let p = 0; p < polarizations; p++) {
        surveyNoise(data, p, { work, options, noise: { freqHz: job.freqHz, delayS }, out: sigma })
        for (let band = 0; band < subbands; band++) pass.sigma[(baseline * subbands + band) * polarizations + p] = sigma[band]
      }
      markDirty(job, block, s)
    }
  }
}

/** Copies the FLAG column of the rows just read into the flags of the job. */
function takeFlags(job: Job, tiles: MsTiles, { block, row0, rows }: { block: Block; row0: number; rows: number }): void {
  const { channels } = job.layout
  const { polarizations, flags } = job
  const bytes = block.flagBytes.subarray(0, rows * channels * polarizations)
  tiles.readFlags(row0, rows, 0, channels, bytes)
  for (let k = bytes.indexOf(1); k >= 0; k = bytes.indexOf(1, k + 1)) {
    flags[row0 * channels + Math.floor(k / polarizations)] |= 1 << k % polarizations
  }
}

/** A sample without weight was not observed. */
function takeZeroWeights(job: Job, block: Block, s: number): void {
  const { weights } = block
  if (weights === undefined) return
  const { channels } = job.layout
  for (let t = 0; t < job.index.integrations; t++) {
    const at = block.weightOffset[s][t]
    if (at < 0) continue
    for (let k = 0; k < channels * job.polarizations; k++) {
      if (!(weights[at + k] > 0)) job.flags[block.flagOffset[s][t] + Math.floor(k / job.polarizations)] |= 1 << k % job.polarizations
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
    if (row >= 0) out[t] = (job.uvwM[3 * row] * l + job.uvwM[3 * row + 1] * m + job.uvwM[3 * row + 2] * n) / SPEED_OF_LIGHT_M_S
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
