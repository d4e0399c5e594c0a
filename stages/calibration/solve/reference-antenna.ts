import { wrapPi } from '#runtime/sky/projection.ts'
import { isFlagged, solutionFlag } from './bandpass.ts'

/** Outriggers in the order in which equals are preferred (operational habit of the telescope). */
const OUTRIGGER_CHAIN = [
  '104',
  '105',
  '106',
  '107',
  '108',
  '109',
  '110',
  '111',
  '112',
  '113',
  '114',
  '115',
  '116',
  '103',
  '117',
]
/** Health is compared in steps of one per cent of flagged data, so that noise does not decide. */
const HEALTH_STEP = 0.01

export interface ReferenceInput {
  /** Names of the present antennas. */
  names: readonly string[]
  /** (antennas) flagged part of the data, both polarisations. */
  flagged: ArrayLike<number>
  /** (antennas) bits of dead polarisations. */
  dead: ArrayLike<number>
  /** Names asked for, best first; empty: automatic. */
  wanted: readonly string[]
}

/**
 * Present antennas in the order in which they serve as reference. Those asked for come first; then outriggers (they keep
 * all baselines under a uv cut) with both polarisations alive by flagged fraction and chain, then the others likewise;
 * antennas with a dead polarisation last.
 */
export function referenceOrder({ names, flagged, dead, wanted }: ReferenceInput): number[] {
  const rank = names.map((name, a) => {
    const asked = wanted.indexOf(name)
    const chain = OUTRIGGER_CHAIN.indexOf(name)
    return [
      dead[a] === 0 ? 0 : 1,
      asked < 0 ? wanted.length : asked,
      chain < 0 ? 1 : 0,
      Math.floor(flagged[a] / HEALTH_STEP),
      chain < 0 ? a : chain,
    ]
  })
  return names
    .map((_, a) => a)
    .sort((a, b) => {
      for (let k = 0; k < rank[a].length; k++) if (rank[a][k] !== rank[b][k]) return rank[a][k] - rank[b][k]
      return a - b
    })
}

/** Solutions along one axis (channels or bins) of one polarisation, reached through `at(antenna, cell)`. */
export interface SolutionAxis {
  antennas: number
  cells: number
  at: (antenna: number, cell: number) => number
  /** re/im */
  value: Float64Array
  flags: Uint8Array
}

export interface Referenced {
  /** The antenna that all cells refer to. */
  reference: number
  /** (cells): antenna that gave the phase, -1 where none could. */
  by: Int32Array
}

/** Part of the cells that a reference antenna must have a solution in. */
const REFERENCE_COVERAGE = 0.9

/**
 * Turns each cell so that the reference antenna r has phase 0: g_i <- g_i conj(g_r) / |g_r|; r is the first antenna of
 * `order` with a solution in 90 % of the cells that have any. Cells without it use the next antenna that has a solution
 * there and a phase relative to r in other cells, interpolated between the nearest of them (the shorter arc; CASA
 * refantmode flex). Cells without any are flagged.
 */
export function referencePhases(axis: SolutionAxis, order: readonly number[]): Referenced {
  const { cells } = axis
  const first = chooseReference(axis, order)
  const by = new Int32Array(cells).fill(-1)
  for (let cell = 0; cell < cells; cell++) {
    if (isFlagged(axis.flags[axis.at(first, cell)])) continue
    turn(axis, cell, -phase(axis, first, cell))
    by[cell] = first
  }
  for (let cell = 0; cell < cells; cell++) {
    if (by[cell] === first || isEmpty(axis, cell)) continue
    const found = order.find((antenna) => {
      if (antenna === first || isFlagged(axis.flags[axis.at(antenna, cell)])) return false
      const target = relativePhase(axis, antenna, { cell, by, first })
      if (target === undefined) return false
      turn(axis, cell, target - phase(axis, antenna, cell))
      return true
    })
    if (found === undefined) flagCell(axis, cell)
    else by[cell] = found
  }
  return { reference: first, by }
}

function chooseReference(axis: SolutionAxis, order: readonly number[]): number {
  const cells = Array.from({ length: axis.cells }, (_, cell) => cell).filter((cell) => !isEmpty(axis, cell))
  const covered = order.map((antenna) => cells.filter((cell) => !isFlagged(axis.flags[axis.at(antenna, cell)])).length)
  const enough = covered.findIndex((count) => count >= REFERENCE_COVERAGE * cells.length)
  return order[enough >= 0 ? enough : covered.indexOf(Math.max(...covered))]
}

/** Phase of an antenna relative to the first reference at a cell, from the nearest cells that hold both. */
function relativePhase(
  axis: SolutionAxis,
  antenna: number,
  { cell, by, first }: { cell: number; by: Int32Array; first: number },
): number | undefined {
  const usable = (c: number): boolean => by[c] === first && !isFlagged(axis.flags[axis.at(antenna, c)])
  let left = cell - 1
  while (left >= 0 && !usable(left)) left--
  let right = cell + 1
  while (right < axis.cells && !usable(right)) right++
  if (left < 0 && right >= axis.cells) return undefined
  if (left < 0) return phase(axis, antenna, right)
  if (right >= axis.cells) return phase(axis, antenna, left)
  const start = phase(axis, antenna, left)
  return start + ((cell - left) / (right - left)) * wrapPi(phase(axis, antenna, right) - start)
}

function phase({ at, value }: SolutionAxis, antenna: number, cell: number): number {
  const k = at(antenna, cell)
  return Math.atan2(value[2 * k + 1], value[2 * k])
}

function turn({ antennas, at, value }: SolutionAxis, cell: number, angle: number): void {
  const cos = Math.cos(angle)
  const sin = Math.sin(angle)
  for (let a = 0; a < antennas; a++) {
    const k = at(a, cell)
    const re = value[2 * k]
    const im = value[2 * k + 1]
    value[2 * k] = re * cos - im * sin
    value[2 * k + 1] = re * sin + im * cos
  }
}

function isEmpty({ antennas, at, flags }: SolutionAxis, cell: number): boolean {
  for (let a = 0; a < antennas; a++) if (!isFlagged(flags[at(a, cell)])) return false
  return true
}

function flagCell({ antennas, at, flags }: SolutionAxis, cell: number): void {
  for (let a = 0; a < antennas; a++) flags[at(a, cell)] |= solutionFlag.noReference
}
