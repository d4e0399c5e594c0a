/** Bins by the top 16 bits of float32 power: 128 an octave, 0.3 % in amplitude each. */
export const POWER_BINS = 1 << 15

export interface HistogramRange {
  lowest: number
  highest: number
  samples: number
}

const bitsOf = new Uint32Array(1)
const floatOf = new Float32Array(bitsOf.buffer)

/**
 * Median and median absolute deviation of amplitudes, from the histogram of their powers by the top 16 bits of the float32.
 * The median is interpolated within its bin (error below 0.1 %), the deviation is a multiple of the bins.
 */
export function histogramStatistics(
  histogram: Uint32Array,
  { lowest, highest, samples }: HistogramRange,
): { centre: number; deviation: number } {
  const half = samples / 2
  let bin = lowest
  let below = 0
  while (bin < highest && below + histogram[bin] < half) below += histogram[bin++]
  const low = binEdge(bin)
  const centre = Math.sqrt(low + ((half - below) / histogram[bin]) * (binEdge(bin + 1) - low))
  // Outwards from the median, always taking the bin that is nearer, until half of the samples are inside.
  let down = bin
  let up = bin + 1
  let inside = 0
  let deviation = 0
  while (inside < half && (down >= lowest || up <= highest)) {
    const toDown = down >= lowest ? centre - binCentre(down) : Infinity
    const toUp = up <= highest ? binCentre(up) - centre : Infinity
    if (toDown <= toUp) inside += histogram[down--]
    else inside += histogram[up++]
    deviation = Math.max(deviation, Math.min(toDown, toUp))
  }
  return { centre, deviation }
}

/** Lower edge in power of a histogram bin. */
function binEdge(bin: number): number {
  bitsOf[0] = bin << 16
  return floatOf[0]
}

/** Amplitude at the middle of a histogram bin. */
function binCentre(bin: number): number {
  return Math.sqrt(0.5 * (binEdge(bin) + binEdge(bin + 1)))
}
