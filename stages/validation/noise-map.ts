import { median, quantile } from '#runtime/numeric/statistics.ts'
import type { Field } from './field.ts'

const BINS = 40
const RINGS = 16
/** Enough pixels for a smooth map. */
const SAMPLES = 200_000

/** Covered pixels of a noise map in equal bins, Jy/beam; the lowest and highest half per cent share the outermost bins. */
export function noiseMapHistogram(
  rms: Float32Array,
  covered: Uint8Array,
): { low: number; high: number; count: number }[] {
  const stride = Math.max(1, Math.floor(rms.length / SAMPLES)) | 1
  const values: number[] = []
  for (let i = 0; i < rms.length; i += stride) if (covered[i] === 1 && rms[i] > 0) values.push(rms[i])
  if (values.length === 0) return []
  const centre = median(values)
  const low = Math.min(quantile(values, 0.005), 0.9 * centre)
  const high = Math.max(quantile(values, 0.995), 1.1 * centre)
  const width = (high - low) / BINS
  const counts = Array.from({ length: BINS }, () => 0)
  for (const value of values) counts[Math.min(BINS - 1, Math.max(0, Math.floor((value - low) / width)))]++
  return counts.map((count, k) => ({ low: low + k * width, high: low + (k + 1) * width, count }))
}

/** Median of the noise map in rings of equal width around the reference pixel. */
export function noiseRings(rms: Float32Array, { covered, width, wcs }: Field): { radiusDeg: number; rmsJy: number }[] {
  const stride = Math.max(1, Math.floor(rms.length / SAMPLES)) | 1
  const samples: { radius: number; rms: number }[] = []
  for (let i = 0; i < rms.length; i += stride) {
    if (covered[i] === 0 || !(rms[i] > 0)) continue
    const radius = Math.hypot((i % width) - wcs.referenceX, Math.floor(i / width) - wcs.referenceY) * wcs.cellRad
    samples.push({ radius, rms: rms[i] })
  }
  const reach = samples.reduce((largest, { radius }) => Math.max(largest, radius), 0)
  const rings = Array.from({ length: RINGS }, (): number[] => [])
  for (const sample of samples) rings[Math.min(RINGS - 1, Math.floor((sample.radius / reach) * RINGS))].push(sample.rms)
  return rings.flatMap((values, k) =>
    values.length === 0 ? [] : [{ radiusDeg: (((k + 0.5) / RINGS) * reach * 180) / Math.PI, rmsJy: median(values) }],
  )
}
