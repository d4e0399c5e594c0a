import type { MsTiles } from '#runtime/formats/measurement-set/tiles.ts'
import { applyRow, createApplyWork } from '../apply/apply.ts'
import type { ApplyPass, Job } from '../job.ts'

/** The work of applying on one unit: the input rows of one tile of output rows. */
export function createApply(
  job: Job,
  pass: ApplyPass,
  { input, output }: { input: MsTiles; output: MsTiles },
): (unit: number) => void {
  const { polarizations } = job
  const { channels } = job.layout
  const { shape, inputRow } = pass
  const { tileRows } = pass.output
  const groups = pass.output.channels
  const cell = channels * polarizations
  const work = createApplyWork(shape)
  let buffer = new Float32Array(0)
  let weightBuffer: Float32Array | undefined
  const out = {
    data: new Float32Array(2 * tileRows * groups * polarizations),
    weights: new Float32Array(tileRows * groups * polarizations),
    flags: new Uint8Array(tileRows * groups * polarizations),
    at: 0,
  }
  const dirty = new Uint8Array(job.subbands)
  const hasWeights = job.layout.weightSpectrum || job.rowWeights !== undefined
  return (unit) => {
    const first = unit * tileRows
    const rows = Math.min(tileRows, pass.output.rows - first)
    for (let k = 0; k < rows;) {
      // Runs of input rows with little between them (autocorrelations) are read at once.
      let end = k + 1
      while (
        end < rows &&
        inputRow[first + end] > inputRow[first + end - 1] &&
        inputRow[first + end] - inputRow[first + end - 1] <= 4
      )
        end++
      const row0 = inputRow[first + k]
      const span = inputRow[first + end - 1] - row0 + 1
      load(row0, span)
      for (; k < end; k++) correct(first + k, { row0, k })
    }
    const used = rows * groups * polarizations
    output.writeData(first, rows, 0, groups, out.data.subarray(0, 2 * used))
    output.writeWeights(first, rows, 0, groups, out.weights.subarray(0, used))
    output.writeFlags(first, rows, 0, groups, out.flags.subarray(0, used))
  }

  function load(row0: number, rows: number): void {
    if (buffer.length < 2 * rows * cell) {
      buffer = new Float32Array(2 * rows * cell)
      if (hasWeights) weightBuffer = new Float32Array(rows * cell)
    }
    input.readData(row0, rows, 0, channels, buffer.subarray(0, 2 * rows * cell))
    if (weightBuffer === undefined) return
    if (job.layout.weightSpectrum) input.readWeights(row0, rows, 0, channels, weightBuffer.subarray(0, rows * cell))
    else {
      for (let k = 0; k < rows * cell; k++) {
        weightBuffer[k] = job.rowWeights![(row0 + Math.floor(k / cell)) * polarizations + (k % polarizations)]
      }
    }
  }

  function correct(outRow: number, { row0, k }: { row0: number; k: number }): void {
    const row = inputRow[outRow]
    const slot = pass.slotOfRow[row]
    const integration = job.index.integrationOfRow[row]
    out.at = k * groups * polarizations
    for (let band = 0; band < job.subbands; band++) {
      dirty[band] = job.dirty[row * job.subbands + band] | job.cellDirty[integration * job.subbands + band]
    }
    pass.flaggedOut[outRow] = applyRow(
      {
        data: buffer,
        at: 2 * (row - row0) * cell,
        flags: job.flags,
        flagAt: row * channels,
        cellFlags: job.cellFlags,
        cellAt: integration * channels,
        weights: weightBuffer,
        weightAt: (row - row0) * cell,
        dirty,
        antenna1: job.index.slotAntenna1[slot],
        antenna2: job.index.slotAntenna2[slot],
        integration,
        rowFlags: job.baselineFlags[job.index.baselineOfSlot[slot]],
      },
      { shape, gains: pass, out, work },
    )
    rowWeights(outRow)
  }

  function rowWeights(outRow: number): void {
    for (let p = 0; p < polarizations; p++) {
      let sum = 0
      let count = 0
      for (let g = 0; g < groups; g++) {
        const k = out.at + g * polarizations + p
        if (out.flags[k] === 1) continue
        sum += out.weights[k]
        count++
      }
      pass.rowWeight[outRow * polarizations + p] = count > 0 ? sum / count : 0
    }
  }
}
