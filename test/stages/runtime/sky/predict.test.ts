import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRandom } from '#runtime/numeric/random.ts'
import { beamPower, type BeamTrack } from '#runtime/sky/beam.ts'
import { fluxAt, type SkySource } from '#runtime/sky/calibrators.ts'
import { SPEED_OF_LIGHT_M_S } from '#runtime/sky/constants.ts'
import { channelRuns, createPredictor } from '#runtime/sky/predict.ts'
import { sinProject } from '#runtime/sky/projection.ts'

const degree = Math.PI / 180
const phaseCentre = { raRad: 0.01 * degree, decRad: 16 * degree }

function track(integrations: number): BeamTrack {
  const raRad = Float64Array.from(
    { length: integrations },
    (_, k) => phaseCentre.raRad + (k - (integrations - 1) / 2) * 0.054 * degree,
  )
  return {
    timeMjdS: Float64Array.from({ length: integrations }, (_, k) => 5e9 + 12.88 * k),
    raRad,
    decRad: new Float64Array(integrations).fill(phaseCentre.decRad),
    decOfDateRad: phaseCentre.decRad,
  }
}

const sources: SkySource[] = [
  {
    name: 'a',
    direction: { raRad: 359.6 * degree, decRad: 16.7 * degree },
    flux: { kind: 'power-law', fluxJy: 2, refFreqHz: 1.4e9, spectralIndex: -0.7 },
  },
  {
    name: 'b',
    direction: { raRad: 0.9 * degree, decRad: 15.2 * degree },
    flux: { kind: 'polynomial', coefficients: [1.2481, -0.4507] },
  },
]

function direct(uvw: readonly number[], k: number, freqHz: number, beam: BeamTrack): [number, number] {
  let re = 0
  let im = 0
  for (const source of sources) {
    const { l, m, n } = sinProject(source.direction, phaseCentre)
    const phase = (2 * Math.PI * freqHz * (uvw[0] * l + uvw[1] * m + uvw[2] * (n - 1))) / SPEED_OF_LIGHT_M_S
    const amplitude = fluxAt(source.flux, freqHz) * beamPower(beam, k, source.direction, freqHz)
    re += amplitude * Math.cos(phase)
    im += amplitude * Math.sin(phase)
  }
  return [re, im]
}

test('predicted visibilities equal the direct sum over sources, on an uneven channel grid too', () => {
  const random = createRandom(3)
  const beam = track(4)
  const even = Float64Array.from({ length: 101 }, (_, c) => 1.3114e9 + 244140.625 * c)
  const uneven = Float64Array.from([...even.subarray(0, 37), ...even.subarray(50)])
  assert.equal(channelRuns(even).length, 1)
  assert.equal(channelRuns(uneven).length, 2)
  for (const freqHz of [even, uneven]) {
    const rows = 6
    const uvwM = Float64Array.from({ length: 3 * rows }, () => 4000 * (random.next() - 0.5))
    const integration = Int32Array.from({ length: rows }, () => random.int(4))
    const out = new Float32Array((rows - 2) * freqHz.length * 2)
    createPredictor({ sources, phaseCentre, beam, freqHz }).predict(2, rows - 2, uvwM, integration, out)
    for (let r = 2; r < rows; r++) {
      for (let c = 0; c < freqHz.length; c++) {
        const [re, im] = direct([...uvwM.subarray(3 * r, 3 * r + 3)], integration[r], freqHz[c], beam)
        const at = ((r - 2) * freqHz.length + c) * 2
        assert.ok(Math.hypot(out[at] - re, out[at + 1] - im) < 2e-6, `row ${r}, channel ${c}`)
      }
    }
  }
})

test('a source east of the centre turns forwards with u, and one at the centre of the beam has its full flux', () => {
  const beam = track(1)
  const centre: SkySource = {
    name: 'c',
    direction: phaseCentre,
    flux: { kind: 'power-law', fluxJy: 3, refFreqHz: 1e9, spectralIndex: 0 },
  }
  const east: SkySource = { ...centre, direction: { raRad: phaseCentre.raRad + 1e-4, decRad: phaseCentre.decRad } }
  const freqHz = Float64Array.of(1.4e9)
  const predict = (source: SkySource): Float32Array => {
    const out = new Float32Array(2)
    createPredictor({ sources: [source], phaseCentre, beam, freqHz }).predict(
      0,
      1,
      Float64Array.of(100, 0, 0),
      Int32Array.of(0),
      out,
    )
    return out
  }
  assert.deepEqual([...predict(centre)], [3, 0])
  const [re, im] = predict(east)
  const expected = (2 * Math.PI * 1.4e9 * 100 * 1e-4 * Math.cos(phaseCentre.decRad)) / SPEED_OF_LIGHT_M_S
  assert.ok(Math.abs(Math.atan2(im, re) - expected) < 1e-5)
})
