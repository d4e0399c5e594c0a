import { SPEED_OF_LIGHT_M_S } from '#runtime/sky/constants.ts'
import type { BeamTrack } from '#runtime/sky/beam.ts'
import { fluxAt, type SkySource } from '#runtime/sky/calibrators.ts'
import type { Direction } from '#runtime/sky/frames.ts'
import { addFringe, apparentFlux, channelRuns, sourceOffsets } from '#runtime/sky/predict.ts'
import { sinDeproject, sinProject } from '#runtime/sky/projection.ts'

/** Rows of visibilities, Stokes I, of some channels. */
export interface VisibilityBlock {
  rows: number
  /** (rows, 3), metres. */
  uvwM: Float64Array
  /** Index of each row into the beam track. */
  integration: Int32Array
  /** (rows, channels, re/im), Jy. */
  stokesI: Float32Array
  /** (rows, channels); 0 where flagged. */
  weight: Float32Array
}

/** Where and when the visibilities were taken. */
export interface VisibilityFrame {
  phaseCentre: Direction
  beam: BeamTrack
  freqHz: Float64Array
}

/** Sums per source: gradient and normal matrix of (flux, slope) and of (l, m); the other pairs do not couple. */
const sumsPerSource = 10

/** Largest part of a source that one step of the fit may change, and the largest change of its spectral index. */
const maxFluxStep = 0.5
const maxIndexStep = 1

/** Spectral indices are held within this range: a fit on a faint source may not run away. */
const indexRange: readonly [number, number] = [-3, 3]

/**
 * One Gauss-Newton step towards flux densities, spectral indices and positions of point sources that drift through the
 * beam: V = sum S (nu/nu0)^a A(theta(t), nu) exp(2 pi i nu/c (u l + v m + w (n - 1))). Sources are solved one by one against
 * the residual of all, which converges because they hardly overlap in the visibilities.
 *
 * Call `add` with every block, then `solve`.
 */
export function createBrightFit(
  sources: readonly SkySource[],
  frame: VisibilityFrame,
): {
  add(block: VisibilityBlock): void
  /** Weighted sum of squared residuals of the sources that the step starts from. */
  chi2(): number
  solve(maxShiftRad: number): SkySource[]
} {
  const { freqHz, beam, phaseCentre } = frame
  const channels = freqHz.length
  const integrations = beam.raRad.length
  const amplitudes = apparentFlux({ sources, beam, freqHz })
  const offsets = sourceOffsets(sources, phaseCentre)
  const runs = channelRuns(freqHz)
  const referenceHz = meanOf(freqHz)
  const logFrequency = Float64Array.from(freqHz, (f) => Math.log(f / referenceHz))
  const waveNumber = Float64Array.from(freqHz, (f) => (2 * Math.PI * f) / SPEED_OF_LIGHT_M_S)
  const fringes = sources.map(() => new Float64Array(2 * channels))
  const residual = new Float64Array(2 * channels)
  const sums = new Float64Array(sources.length * sumsPerSource)
  let chi2 = 0
  return {
    add({ rows, uvwM, integration, stokesI, weight }) {
      for (let r = 0; r < rows; r += 1) {
        const [u, v, w] = [uvwM[3 * r], uvwM[3 * r + 1], uvwM[3 * r + 2]]
        for (let i = 0; i < 2 * channels; i += 1) residual[i] = stokesI[2 * channels * r + i]
        for (let s = 0; s < sources.length; s += 1) {
          const fringe = fringes[s].fill(0)
          const pathM = u * offsets[3 * s] + v * offsets[3 * s + 1] + w * offsets[3 * s + 2]
          const from = (s * integrations + integration[r]) * channels
          for (const run of runs) addFringe(fringe, run, { pathM, amplitudes, from })
          for (let i = 0; i < 2 * channels; i += 1) residual[i] -= fringe[i]
        }
        for (let c = 0; c < channels; c += 1) {
          const weightC = weight[r * channels + c]
          if (weightC !== 0) chi2 += weightC * (residual[2 * c] ** 2 + residual[2 * c + 1] ** 2)
        }
        for (let s = 0; s < sources.length; s += 1) {
          const fringe = fringes[s]
          let [power, powerLog, powerLog2, real, realLog, imag, wave2] = [0, 0, 0, 0, 0, 0, 0]
          for (let c = 0; c < channels; c += 1) {
            const weightC = weight[r * channels + c]
            if (weightC === 0) continue
            const [a, b, x, y] = [fringe[2 * c], fringe[2 * c + 1], residual[2 * c], residual[2 * c + 1]]
            const square = weightC * (a * a + b * b)
            const inPhase = weightC * (a * x + b * y)
            const slope = logFrequency[c]
            power += square
            powerLog += square * slope
            powerLog2 += square * slope * slope
            real += inPhase
            realLog += inPhase * slope
            imag += weightC * (a * y - b * x) * waveNumber[c]
            wave2 += square * waveNumber[c] * waveNumber[c]
          }
          // d(path)/dl and d(path)/dm on the sphere: n - 1 changes with them.
          const n = 1 + offsets[3 * s + 2]
          const ul = u - (w * offsets[3 * s]) / n
          const vm = v - (w * offsets[3 * s + 1]) / n
          const at = s * sumsPerSource
          sums[at] += power
          sums[at + 1] += powerLog
          sums[at + 2] += powerLog2
          sums[at + 3] += real
          sums[at + 4] += realLog
          sums[at + 5] += ul * imag
          sums[at + 6] += vm * imag
          sums[at + 7] += ul * ul * wave2
          sums[at + 8] += ul * vm * wave2
          sums[at + 9] += vm * vm * wave2
        }
      }
    },
    chi2: () => chi2,
    solve(maxShiftRad) {
      return sources.map((source, s) => {
        const [hss, hsa, haa, gs, ga, gl, gm, hll, hlm, hmm] = sums.subarray(s * sumsPerSource, (s + 1) * sumsPerSource)
        const [relative, index] = solvePair(hss, hsa, haa, gs, ga)
        const [dl, dm] = solvePair(hll, hlm, hmm, gl, gm)
        const length = Math.hypot(dl, dm)
        const shrink = length > maxShiftRad ? maxShiftRad / length : 1
        return step(source, { phaseCentre, referenceHz, relative, index, dl: dl * shrink, dm: dm * shrink })
      })
    },
  }
}

interface Step {
  phaseCentre: Direction
  referenceHz: number
  relative: number
  index: number
  dl: number
  dm: number
}

function step(source: SkySource, { phaseCentre, referenceHz, relative, index, dl, dm }: Step): SkySource {
  const { l, m } = sinProject(source.direction, phaseCentre)
  const flux = fluxAt(source.flux, referenceHz)
  const slope = Math.log(fluxAt(source.flux, referenceHz * 1.01) / flux) / Math.log(1.01)
  const spectralIndex = slope + clamp(index, -maxIndexStep, maxIndexStep)
  return {
    name: source.name,
    direction: sinDeproject(l + dl, m + dm, phaseCentre),
    flux: {
      kind: 'power-law',
      fluxJy: flux * (1 + clamp(relative, -maxFluxStep, maxFluxStep)),
      refFreqHz: referenceHz,
      spectralIndex: clamp(spectralIndex, ...indexRange),
    },
  }
}

/** Solves a symmetric 2 x 2 system; 0 where it is singular. */
function solvePair(a: number, b: number, d: number, x: number, y: number): [number, number] {
  const determinant = a * d - b * b
  if (!(determinant > 1e-12 * a * d)) return [a > 0 ? x / a : 0, 0]
  return [(d * x - b * y) / determinant, (a * y - b * x) / determinant]
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value))
}

function meanOf(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
