import { estimateBackground } from '#runtime/sky/background.ts'
import { findIslands, maskFromIslands, type Island } from '#runtime/sky/islands.ts'
import { isCovered, isFar, lobeAt, subtractPointSpread, type PointSpread } from './point-spread.ts'

/** A place with a flux density: the pixel index and the apparent flux density at it. */
export interface Peak {
  pixel: number
  fluxJy: number
}

/** A dirty or residual image with what is needed to judge its peaks. */
export interface SearchInput {
  image: Float32Array
  psf: PointSpread
  /** Seeds of islands, in units of the local noise. */
  maskSigma: number
  /** Major axis of the restoring beam, pixels: sets the boxes of the noise map. */
  beamPixels: number
  /** Sources subtracted from the visibilities: their imperfect removal explains faint peaks on their sidelobes. */
  removed?: readonly Peak[]
  /** Sources subtracted in the image: as above, but what the image of the dirty beam does not cover is still there. */
  cleaned?: readonly Peak[]
  /** 1 where sources are known: islands whose peak lies there are not new. */
  known?: Uint8Array
  /** Peaks below this are no sources. */
  floorJy?: number
}

export interface FirstPass {
  islands: Island[]
  /** Sources by image-plane CLEAN: per island the pixel of its peak and the sum of its components. */
  peaks: Peak[]
  residual: Float32Array
  rounds: number
}

/** An island counts when it exceeds the worst sidelobes of others, added up, by this factor. */
const sidelobeMargin = 1.3

/** So many of the worst lobes at a place may add up; the others are part of the noise map. */
const worstLobes = 4

/** Part of a sidelobe that a source subtracted from the visibilities with its drifting beam may leave. */
const removalError = 0.003

/** The same of a source subtracted in the image, near it and far from it, where the w-term moves its grating lobes. */
const nearCleanError = 0.05
const farCleanError = 0.7

/** Part of its peak that a pixel of a source needs: above the largest sidelobes (0.3), below half power. */
const corePart = 0.35

/** Depth below the brightest source at which the image-plane CLEAN is no longer trusted. */
const dynamicRange = 1 / 30

/** Growth of islands and their smallest size (validation uses the same for its catalogue). */
const growSigma = 4
const minPixels = 3

/** Boxes of the noise map and their distance, in beams. */
const boxBeams = 20
const stepBeams = 4

/** Rounds of find and subtract, and how deep each may clean below the peak it begins with. */
const maxRounds = 12
const roundDepth = 0.03
const minProgress = 0.9
const loopGain = 0.2
const maxComponents = 20_000

/** A CLEAN whose peak has grown by this factor is given up. */
const maxGrowth = 1.2

/** Windows are cleaned to this many times the noise; components are subtracted out to where they matter less. */
const stopSigma = 3
const floorSigma = 0.3

/** Windows are not cleaned below this part of the faintest source that may be accepted. */
const stopPart = 0.3

/**
 * Sources of a dirty image, found as a CLEAN would (Hogbom 1974) but in small windows: islands above the noise and above
 * the sidelobes of brighter islands are cleaned in the image plane, subtracted, and the next fainter ones are sought in
 * what is left. On a regular array an unmasked CLEAN takes grating lobes for sources and runs away; this cannot, as only
 * peaks that no known sidelobe explains open a window.
 */
export function findFirstPass(input: SearchInput): FirstPass {
  const { psf } = input
  const residual = input.image.slice()
  const windows = new Uint8Array(residual.length)
  const islands: Island[] = []
  const components = new Map<number, number>()
  let rounds = 0
  let levelJy = 0
  for (; rounds < maxRounds; rounds += 1) {
    const rms = noiseMap(residual, psf.width, input.beamPixels)
    const peaks = peaksOf(islands, components, psf.width)
    const search = { ...input, image: residual, cleaned: peaks, known: windows }
    const brightest = peaks.reduce((most, { fluxJy }) => Math.max(most, fluxJy), 0)
    const floorJy = Math.max(input.floorJy ?? 0, dynamicRange * brightest)
    const found = newIslands({ ...search, floorJy }, rms, { levelJy })
    const tried = windows.slice()
    openWindows(tried, found, psf)
    const noise = typicalNoise(rms)
    const cleaned = cleanWindows(residual, psf, {
      windows: tried,
      stopJy: Math.max(stopSigma * noise, stopPart * floorJy),
    })
    // Windows on false peaks make it run away: what this round opened is not trusted.
    if (cleaned.diverged) break
    const deeper = cleaned.levelJy < minProgress * levelJy
    levelJy = cleaned.levelJy
    if (found.length === 0 && !deeper) break
    islands.push(...found)
    windows.set(tried)
    for (const { pixel, fluxJy } of cleaned.components) {
      components.set(pixel, (components.get(pixel) ?? 0) + fluxJy)
      subtractPointSpread(residual, psf, { pixel, fluxJy, floorJy: floorSigma * noise })
    }
  }
  return { islands, peaks: peaksOf(islands, components, psf.width), residual, rounds }
}

/**
 * Islands that neither the noise nor known sidelobes explain: those of brighter islands, and those left by removed
 * sources, of which those cleaned in the image may still have `levelJy` there.
 */
export function newIslands(input: SearchInput, rms: Float32Array, { levelJy = 0 } = {}): Island[] {
  const { image, psf, maskSigma, removed = [], cleaned = [], known } = input
  const snr = image.map((value, i) => value / rms[i])
  const candidates = findIslands(snr, psf.width, psf.height, { seedSigma: maskSigma, growSigma, minPixels })
    .map((island) => coreOf(island, image, { width: psf.width, reach: input.beamPixels }))
    .filter(({ peak }) => peak.fluxJy > (input.floorJy ?? 0) && (known === undefined || known[peak.pixel] === 0))
    .sort((a, b) => b.peak.fluxJy - a.peak.fluxJy)
  const accepted: { island: Island; peak: Peak }[] = []
  for (const candidate of candidates) {
    const { pixel, fluxJy } = candidate.peak
    const worst: number[] = []
    let errorSquared = 0
    for (const { peak } of accepted) keepLargest(worst, peak.fluxJy * lobeAt(psf, peak.pixel, pixel), worstLobes)
    for (const source of removed) errorSquared += (removalError * source.fluxJy * lobeAt(psf, source.pixel, pixel)) ** 2
    for (const source of cleaned) {
      const lobe = lobeAt(psf, source.pixel, pixel)
      const left = isCovered(psf, source.pixel, pixel) ? levelJy : Math.abs(source.fluxJy)
      const far = isFar(psf, source.pixel, pixel)
      keepLargest(worst, (left + (far ? farCleanError * Math.abs(source.fluxJy) : 0)) * lobe, worstLobes)
      if (!far) errorSquared += (nearCleanError * source.fluxJy * lobe) ** 2
    }
    const sidelobes = worst.reduce((sum, value) => sum + value, 0)
    if (fluxJy > sidelobeMargin * sidelobes + Math.sqrt(errorSquared)) accepted.push(candidate)
  }
  return accepted.map(({ island }) => island)
}

/** Noise map of an image: 1.4826 MAD in boxes of 20 beams. */
export function noiseMap(image: Float32Array, width: number, beamPixels: number): Float32Array {
  const boxes = { boxPixels: boxBeams * beamPixels, stepPixels: stepBeams * beamPixels }
  return estimateBackground(image, width, image.length / width, boxes).rms
}

/**
 * The pixels of an island that touch its brightest one, at most a beam away and above the level of sidelobes: in a dirty
 * image the sidelobes of a bright source join its island, and a source among them shows itself once that is subtracted.
 */
function coreOf(
  island: Island,
  image: Float32Array,
  { width, reach }: { width: number; reach: number },
): { island: Island; peak: Peak } {
  let best = island.pixels[0]
  for (const pixel of island.pixels) if (image[pixel] > image[best]) best = pixel
  const belongs = (pixel: number): boolean =>
    image[pixel] >= corePart * image[best] &&
    Math.hypot((pixel % width) - (best % width), Math.floor(pixel / width) - Math.floor(best / width)) <= reach
  const open = new Set(Array.from(island.pixels).filter(belongs))
  const pixels: number[] = []
  const stack = [best]
  open.delete(best)
  for (let pixel = stack.pop(); pixel !== undefined; pixel = stack.pop()) {
    pixels.push(pixel)
    for (const row of [-width, 0, width]) {
      for (const column of [-1, 0, 1]) if (open.delete(pixel + row + column)) stack.push(pixel + row + column)
    }
  }
  const core = { ...island, pixels: Int32Array.from(pixels).sort(), peakIndex: best }
  return { island: core, peak: { pixel: best, fluxJy: image[best] } }
}

function typicalNoise(rms: Float32Array): number {
  const sample = rms.filter((value, i) => i % 101 === 0 && Number.isFinite(value)).sort()
  return sample.length === 0 ? Number.NaN : sample[sample.length >> 1]
}

function openWindows(windows: Uint8Array, islands: readonly Island[], { width, height }: PointSpread): void {
  const mask = maskFromIslands(islands, width, height, 1)
  for (let i = 0; i < mask.length; i += 1) if (mask[i] === 1) windows[i] = 1
}

/** Hogbom CLEAN that looks at window pixels only, down to `roundDepth` of the first peak or to `stopJy`. */
function cleanWindows(
  image: Float32Array,
  psf: PointSpread,
  { windows, stopJy }: { windows: Uint8Array; stopJy: number },
): { components: Peak[]; levelJy: number; diverged: boolean } {
  const { width, height, data } = psf
  const pixels = Int32Array.from(indicesOf(windows))
  const xs = pixels.map((pixel) => pixel % width)
  const ys = pixels.map((pixel) => Math.floor(pixel / width))
  const values = Float64Array.from(pixels, (pixel) => image[pixel])
  const components = new Map<number, number>()
  let limit = 0
  let startJy = 0
  let levelJy = 0
  for (let n = 0; n < maxComponents; n += 1) {
    let best = -1
    for (let i = 0; i < values.length; i += 1) {
      if (best < 0 || Math.abs(values[i]) > Math.abs(values[best])) best = i
    }
    if (best < 0) break
    levelJy = Math.abs(values[best])
    if (n === 0) startJy = levelJy
    limit = Math.max(stopJy, roundDepth * startJy)
    if (!(levelJy > limit)) break
    if (levelJy > maxGrowth * startJy) return { components: [], levelJy, diverged: true }
    const flux = loopGain * values[best]
    components.set(pixels[best], (components.get(pixels[best]) ?? 0) + flux)
    const shiftX = width / 2 - xs[best]
    const shiftY = height / 2 - ys[best]
    for (let i = 0; i < values.length; i += 1) {
      const x = xs[i] + shiftX
      const y = ys[i] + shiftY
      if (x >= 0 && x < width && y >= 0 && y < height) values[i] -= flux * data[y * width + x]
    }
  }
  return { components: Array.from(components, ([pixel, fluxJy]) => ({ pixel, fluxJy })), levelJy, diverged: false }
}

function indicesOf(mask: Uint8Array): number[] {
  const indices: number[] = []
  for (let i = 0; i < mask.length; i += 1) if (mask[i] === 1) indices.push(i)
  return indices
}

/** Flux densities of islands at their peaks: components lie on an island or on the pixels around it. */
function peaksOf(islands: readonly Island[], components: ReadonlyMap<number, number>, width: number): Peak[] {
  const sums = islands.map((island) => ({ pixel: island.peakIndex, fluxJy: 0 }))
  const owner = new Map<number, number>()
  islands.forEach((island, k) => island.pixels.forEach((pixel) => owner.set(pixel, k)))
  const steps = [0, -1, 1, -width, width]
  for (const [pixel, fluxJy] of components) {
    const found = steps.map((step) => owner.get(pixel + step)).find((k) => k !== undefined)
    if (found !== undefined) sums[found].fluxJy += fluxJy
  }
  return sums
}

/** Adds a value to a short list of the largest, in falling order. */
function keepLargest(kept: number[], value: number, count: number): void {
  if (kept.length === count && value <= kept[count - 1]) return
  const place = kept.findIndex((other) => other < value)
  kept.splice(place < 0 ? kept.length : place, 0, value)
  if (kept.length > count) kept.pop()
}
