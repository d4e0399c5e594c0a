import { openMeasurementSet, type MeasurementSet } from '#runtime/formats/measurement-set/read.ts'
import { openTiles } from '#runtime/formats/measurement-set/tiles.ts'
import type { Uvh5Data } from '#runtime/formats/uvh5/data.ts'
import { createRandom } from '#runtime/numeric/random.ts'
import { SPEED_OF_LIGHT_M_S } from '#runtime/sky/constants.ts'
import { subtract } from '#runtime/sky/vector.ts'
import type { RotationFrame } from '#runtime/sky/phase-rotation.ts'
import type { OpenData } from './blocks.ts'
import { REOPEN_TOLERANCE } from './gates.ts'
import { LARGEST_SQUARE } from './kernel.ts'

/** Cells of the written set that are compared with the raw files. */
const CELLS = 64

export interface ReopenInput {
  path: string
  /** Opens a raw file. */
  open: OpenData
  /** Raw files by slot of the output grid; undefined for absent subbands. */
  files: readonly ({ path: string; freqHz: Float64Array } | undefined)[]
  /** Antenna numbers of each row of the files, and of each row of the ANTENNA table. */
  ant1: Int32Array
  ant2: Int32Array
  antennaNumbers: Int32Array
  /** AIPS codes of the files' correlations. */
  polarizations: Int32Array
  frames: readonly RotationFrame[]
  /** (rows): index into the frames. */
  integration: Int32Array
  seed: string
}

export interface ReopenResult {
  set: MeasurementSet
  cells: number
  different: number
  /** Largest abs(found - expected) / abs(expected). */
  largestError: number
}

/** casacore and AIPS codes of the same correlation. */
const aipsOfStokes: ReadonlyMap<number, number> = new Map([
  [5, -1],
  [6, -3],
  [7, -4],
  [8, -2],
  [9, -5],
  [10, -7],
  [11, -8],
  [12, -6],
])

/**
 * Reads a set back and compares random cells with the raw files, each worked out anew: found by frequency, antenna
 * numbers and correlation, conjugated by the order of the pair, rotated with the antenna positions of the set.
 */
export async function reopen(input: ReopenInput): Promise<ReopenResult> {
  const set = await openMeasurementSet(input.path)
  const random = createRandom(input.seed)
  const { layout } = set
  const tiles = openTiles(layout, 'read')
  const opened = new Map<string, Uvh5Data>()
  let different = 0
  let largestError = 0
  try {
    for (let i = 0; i < CELLS; i++) {
      const cell = {
        row: random.int(layout.rows),
        channel: random.int(layout.channels),
        pol: random.int(layout.polarizations),
      }
      const data = new Float32Array(2 * layout.polarizations)
      const flags = new Uint8Array(layout.polarizations)
      tiles.readData(cell.row, 1, cell.channel, 1, data)
      tiles.readFlags(cell.row, 1, cell.channel, 1, flags)
      const expected = await expectedCell(set, input, { ...cell, opened, open: input.open })
      const error = Math.hypot(data[2 * cell.pol] - expected.re, data[2 * cell.pol + 1] - expected.im)
      const relative = error === 0 ? 0 : error / Math.hypot(expected.re, expected.im)
      largestError = Math.max(largestError, relative)
      if (!(relative <= REOPEN_TOLERANCE) || (expected.flagged && flags[cell.pol] !== 1)) different++
    }
  } finally {
    tiles.close()
    for (const file of opened.values()) file.close()
  }
  return { set, cells: CELLS, different, largestError }
}

interface Cell {
  row: number
  channel: number
  pol: number
  /** Raw files that are open already. */
  opened: Map<string, Uvh5Data>
  open: OpenData
}

async function expectedCell(
  set: MeasurementSet,
  input: ReopenInput,
  cell: Cell,
): Promise<{ re: number; im: number; flagged: boolean }> {
  const { layout, metadata, rows } = set
  const freqHz = metadata.freqHz[cell.channel]
  const file = input.files[Math.floor(cell.channel / layout.tileChannels)]
  if (file === undefined) return { re: 0, im: 0, flagged: true }
  const [a, b] = [rows.antenna1[cell.row], rows.antenna2[cell.row]]
  const asListed = input.ant1[cell.row] === input.antennaNumbers[a] && input.ant2[cell.row] === input.antennaNumbers[b]
  const stokes = metadata.stokes[cell.pol]
  const code = aipsOfStokes.get(asListed ? stokes : transposed(stokes))
  const { re: x, im } = await readSample(file, cell, { freqHz, pol: input.polarizations.indexOf(code ?? 0) })
  const square = x * x + im * im
  if (!(square > 0 && square < LARGEST_SQUARE)) return { re: 0, im: 0, flagged: true }
  const y = asListed ? -im : im
  const frame = input.frames[input.integration[cell.row]]
  const turn = subtract(frame.s1, frame.s0)
  const [p, q] = [metadata.antennas[a].positionM, metadata.antennas[b].positionM]
  const path = (p[0] - q[0]) * turn[0] + (p[1] - q[1]) * turn[1] + (p[2] - q[2]) * turn[2]
  const phase = (-2 * Math.PI * freqHz * path) / SPEED_OF_LIGHT_M_S
  return {
    re: x * Math.cos(phase) - y * Math.sin(phase),
    im: x * Math.sin(phase) + y * Math.cos(phase),
    flagged: false,
  }
}

async function readSample(
  file: { path: string; freqHz: Float64Array },
  { row, opened, open }: Cell,
  { freqHz, pol }: { freqHz: number; pol: number },
): Promise<{ re: number; im: number }> {
  const data = opened.get(file.path) ?? (await open(file.path))
  opened.set(file.path, data)
  const vis = data.peekVis(row)
  const at = 2 * (file.freqHz.indexOf(freqHz) * data.polarizations + pol)
  return { re: vis[at], im: vis[at + 1] }
}

/** The casacore code of a correlation with its receptors exchanged: 6 and 7 (RL, LR), 10 and 11 (XY, YX). */
function transposed(stokes: number): number {
  return { 6: 7, 7: 6, 10: 11, 11: 10 }[stokes] ?? stokes
}
