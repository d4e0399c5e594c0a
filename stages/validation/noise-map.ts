import { median } from '#runtime/numeric/statistics.ts'
import type { Field } from './field.ts'

const BINS_PER_DECADE = 40
const RINGS = 16
/** Enough pixels for a smooth map. */
const SAMPLES = 200_000

/** Covered pixels of a noise map in logarithmic bins, Jy/beam; empty bins at both ends are left out. */
export function noiseMapHistogram(
  rms: Float32Array,
  covered: Uint8Array,
): { low: number; high: number; count: number }[] {
  const counts = new Map<number, number>()
  const stride = Math.max(1, Math.floor(rms.length / SAMPLES)) | 1
  for (let i = 0; i < rms.length; i += stride) {
    if (covered[i] === 0 || !(rms[i] > 0)) continue
    const bin = Math.floor(Math.log10(rms[i]) * BINS_PER_DECADE)
    counts.set(bin, (counts.get(bin) ?? 0) + 1)
  }
  if (counts.size === 0) return []
  const first = Math.min(...counts.keys())
  const last = Math.max(...counts.keys())
  return Array.from({ length: last - first + 1 }, (_, k) => ({
    low: 10 ** ((first + k) / BINS_PER_DECADE),
    high: 10 ** ((first + k + 1) / BINS_PER_DECADE),
    count: counts.get(first + k) ?? 0,
  }))
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
