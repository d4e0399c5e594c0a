import type { MsTiles } from '#runtime/formats/measurement-set/tiles.ts'
import { accumulateBaseline, createAccumulateWork, type BinSums } from './accumulate.ts'
import { createBlock, readBlock } from './block.ts'
import { addBandpassCells, addGainCells, type BaselineWeight } from './collect.ts'
import { SLOTS_PER_UNIT } from './contract.ts'
import type { BandpassSumPass, GainSumPass, Job } from './job.ts'
import { createBaselineModel, setPaths } from './model.ts'

/** The work of a summing pass on one unit of slots: read, predict, accumulate, hand each bin on. */
export function createSums(job: Job, pass: BandpassSumPass | GainSumPass, tiles: MsTiles): (unit: number) => void {
  const { index, polarizations, perSubband, subbands } = job
  const { integrations, slots, rowOf } = index
  const { channels } = job.layout
  const block = createBlock(job, SLOTS_PER_UNIT)
  const work = createAccumulateWork(channels, polarizations)
  const model = createBaselineModel(pass.model)
  const dirty = new Uint8Array(integrations * subbands)
  const turn = new Float64Array(2 * polarizations)
  const all = (1 << polarizations) - 1
  return (unit) => {
    const slot0 = unit * SLOTS_PER_UNIT
    const count = Math.min(SLOTS_PER_UNIT, slots - slot0)
    readBlock(job, tiles, { block, slot0, count })
    for (let s = 0; s < count; s++) {
      const baseline = index.baselineOfSlot[slot0 + s]
      if (baseline < 0 || job.baselineFlags[baseline] === all) continue
      for (let t = 0; t < integrations; t++) {
        const row = rowOf[t * slots + slot0 + s]
        for (let band = 0; band < subbands; band++) {
          dirty[t * subbands + band] = row < 0 ? 0 : job.dirty[row * subbands + band] | job.cellDirty[t * subbands + band]
        }
        if (row >= 0) setPaths(model, pass.model, { uvwM: job.uvwM, at: 3 * row, t })
      }
      const input = {
        data: block.data,
        offset: block.offset[s],
        integrations,
        channels,
        polarizations,
        perSubband,
        bins: pass.bins,
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
    const antenna1 = index.antenna1[baseline]
    const antenna2 = index.antenna2[baseline]
    const weight: BaselineWeight = (band, p) => {
      if ((job.baselineFlags[baseline] & (1 << p)) !== 0) return 0
      const at = (band * polarizations + p) * index.antennas.length
      return 1 / (pass.noise[at + antenna1] * pass.noise[at + antenna2])
    }
    if (pass.kind === 'gain-sums') {
      addGainCells(pass.cube, baseline, { sums, bin, bandpass: pass.bandpass, perSubband, antenna1, antenna2, weight })
      return
    }
    const turned = pass.turns === undefined ? undefined : turnOf(pass.turns, { antenna1, antenna2, bin })
    addBandpassCells(pass.cube, baseline, { sums, perSubband, polarizations, weight, ...(turned === undefined ? {} : { turn: turned }) })
  }

  /** conj(p_i) p_j of each polarisation. */
  function turnOf(turns: Float64Array, { antenna1, antenna2, bin }: { antenna1: number; antenna2: number; bin: number }): Float64Array {
    const bins = pass.bins.length - 1
    for (let p = 0; p < polarizations; p++) {
      const i = 2 * ((antenna1 * bins + bin) * polarizations + p)
      const j = 2 * ((antenna2 * bins + bin) * polarizations + p)
      turn[2 * p] = turns[i] * turns[j] + turns[i + 1] * turns[j + 1]
      turn[2 * p + 1] = turns[i] * turns[j + 1] - turns[i + 1] * turns[j]
    }
    return turn
  }
}
