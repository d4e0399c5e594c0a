import type { Check } from '#runtime/stage/quality.ts'
import { grade } from './grade.ts'
import type { Limits } from './limits.ts'
import { twoSidedChance } from './line.ts'
import type { ImageSource } from './sources.ts'

/** Integral source counts at 1.4 GHz: flux density (mJy) and sources above it per square degree (de Zotti et al. 2010). */
const INTEGRAL_COUNTS: readonly (readonly [number, number])[] = [
  [2.5, 44],
  [5, 28],
  [10, 17],
  [20, 8.5],
  [50, 3.8],
  [100, 1.6],
  [500, 0.23],
  [1000, 0.07],
]
/** Euclidean differential counts at 1.4 GHz: log10 S (Jy) and S^2.5 dN/dS, Jy^1.5 / sr (White et al. 1997). */
const DIFFERENTIAL_COUNTS: readonly (readonly [number, number])[] = [
  [-2.5, 15.4],
  [-2, 42],
  [-1.5, 115],
  [-1, 224],
  [-0.5, 306],
  [0, 287],
]
const COUNT_FREQ_HZ = 1.4e9
const BIN_DEX = 0.2
const MIN_PER_BIN = 5
const SR_PER_DEG2 = (Math.PI / 180) ** 2

/** Sources per square degree above a flux density at 1.4 GHz; power laws between and beyond the table. */
export function integralCounts(fluxMjy: number): number {
  return Math.exp(
    interpolate(
      INTEGRAL_COUNTS.map(([s, n]) => [Math.log(s), Math.log(n)] as const),
      Math.log(fluxMjy),
    ),
  )
}

/** Depth of an image: the area (square degrees) in which a source of a true flux density exceeds 1 local sigma, as a sample of pixels. */
export interface Depth {
  /** Local noise over mean beam, Jy, one value a sampled pixel, ascending. */
  limitsJy: Float64Array
  /** Area of one sampled pixel. */
  deg2: number
}

/** Samples the depth on every n-th pixel, at most about 65,000 of them. */
export function sampleDepth(
  planes: { rms: Float32Array; primaryBeam: Float32Array; covered: Uint8Array; width: number },
  cellRad: number,
): Depth {
  const { rms, primaryBeam, covered, width } = planes
  const height = rms.length / width
  const step = Math.max(1, Math.round(Math.sqrt(rms.length) / 256))
  const limits: number[] = []
  for (let y = step >> 1; y < height; y += step) {
    for (let x = step >> 1; x < width; x += step) {
      const i = y * width + x
      if (covered[i] === 1 && rms[i] > 0) limits.push(rms[i] / primaryBeam[i])
    }
  }
  return { limitsJy: Float64Array.from(limits).sort(), deg2: ((step * cellRad * 180) / Math.PI) ** 2 }
}

/** How many sources a field ought to show above `snr` local sigma and above a catalogue's limit. */
export function expectedDetections(
  depth: Depth,
  options: { snr: number; floorMjy: number; freqHz: number; spectralIndex: number },
): number {
  const scale = (COUNT_FREQ_HZ / options.freqHz) ** options.spectralIndex
  let expected = 0
  for (const limitJy of depth.limitsJy) {
    const fluxMjy = Math.max(options.floorMjy, options.snr * limitJy * 1000) * scale
    expected += integralCounts(fluxMjy) * depth.deg2
  }
  return expected
}

export interface CountBin {
  fluxJy: number
  n: number
  /** S^2.5 dN/dS, Jy^1.5 / sr. */
  count: number
  eCount: number
  expected: number
}

/** Euclidean differential counts of the sources, each weighted by the area in which it could be seen. */
export function sourceCounts(
  sources: readonly Pick<ImageSource, 'snr' | 'integratedJy'>[],
  depth: Depth,
  options: { seedSigma: number; freqHz: number; spectralIndex: number },
): CountBin[] {
  const scale = (COUNT_FREQ_HZ / options.freqHz) ** options.spectralIndex
  const bins = new Map<number, { n: number; sum: number; sum2: number }>()
  for (const source of sources) {
    const fluxJy = source.integratedJy
    const area = areaOf(depth, fluxJy / options.seedSigma) * SR_PER_DEG2
    const completeness = 1 - twoSidedChance(Math.max(0, source.snr - options.seedSigma)) / 2
    if (!(fluxJy > 0) || area === 0) continue
    const bin = Math.floor(Math.log10(fluxJy * scale) / BIN_DEX)
    const weight = 1 / (area * completeness)
    const sum = bins.get(bin) ?? { n: 0, sum: 0, sum2: 0 }
    bins.set(bin, { n: sum.n + 1, sum: sum.sum + weight, sum2: sum.sum2 + weight * weight })
  }
  const first = DIFFERENTIAL_COUNTS[0][0]
  const last = DIFFERENTIAL_COUNTS[DIFFERENTIAL_COUNTS.length - 1][0]
  return [...bins]
    .sort(([a], [b]) => a - b)
    .flatMap(([bin, { n, sum, sum2 }]): CountBin[] => {
      const centre = (bin + 0.5) * BIN_DEX
      if (n < MIN_PER_BIN || centre < first || centre > last) return []
      const fluxJy = 10 ** centre
      const width = 10 ** ((bin + 1) * BIN_DEX) - 10 ** (bin * BIN_DEX)
      const toCount = fluxJy ** 2.5 / width
      const expected = Math.exp(
        interpolate(
          DIFFERENTIAL_COUNTS.map(([s, c]) => [s, Math.log(c)] as const),
          centre,
        ),
      )
      return [{ fluxJy, n, count: sum * toCount, eCount: Math.sqrt(sum2) * toCount, expected }]
    })
}

/** The check of the source counts. */
export function countsCheck(bins: readonly CountBin[], limits: Limits): Check {
  const chi2 = bins.reduce((sum, { count, eCount, expected }) => sum + ((count - expected) / eCount) ** 2, 0)
  return grade(
    'sourceCounts',
    { graded: chi2 / bins.length, n: bins.length, message: `${bins.length} bins of at least ${MIN_PER_BIN} sources.` },
    limits,
  )
}

/** Area (square degrees) in which the limit is at most `limitJy`. */
function areaOf({ limitsJy, deg2 }: Depth, limitJy: number): number {
  let low = 0
  let high = limitsJy.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (limitsJy[middle] <= limitJy) low = middle + 1
    else high = middle
  }
  return low * deg2
}

function interpolate(table: readonly (readonly [number, number])[], x: number): number {
  let k = 0
  while (k < table.length - 2 && x > table[k + 1][0]) k++
  const [x0, y0] = table[k]
  const [x1, y1] = table[k + 1]
  return y0 + ((x - x0) / (x1 - x0)) * (y1 - y0)
}
