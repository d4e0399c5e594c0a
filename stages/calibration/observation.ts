import { SPEED_OF_LIGHT_M_S } from '#runtime/sky/constants.ts'

/** Width of a correlator subband, Hz: 48 channels of 244.140625 kHz (12 of 976.5625 kHz in reduced observations). */
const SUBBAND_WIDTH_HZ = 11718750

/** The row-indexed facts an observation is indexed from. */
export interface RowTable {
  timeMjdS: ArrayLike<number>
  antenna1: ArrayLike<number>
  antenna2: ArrayLike<number>
  uvwM: ArrayLike<number>
}

/**
 * Where everything is in a row-ordered observation. A slot is one baseline, autocorrelations included, in the order of
 * their first rows; `baselines` are the slots of two different antennas; antennas are numbered 0..n-1 in the order of
 * the ANTENNA table, absent ones left out.
 */
export interface ObservationIndex {
  readonly integrations: number
  readonly slots: number
  /** (integrations, slots): row, or -1 where a baseline has no row. */
  readonly rowOf: Int32Array
  /** (slots): baseline of a slot, -1 for autocorrelations. */
  readonly baselineOfSlot: Int32Array
  readonly baselines: number
  /** (baselines): present-antenna numbers and slot of each baseline. */
  readonly antenna1: Int32Array
  readonly antenna2: Int32Array
  readonly slotOfBaseline: Int32Array
  /** (slots): present-antenna numbers. */
  readonly slotAntenna1: Int32Array
  readonly slotAntenna2: Int32Array
  /** (antennas): row of the ANTENNA table of each present antenna. */
  readonly antennas: Int32Array
  /** (integrations) mid-points, MJD seconds UTC. */
  readonly timeMjdS: Float64Array
  /** (rows): integration of each row. */
  readonly integrationOfRow: Int32Array
}

/** Indexes the rows of an observation by integration and baseline. Rows may come in any order; times must be grouped. */
export function indexObservation(rows: RowTable): ObservationIndex {
  const count = rows.timeMjdS.length
  const timeMjdS = Float64Array.from(new Set(Array.from(rows.timeMjdS))).sort()
  const integrationOf = new Map(Array.from(timeMjdS, (time, k) => [time, k]))
  const present = [...new Set([...Array.from(rows.antenna1), ...Array.from(rows.antenna2)])].sort((a, b) => a - b)
  const numberOf = new Map(present.map((antenna, k) => [antenna, k]))
  const slotOf = new Map<number, number>()
  const pairs: [number, number][] = []
  const slotOfRow = new Int32Array(count)
  for (let row = 0; row < count; row++) {
    const a = numberOf.get(rows.antenna1[row])!
    const b = numberOf.get(rows.antenna2[row])!
    const id = a * present.length + b
    let slot = slotOf.get(id)
    if (slot === undefined) {
      slot = pairs.length
      slotOf.set(id, slot)
      pairs.push([a, b])
    }
    slotOfRow[row] = slot
  }
  const slots = pairs.length
  const rowOf = new Int32Array(timeMjdS.length * slots).fill(-1)
  const integrationOfRow = new Int32Array(count)
  for (let row = 0; row < count; row++) {
    const k = integrationOf.get(rows.timeMjdS[row])!
    integrationOfRow[row] = k
    rowOf[k * slots + slotOfRow[row]] = row
  }
  const cross = pairs.flatMap(([a, b], slot) => (a === b ? [] : [slot]))
  const baselineOfSlot = new Int32Array(slots).fill(-1)
  cross.forEach((slot, baseline) => (baselineOfSlot[slot] = baseline))
  return {
    integrations: timeMjdS.length,
    slots,
    rowOf,
    baselineOfSlot,
    baselines: cross.length,
    antenna1: Int32Array.from(cross, (slot) => pairs[slot][0]),
    antenna2: Int32Array.from(cross, (slot) => pairs[slot][1]),
    slotOfBaseline: Int32Array.from(cross),
    slotAntenna1: Int32Array.from(pairs, ([a]) => a),
    slotAntenna2: Int32Array.from(pairs, ([, b]) => b),
    antennas: Int32Array.from(present),
    timeMjdS,
    integrationOfRow,
  }
}

/** Channels of one subband: the width of a subband over that of a channel, else all of them. */
export function channelsPerSubband(channels: number, channelWidthHz: number): number {
  const count = Math.round(SUBBAND_WIDTH_HZ / Math.abs(channelWidthHz))
  return count >= 1 && count <= channels && channels % count === 0 ? count : channels
}

/** Channels to average: the largest divisor of the channels of a subband whose width stays within `averageToHz`. */
export function channelsToAverage(perSubband: number, channelWidthHz: number, averageToHz: number): number {
  let best = 1
  for (let n = 1; n <= perSubband; n++) {
    if (perSubband % n === 0 && n * Math.abs(channelWidthHz) <= averageToHz * (1 + 1e-9)) best = n
  }
  return best
}

/** First integrations of equal time bins of about `perBin` integrations, and the end: (bins + 1). */
export function timeBins(integrations: number, perBin: number): Int32Array {
  const bins = Math.max(1, Math.round(integrations / perBin))
  return Int32Array.from({ length: bins + 1 }, (_, b) => Math.round((b * integrations) / bins))
}

/** Projected length of each baseline at mid-observation, in wavelengths of `freqHz`. */
export function baselineLengths(index: ObservationIndex, uvwM: ArrayLike<number>, freqHz: number): Float64Array {
  const middle = index.integrations >> 1
  return Float64Array.from(index.slotOfBaseline, (slot) => {
    let row = index.rowOf[middle * index.slots + slot]
    for (let k = 0; row < 0 && k < index.integrations; k++) row = index.rowOf[k * index.slots + slot]
    return (Math.hypot(uvwM[3 * row], uvwM[3 * row + 1]) * freqHz) / SPEED_OF_LIGHT_M_S
  })
}
