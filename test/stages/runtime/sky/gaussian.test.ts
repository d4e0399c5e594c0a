import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { beamResponse, deconvolve } from '#runtime/sky/gaussian-beam.ts'
import { gaussianErrors, pointErrors } from '#runtime/sky/gaussian-errors.ts'
import { fitGaussians, gaussianAt, halfTurn, type FitPixels, type Gaussian } from '#runtime/sky/gaussian-fit.ts'

const close = (actual: number, expected: number, tolerance: number, what: string): void =>
  assert.ok(Math.abs(actual - expected) <= tolerance, `${what}: ${actual}, expected ${expected}`)

function draw(components: readonly Gaussian[], half = 20): FitPixels {
  const x: number[] = []
  const y: number[] = []
  const value: number[] = []
  for (let py = -half; py <= half; py++) {
    for (let px = -half; px <= half; px++) {
      x.push(px)
      y.push(py)
      value.push(components.reduce((sum, component) => sum + gaussianAt(component, px, py), 0))
    }
  }
  return { x: Float64Array.from(x), y: Float64Array.from(y), value: Float64Array.from(value) }
}

test('a noiseless Gaussian of any shape and place is recovered', () => {
  fc.assert(
    fc.property(
      fc.record({
        peak: fc.double({ min: 1e-5, max: 100, noNaN: true }),
        x: fc.double({ min: -2, max: 2, noNaN: true }),
        y: fc.double({ min: -2, max: 2, noNaN: true }),
        minor: fc.double({ min: 3, max: 6, noNaN: true }),
        stretch: fc.double({ min: 1.2, max: 2.5, noNaN: true }),
        paRad: fc.double({ min: -1.5, max: 1.5, noNaN: true }),
      }),
      ({ peak, x, y, minor, stretch, paRad }) => {
        const truth = { peak, x, y, minorPixels: minor, majorPixels: minor * stretch, paRad }
        const start = { peak: 0.8 * peak, x: 0, y: 0, majorPixels: 8, minorPixels: 5, paRad: 0.3, fixedShape: false }
        const fit = fitGaussians(draw([truth]), [start])?.[0]
        assert.ok(fit !== undefined)
        close(fit.peak / peak, 1, 1e-5, 'peak')
        close(fit.x, x, 1e-4, 'x')
        close(fit.y, y, 1e-4, 'y')
        close(fit.majorPixels, minor * stretch, 1e-3, 'major')
        close(fit.minorPixels, minor, 1e-3, 'minor')
        close(Math.sin(fit.paRad - paRad), 0, 1e-3, 'position angle')
      },
    ),
    { numRuns: 60, seed: 1 },
  )
})

test('a position angle turns from north (up) to east (left)', () => {
  const gaussian = { peak: 1, x: 0, y: 0, majorPixels: 20, minorPixels: 4, paRad: Math.PI / 4 }
  assert.ok(gaussianAt(gaussian, -5, 5) > 0.5, 'north-east')
  assert.ok(gaussianAt(gaussian, 5, 5) < 0.01, 'north-west')
})

test('two blended points are told apart with their shapes fixed', () => {
  const beam = { majorPixels: 8, minorPixels: 5, paRad: 0.2 }
  const truth = [{ peak: 3, x: -3, y: -2, ...beam }, { peak: 1, x: 4, y: 2, ...beam }] // prettier-ignore
  const start = truth.map(({ x, y, peak }) => ({ peak: peak * 1.2, x: x + 0.7, y: y - 0.6, ...beam, fixedShape: true }))
  const fit = fitGaussians(draw(truth), start)
  assert.ok(fit !== undefined)
  fit.forEach((component, i) => {
    close(component.peak, truth[i].peak, 1e-4, 'peak')
    close(component.x, truth[i].x, 1e-3, 'x')
    close(component.y, truth[i].y, 1e-3, 'y')
  })
})

test('a fit with fewer pixels than parameters is none', () => {
  const pixels = { x: Float64Array.of(0, 1), y: Float64Array.of(0, 0), value: Float64Array.of(1, 0.5) }
  assert.equal(
    fitGaussians(pixels, [{ peak: 1, x: 0, y: 0, majorPixels: 3, minorPixels: 3, paRad: 0, fixedShape: true }]),
    undefined,
  )
})

test('angles fold to a half turn', () => {
  close(halfTurn(Math.PI), 0, 1e-12, 'pi')
  close(halfTurn(-1.6), Math.PI - 1.6, 1e-12, '-1.6')
})

test('errors of a point source are those of Condon 1997: rms, and 0.425 FWHM over S/N', () => {
  const beam = { major: 68, minor: 37 }
  // The reference values of a 68 x 37 arcsec beam.
  for (const [snr, major, minor] of [
    [10, 2.9, 1.6],
    [20, 1.4, 0.8],
    [50, 0.58, 0.31],
  ] as const) {
    const free = gaussianErrors({ ...beam, snr }, beam)
    const fixed = pointErrors({ snr }, beam)
    close(free.peak, 1 / snr, 1e-12, 'peak')
    close(free.alongMajor, major, 0.06, 'along the major axis')
    close(free.alongMinor, minor, 0.06, 'along the minor axis')
    close(fixed.alongMajor, free.alongMajor, 1e-9, 'fixed shape, major')
    close(fixed.alongMinor, free.alongMinor, 1e-9, 'fixed shape, minor')
    // sigma(S)^2 / S^2 = (1 + 1 + 1) / snr^2 for a point fitted with a free shape.
    close(free.integrated, Math.sqrt(3) / snr, 1e-12, 'integrated')
    close(fixed.integrated, 1 / snr, 1e-12, 'integrated, fixed shape')
  }
})

// Independent arithmetic: theta_M = 2, theta_m = 1.5, theta_N = 1, S/N 30.
const rho = (a: number, b: number): number => Math.sqrt(((2 * 1.5) / 4) * (1 + 1 / 4) ** a * (1 + 1 / 2.25) ** b) * 30

test('errors of an extended source follow equations 20, 21 and 30 of Condon 1997', () => {
  const errors = gaussianErrors({ major: 2, minor: 1.5, snr: 30 }, { major: 1, minor: 1 })
  close(errors.peak, Math.SQRT2 / rho(1.5, 1.5), 1e-12, 'peak')
  close(errors.major, Math.SQRT2 / rho(2.5, 0.5), 1e-12, 'major')
  close(errors.minor, Math.SQRT2 / rho(0.5, 2.5), 1e-12, 'minor')
  close(errors.alongMajor, (errors.major * 2) / Math.sqrt(8 * Math.LN2), 1e-12, 'position')
  close(
    errors.integrated ** 2,
    errors.peak ** 2 + (1 / 3) * (errors.major ** 2 + errors.minor ** 2),
    1e-12,
    'integrated',
  )
})

test('deconvolution undoes convolution', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0.1, max: 3, noNaN: true }),
      fc.double({ min: 0.1, max: 1, noNaN: true }),
      fc.double({ min: -1.5, max: 1.5, noNaN: true }),
      fc.double({ min: -1.5, max: 1.5, noNaN: true }),
      (major, ratio, pa, beamPa) => {
        const source = { major, minor: major * ratio, paRad: pa }
        const beam = { major: 1.8, minor: 1, paRad: beamPa }
        const result = deconvolve(convolve(source, beam), beam)
        close(result.major, source.major, 1e-6, 'major')
        close(result.minor, source.minor, 1e-5, 'minor')
        if (ratio < 0.95) close(Math.sin(result.paRad - pa), 0, 1e-4, 'position angle')
      },
    ),
  )
  const beam = { major: 2, minor: 1, paRad: 0.4 }
  assert.deepEqual([deconvolve(beam, beam).major, deconvolve(beam, beam).minor], [0, 0])
})

/** Sum of the covariance matrices of two Gaussians. */
function convolve(
  a: Parameters<typeof deconvolve>[0],
  b: Parameters<typeof deconvolve>[0],
): Parameters<typeof deconvolve>[0] {
  const matrix = [a, b].reduce(
    ([nn, ee, ne], { major, minor, paRad }) => {
      const [c, s] = [Math.cos(paRad), Math.sin(paRad)]
      return [
        nn + (major * c) ** 2 + (minor * s) ** 2,
        ee + (major * s) ** 2 + (minor * c) ** 2,
        ne + (major ** 2 - minor ** 2) * s * c,
      ]
    },
    [0, 0, 0],
  )
  const [nn, ee, ne] = matrix
  const root = Math.sqrt(((nn - ee) / 2) ** 2 + ne ** 2)
  return {
    major: Math.sqrt((nn + ee) / 2 + root),
    minor: Math.sqrt((nn + ee) / 2 - root),
    paRad: Math.atan2(ne, (nn - ee) / 2) / 2,
  }
}

test('the beam responds by half at half of its width', () => {
  const beam = { major: 68, minor: 37, paRad: 0.3 }
  close(beamResponse(beam, 34 * Math.sin(0.3), 34 * Math.cos(0.3)), 0.5, 1e-12, 'major')
  close(beamResponse(beam, 18.5 * Math.cos(0.3), -18.5 * Math.sin(0.3)), 0.5, 1e-12, 'minor')
})
