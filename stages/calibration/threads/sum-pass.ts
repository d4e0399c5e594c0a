import type { MsTiles } from '#runtime/formats/measurement-set/tiles.ts'
import { accumulateBaseline, createAccumulateWork, type BinSums } from '../model/accumulate.ts'
import { createBlock, readBlock } from './block.ts'
import { addBandpassCells, bandpassProduct, setGainCells } from '../model/collect.ts'
import { SLOTS_PER_UNIT } from '../contract.ts'
import type { BandpassSumPass, GainSumPass, Job } from '../job.ts'
import { createBaselineModel, setPaths } from '../model/model.ts'

/** The work of a summing pass on one unit of slots: read, predict, accumulate, hand each bin on. */
export function createSums(job: Job, pass: BandpassSumPass | GainSumPass, tiles: MsTiles): (unit: number) => void {
  const { index, polarizations, perSubband, subbands } = job
  const { integrations, slots, rowOf } = index
  const { channels } = job.layout
  const block = createBlock(job, SLOTS_PER_UNIT)
  const work = createAccumulateWork({ channels, polarizations, step: pass.model.step })
  const model = createBaselineModel(pass.model)
  const dirty = new Uint8Array(integrations * subbands)
  const turn = new Float64Array(2 * polarizations)
  const weight = new Float64Array(subbands * polarizations)
  const product = new Float64Array(2 * channels * polarizations)
  const all = (1 << polarizations) - 1
  // Without phases to take out, a bandpass needs no bins.
  const bins = pass.kind === 'bandpass-sums' && pass.turns === undefined ? Int32Array.of(0, integrations) : pass.bins
  return (unit) => {
    const slot0 = unit * SLOTS_PER_UNIT
    const count = Math.min(SLOTS_PER_UNIT, slots - slot0)
    readBlock(job, tiles, { block, slot0, count })
    for (let s = 0; s < count; s++) {
      const baseline = index.baselineOfSlot[slot0 + s]
      if (baseline < 0 || job.baselineFlags[baseline] === all || pass.inRange[baseline] === 0) continue
      for (let t = 0; t < integrations; t++) {
        const row = rowOf[t * slots + slot0 + s]
        for (let band = 0; band < subbands; band++) {
          dirty[t * subbands + band] =
            row < 0 ? 0 : job.dirty[row * subbands + band] | job.cellDirty[t * subbands + band]
        }
        if (row >= 0) setPaths(model, pass.model, { uvwM: job.uvwM, at: 3 * row, t })
      }
      setWeight(baseline)
      if (pass.kind === 'gain-sums')
        bandpassProduct(product, pass.bandpass, {
          antenna1: index.antenna1[baseline],
          antenna2: index.antenna2[baseline],
        })
      const input = {
        data: block.data,
        offset: block.offset[s],
        integrations,
        channels,
        polarizations,
        perSubband,
        bins,
        flags: job.flags,
        flagOffset: block.flagOffset[s],
        dirty,
        cellFlags: job.cellFlags,
        weights: block.weights,
        weightOffset: block.weightOffset[s],
        model,
      }
      accumulateBaseline(input, work, (bin, sums) => collect(baseline, bin, sums))
    }
  }

  function collect(baseline: number, bin: number, sums: BinSums): void {
    if (pass.kind === 'gain-sums') {
      setGainCells(pass.cube, baseline, { sums, bin, polarizations, perSubband, product, weight })
      return
    }
    const phases = pass.turns === undefined ? {} : { turn: turnOf(pass.turns, baseline, bin) }
    addBandpassCells(pass.cube, baseline, { sums, polarizations, weight, ...phases })
  }

  /** 1 / (e_i e_j) of each subband and polarisation, zero where the baseline is flagged. */
  function setWeight(baseline: number): void {
    for (let cell = 0; cell < weight.length; cell++) {
      const at = cell * index.antennas.length
      const value = 1 / (pass.noise[at + index.antenna1[baseline]] * pass.noise[at + index.antenna2[baseline]])
      const flagged = (job.baselineFlags[baseline] & (1 << (cell % polarizations))) !== 0
      weight[cell] = flagged || !Number.isFinite(value) ? 0 : value
    }
  }

  /** conj(p_i) p_j of each polarisation. */
  function turnOf(turns: Float64Array, baseline: number, bin: number): Float64Array {
    const count = pass.bins.length - 1
    for (let p = 0; p < polarizations; p++) {
      const i = 2 * ((index.antenna1[baseline] * count + bin) * polarizations + p)
      const j = 2 * ((index.antenna2[baseline] * count + bin) * polarizations + p)
      turn[2 * p] = turns[i] * turns[j] + turns[i + 1] * turns[j + 1]
      turn[2 * p + 1] = turns[i] * turns[j + 1] - turns[i + 1] * turns[j]
    }
    return turn
  }
}
