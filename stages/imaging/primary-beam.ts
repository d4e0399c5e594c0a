import { airyTable, beamScale, type BeamTrack } from '#runtime/sky/beam.ts'
import { ARCSEC_RAD } from '#runtime/sky/constants.ts'
import { toDirection, type Direction } from '#runtime/sky/frames.ts'
import { pixelToSky, type ImageWcs } from '#runtime/sky/projection.ts'
import { dot, fromSpherical, type Vec3 } from '#runtime/sky/vector.ts'

/** Spacing of the grid on which the beam is integrated: a hundredth of its width, so that bicubic errors stay below 1e-5. */
const gridArcsec = 112

/** The beam of one observation: where it pointed, and how much each integration and channel counts. */
export interface BeamWeights {
  track: BeamTrack
  freqHz: Float64Array
  /** (integrations, channels): summed weights of the unflagged data. */
  weights: Float64Array
  diameterM: number
}

/**
 * Mean primary beam of an observation over an image: sum of w A(theta_t, nu) over integrations and channels, over the sum
 * of w, with A = [2 J1(x)/x]^2, x = pi D sin(theta) nu / c. Integrated on a coarse grid, bicubic (Catmull-Rom) to pixels.
 *
 * @returns height x width, 0 to 1; NaN outside the celestial sphere
 */
export function primaryBeamImage(wcs: ImageWcs, beams: readonly BeamWeights[]): Float32Array {
  const step = Math.max(1, Math.round((gridArcsec * ARCSEC_RAD) / wcs.cellRad))
  // One node more on each side than the pixels need, for the four-point interpolation.
  const nx = Math.ceil((wcs.width - 1) / step) + 4
  const ny = Math.ceil((wcs.height - 1) / step) + 4
  const response = createBeamResponse(beams)
  const nodes = new Float64Array(nx * ny)
  for (let j = 0; j < ny; j += 1) {
    for (let i = 0; i < nx; i += 1) nodes[j * nx + i] = response(wcs, (i - 1) * step, (j - 1) * step)
  }
  return interpolateNodes(nodes, { nx, ny, step, width: wcs.width, height: wcs.height })
}

/** A function that integrates the mean beam at a pixel, which need not be a whole number. */
export function createBeamResponse(beams: readonly BeamWeights[]): (wcs: ImageWcs, x: number, y: number) => number {
  const parts = beams.map(createBeamSum)
  const total = beams.reduce((sum, { weights }) => sum + weights.reduce((a, b) => a + b, 0), 0)
  return (wcs, x, y) => {
    const l = (wcs.referenceX - x) * wcs.cellRad
    const m = (y - wcs.referenceY) * wcs.cellRad
    if (l * l + m * m >= 1) return Number.NaN
    const { raRad, decRad } = pixelToSky(wcs, x, y)
    const direction = fromSpherical(raRad, decRad)
    return parts.reduce((sum, part) => sum + part(direction), 0) / total
  }
}

function createBeamSum({ track, weights, freqHz, diameterM }: BeamWeights): (direction: Vec3) => number {
  const airy = airyTable()
  const channels = freqHz.length
  const scaleSquared = Float64Array.from(freqHz, (f) => beamScale(f, diameterM) ** 2)
  const centres = Array.from(track.raRad, (ra, k) => fromSpherical(ra, track.decRad[k]))
  return (direction) => {
    let sum = 0
    for (let k = 0; k < centres.length; k += 1) {
      const cosTheta = dot(direction, centres[k])
      if (cosTheta <= 0) continue
      const sinSquared = Math.max(0, 1 - cosTheta * cosTheta)
      for (let channel = 0; channel < channels; channel += 1) {
        const weight = weights[k * channels + channel]
        if (weight !== 0) sum += weight * airy(sinSquared * scaleSquared[channel])
      }
    }
    return sum
  }
}

/** Weighted mean position of the beam centre: mean of unit vectors, never of right ascensions. */
export function meanBeamCentre(beams: readonly BeamWeights[]): Direction {
  const sum = [0, 0, 0]
  for (const { track, weights, freqHz } of beams) {
    for (let k = 0; k < track.raRad.length; k += 1) {
      let weight = 0
      for (let c = 0; c < freqHz.length; c += 1) weight += weights[k * freqHz.length + c]
      fromSpherical(track.raRad[k], track.decRad[k]).forEach((component, i) => (sum[i] += weight * component))
    }
  }
  return toDirection([sum[0], sum[1], sum[2]])
}

interface NodeGrid {
  nx: number
  ny: number
  step: number
  width: number
  height: number
}

/** Catmull-Rom interpolation of nodes that begin one step outside of the image: rows first, then columns. */
function interpolateNodes(nodes: Float64Array, { nx, ny, step, width, height }: NodeGrid): Float32Array {
  const taps = Array.from({ length: step }, (_, k) => catmullRom(k / step))
  const rows = new Float64Array(ny * width)
  for (let j = 0; j < ny; j += 1) {
    for (let x = 0; x < width; x += 1) {
      const i = j * nx + Math.floor(x / step)
      const [a, b, c, d] = taps[x % step]
      rows[j * width + x] = a * nodes[i] + b * nodes[i + 1] + c * nodes[i + 2] + d * nodes[i + 3]
    }
  }
  const image = new Float32Array(width * height)
  for (let y = 0; y < height; y += 1) {
    const from = Math.floor(y / step) * width
    const [a, b, c, d] = taps[y % step]
    for (let x = 0; x < width; x += 1) {
      const i = from + x
      image[y * width + x] = a * rows[i] + b * rows[i + width] + c * rows[i + 2 * width] + d * rows[i + 3 * width]
    }
  }
  return image
}

function catmullRom(t: number): [number, number, number, number] {
  return [
    ((2 - t) * t - 1) * t * 0.5,
    ((3 * t - 5) * t * t + 2) * 0.5,
    ((4 - 3 * t) * t + 1) * t * 0.5,
    (t - 1) * t * t * 0.5,
  ]
}
