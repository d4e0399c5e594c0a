/** Daily values of the Earth's orientation at 0h UTC, the first at `firstMjd` (MJD, UTC). */
export interface EarthOrientationTable {
  /** Where the values come from. */
  source: string
  firstMjd: number
  /** UT1 - UTC, s. */
  dut1S: readonly number[]
  /** Polar motion of the celestial intermediate pole, arcsec. */
  xpArcsec: readonly number[]
  ypArcsec: readonly number[]
}

/** The Earth's orientation at one time; `extrapolated` when the table does not reach it. */
export interface EarthOrientation {
  dut1S: number
  xpArcsec: number
  ypArcsec: number
  extrapolated: boolean
}

/** UT1 - UTC never moves by this much in a day unless a leap second lies between, s. */
const LEAP_STEP_S = 0.5

/**
 * UT1 - UTC and polar motion at `mjdUtc`, linear between the daily values. A leap second between two days is a step of
 * UTC, not of the Earth, and is taken out of the slope. Outside the table: its first or last value, marked.
 */
export function earthOrientationAt(table: EarthOrientationTable, mjdUtc: number): EarthOrientation {
  const last = table.dut1S.length - 1
  if (last < 0) throw new RangeError('the Earth-orientation table is empty')
  if (!Number.isFinite(mjdUtc)) throw new RangeError(`not a time: MJD ${mjdUtc}`)
  const position = mjdUtc - table.firstMjd
  const k = Math.min(Math.max(Math.floor(position), 0), Math.max(last - 1, 0))
  const f = Math.min(Math.max(position - k, 0), last === 0 ? 0 : 1)
  const next = Math.min(k + 1, last)
  const dut1S = table.dut1S[k]
  const step = table.dut1S[next] - dut1S
  // After the leap second the table is one second higher; at its very end (f = 1) the new value holds.
  const leap = Math.abs(step) > LEAP_STEP_S ? Math.sign(step) : 0
  return {
    dut1S: dut1S + f * (step - leap) + (f === 1 ? leap : 0),
    xpArcsec: interpolate(table.xpArcsec, k, next, f),
    ypArcsec: interpolate(table.ypArcsec, k, next, f),
    extrapolated: position < 0 || position > last,
  }
}

function interpolate(values: readonly number[], k: number, next: number, f: number): number {
  return values[k] + f * (values[next] - values[k])
}
