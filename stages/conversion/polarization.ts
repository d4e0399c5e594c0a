/** casacore's Stokes codes of the AIPS codes of UVH5 files: RR LL RL LR and XX YY XY YX. */
const stokesOfAips: ReadonlyMap<number, number> = new Map([
  [-1, 5],
  [-2, 8],
  [-3, 6],
  [-4, 7],
  [-5, 9],
  [-6, 12],
  [-7, 10],
  [-8, 11],
])

/** How the correlations of a file go into a MeasurementSet. */
export interface PolarizationOrder {
  /** casacore codes, ascending: the order of the output. */
  stokes: number[]
  /** Index in the file of each output correlation. */
  direct: Int32Array
  /** The same for rows whose antennas are swapped: XY and YX change places. */
  swapped: Int32Array
}

/** Orders the correlations of a UVH5 file (AIPS codes) as casacore wants them. */
export function polarizationOrder(polarizations: Int32Array): PolarizationOrder {
  const codes = Array.from(polarizations, (code) => {
    const stokes = stokesOfAips.get(code)
    if (stokes === undefined) throw new RangeError(`polarization ${code} is neither linear nor circular`)
    return stokes
  })
  const stokes = [...codes].sort((a, b) => a - b)
  const indices = (wanted: readonly number[]): Int32Array => Int32Array.from(wanted, (code) => codes.indexOf(code))
  return { stokes, direct: indices(stokes), swapped: indices(stokes.map(exchanged)) }
}

/** The correlation of the same receptors with the antennas exchanged: XY and YX, RL and LR change places. */
function exchanged(code: number): number {
  if (code === 6 || code === 10) return code + 1
  if (code === 7 || code === 11) return code - 1
  return code
}
