// Errors of solved gains in units of the Cramer-Rao bound, with weights measured from the data: a synthetic observation of
// 3C286 with 96 antennas, gains, bandpasses and noise of an SEFD of 6500 Jy, through the whole calibration stage.
// Usage: node bench/solver-noise.ts [seed]; prints one line of JSON a case.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readSolutions } from '#runtime/formats/solutions.ts'
import { fluxAt } from '#runtime/sky/calibrators.ts'
import { beamPower } from '#runtime/sky/beam.ts'
import { baselineLengths, indexObservation } from '../stages/calibration/observation.ts'
import { fromFile, type SolutionSet } from '../stages/calibration/solutions/solution-set.ts'
import { addPairErrors, createPairErrors, cramerRao } from '../test/stages/calibration/cramer-rao.ts'
import { calibrate } from '../test/stages/calibration/stage-room.ts'
import { writeSet } from '../test/stages/calibration/synthetic-set.ts'
import { synthesize, type Synthetic } from '../test/stages/calibration/synthetic.ts'

const seed = Number(process.argv[2] ?? 1)
/** 6500 Jy over the root of twice 976562.5 Hz times 12.88 s. */
const sigma = 1.2957
const uvMinLambda = 1000

for (const noiseInJy of [true, false]) {
  const s = synthesize({ antennas: 96, channels: 96, integrations: 12, sigma, noiseInJy, gainScatter: 0.4, seed })
  for (const weights of ['measured', 'equal']) {
    const dir = mkdtempSync(join(tmpdir(), 'contimg-bench-'))
    try {
      const measurementSet = await writeSet(join(dir, 'set'), s)
      const outputDir = join(dir, 'product')
      mkdirSync(outputDir)
      const { metrics } = await calibrate({ inputs: { measurementSet }, outputDir, params: { weights, uvMinLambda } })
      const set = fromFile(await readSolutions(join(outputDir, 'solutions', 'set.ctgs')))
      const noise = noiseInJy ? 'before the gains' : 'after the gains'
      console.log(
        JSON.stringify({
          noise,
          weights,
          ...errorsOf(s, set, noiseInJy),
          sefdMedianJy: metrics.sefdMedianJy,
          chi2: metrics.chi2Reduced,
        }),
      )
    } finally {
      rmSync(dir, { recursive: true, force: true })
    }
  }
}

function errorsOf(
  s: Synthetic,
  set: SolutionSet,
  noiseInJy: boolean,
): { amplitude: number; phase: number; bias: number } {
  const { antennas, channels, polarizations } = s
  const index = indexObservation(s)
  const lengths = baselineLengths(index, s.uvwM, 0.5 * (s.freqHz[0] + s.freqHz[channels - 1]))
  const sum = createPairErrors()
  for (let c = 0; c < channels; c++) {
    let power = 0
    const [{ flux, direction }] = s.sources
    for (let t = 0; t < s.integrations; t++)
      power += (fluxAt(flux, s.freqHz[c]) * beamPower(s.beam, t, direction, s.freqHz[c])) ** 2
    for (let p = 0; p < polarizations; p++) {
      const truth = (a: number): [number, number] => at(s.gain, (a * channels + c) * polarizations + p)
      const x = new Float64Array(antennas * antennas)
      for (let b = 0; b < index.baselines; b++) {
        if (lengths[b] < uvMinLambda) continue
        const [i, j] = [index.antenna1[b], index.antenna2[b]]
        const gains = noiseInJy ? 1 : norm(truth(i)) * norm(truth(j))
        x[i * antennas + j] = x[j * antennas + i] = (gains * power) / s.sigma ** 2
      }
      const ratio = new Float64Array(2 * antennas).fill(Number.NaN)
      for (let a = 0; a < antennas; a++) {
        const k = (a * channels + c) * polarizations + p
        if (set.bandpass.flags[k] !== 0 || set.gains.flags[a * polarizations + p] !== 0) continue
        const [re, im] = times(at(set.bandpass.value, k), at(set.gains.value, a * polarizations + p))
        const [tr, ti] = truth(a)
        ratio[2 * a] = (re * tr + im * ti) / norm([tr, ti])
        ratio[2 * a + 1] = (im * tr - re * ti) / norm([tr, ti])
      }
      addPairErrors(sum, ratio, cramerRao(x, antennas))
    }
  }
  return {
    amplitude: Math.sqrt(sum.amplitude / sum.pairs),
    phase: Math.sqrt(sum.phase / sum.pairs),
    bias: sum.bias / sum.pairs,
  }
}

function at(values: Float64Array, k: number): [number, number] {
  return [values[2 * k], values[2 * k + 1]]
}

function times([a, b]: [number, number], [c, d]: [number, number]): [number, number] {
  return [a * c - b * d, a * d + b * c]
}

function norm([re, im]: [number, number]): number {
  return re * re + im * im
}
