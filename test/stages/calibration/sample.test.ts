import assert from 'node:assert/strict'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { writeCatalogue } from '#runtime/formats/catalogue/strips.ts'
import { openMeasurementSet } from '#runtime/formats/measurement-set/read.ts'
import { readSolutions } from '#runtime/formats/solutions.ts'
import type { fluxAt } from '#runtime/sky/calibrators.ts'
import { fromFile } from '../../../stages/calibration/solutions/solution-set.ts'
import { needsSamples } from '../../oracles/oracle.ts'
import { addPairErrors, createPairErrors, cramerRao, type PairErrors } from './cramer-rao.ts'
import { readNpz } from './npz.ts'
import { calibrate, convertFolder, scratch } from './stage-room.ts'

interface Truth {
  sources: { name: string; ra_deg: number; dec_deg: number; flux_1p4_jy?: number; alpha?: number }[]
}

const sefdJy = 6500

test(
  'on the independent sample g_i conj(g_j) are within 1.1 times their Cramer-Rao error',
  { skip: needsSamples() },
  async (t) => {
    const folder = join(process.env['CONTIMG_SAMPLES'] ?? '', 'calibrator-small')
    const dir = scratch(t)
    const measurementSet = await convertFolder(folder, dir, { subbands: [0, 1, 2, 3], integrations: 6 })
    const catalogue = await truthCatalogue(folder, join(dir, 'catalogue'))
    const outputDir = join(dir, 'product')
    mkdirSync(outputDir)
    const outcome = await calibrate({
      inputs: { measurementSet, catalogue },
      outputDir,
      params: { modelFraction: 1e-3 },
    })
    assert.deepEqual(outcome.outputs, ['solutions', 'calibrated'])
    assert.equal(outcome.metrics.modelSources, 8)
    // 3C138 varies, so its set is uncertain; nothing else may be wrong with it.
    const doubts = outcome.quality.checks.filter(({ verdict }) => verdict !== 'good').map(({ name }) => name)
    assert.deepEqual(doubts, ['fluxAnchor', 'solutionSet'])
    assert.ok(Math.abs((outcome.metrics.sefdMedianJy ?? 0) / sefdJy - 1) < 0.03, `SEFD ${outcome.metrics.sefdMedianJy}`)

    const { amplitude, phase, bias } = await gainErrors(folder, outputDir, measurementSet.path)
    assert.ok(amplitude < 1.1, `amplitude ${amplitude} of the bound`)
    assert.ok(phase < 1.1, `phase ${phase} of the bound`)
    assert.ok(Math.abs(bias) < 1e-3, `scale ${bias}`)
  },
)

async function truthCatalogue(folder: string, dir: string) {
  const truth = JSON.parse(readFileSync(join(folder, 'truth.json'), 'utf8')) as Truth
  const about = {
    name: 'truth',
    version: '1',
    freqHz: 1.4e9,
    resolutionArcsec: 1,
    coverage: { kind: 'declinations' as const, minDeg: -90, maxDeg: 90 },
    simulated: true,
  }
  await writeCatalogue(
    dir,
    about,
    truth.sources.map((source) => ({
      id: source.name,
      raDeg: source.ra_deg,
      decDeg: source.dec_deg,
      eRaArcsec: 0,
      eDecArcsec: 0,
      sIntMjy: 1000 * (source.flux_1p4_jy ?? 8.5),
      eSIntMjy: 0,
      sPeakMjy: 1000 * (source.flux_1p4_jy ?? 8.5),
      majArcsec: 0,
      minArcsec: 0,
      paDeg: 0,
      sizeIsLimit: false,
      flags: 0,
    })),
  )
  return { path: dir, kind: 'catalogue', bytes: 0, sha256: 'd'.repeat(64) }
}

/** Errors of all pairs of antennas, channels and polarisations in units of the bound: rms of amplitude and phase. */
async function gainErrors(
  folder: string,
  product: string,
  measurementSet: string,
): Promise<{ amplitude: number; phase: number; bias: number }> {
  const npz = readNpz(join(folder, 'truth.npz'))
  const [order, gain, bandpass, freqHz] = ['order', 'gain', 'bandpass', 'freq_hz'].map((name) => npz.get(name)!.values)
  const set = fromFile(await readSolutions(join(product, 'solutions', 'set.ctgs')))
  const { metadata, rows } = await openMeasurementSet(measurementSet)
  const [antennas, channels, polarizations] = npz.get('bandpass')!.shape
  const place = Array.from(order, (station) => set.header.antennas.indexOf(String(station)))
  const used = pairsInRange(rows, metadata, place)
  const summary = JSON.parse(readFileSync(join(product, 'calibrated', 'sky-model.json'), 'utf8')) as {
    sources: { apparentFluxJy: number; flux: Parameters<typeof fluxAt>[0] }[]
  }
  const calibrator = summary.sources[0]
  const sum: PairErrors = createPairErrors()
  const sigma = sefdJy / Math.sqrt(2 * metadata.channelWidthHz * rows.intervalS[0])
  for (let c = 0; c < channels; c++) {
    // Channels of the truth descend.
    const own = channels - 1 - c
    assert.ok(Math.abs(freqHz[c] - metadata.freqHz[own]) < 1)
    const power = calibrator.apparentFluxJy ** 2 * (metadata.beam.timeMjdS.length / sigma ** 2)
    const bound = cramerRao(
      Float64Array.from(used, (value) => value * power),
      antennas,
    )
    for (let p = 0; p < polarizations; p++) {
      const ratio = new Float64Array(2 * antennas).fill(Number.NaN)
      for (let a = 0; a < antennas; a++) {
        const truth = times(at(gain, a * polarizations + p), at(bandpass, (a * channels + c) * polarizations + p))
        const b = (place[a] * channels + own) * polarizations + p
        const g = place[a] * polarizations + p
        if ((set.bandpass.flags[b] & ~16) !== 0 || set.gains.flags[g] !== 0 || set.bandpass.flags[b] === 16) continue
        const found = times(at(set.bandpass.value, b), at(set.gains.value, g))
        const norm = truth[0] ** 2 + truth[1] ** 2
        ratio[2 * a] = (found[0] * truth[0] + found[1] * truth[1]) / norm
        ratio[2 * a + 1] = (found[1] * truth[0] - found[0] * truth[1]) / norm
      }
      addPairErrors(sum, ratio, bound)
    }
  }
  return {
    amplitude: Math.sqrt(sum.amplitude / sum.pairs),
    phase: Math.sqrt(sum.phase / sum.pairs),
    bias: sum.bias / sum.pairs,
  }
}

/** (antennas, antennas) of the truth's order: 1 for baselines above the uv limit of the solve. */
function pairsInRange(
  rows: Awaited<ReturnType<typeof openMeasurementSet>>['rows'],
  { antennas, freqHz }: Awaited<ReturnType<typeof openMeasurementSet>>['metadata'],
  place: readonly number[],
): Float64Array {
  const n = place.length
  const used = new Float64Array(n * n)
  const present = [...new Set(rows.antenna1)].concat([...new Set(rows.antenna2)])
  const sorted = [...new Set(present)].sort((a, b) => a - b)
  assert.ok(sorted.length <= antennas.length)
  const number = new Map(sorted.map((row, k) => [row, place.indexOf(k)]))
  const middle = 0.5 * (freqHz[0] + freqHz[freqHz.length - 1])
  const perIntegration = rows.antenna1.length / new Set(rows.timeMjdS).size
  for (let k = 0; k < perIntegration; k++) {
    const row = 3 * perIntegration + k
    const [i, j] = [number.get(rows.antenna1[row])!, number.get(rows.antenna2[row])!]
    const length = (Math.hypot(rows.uvwM[3 * row], rows.uvwM[3 * row + 1]) * middle) / 299792458
    if (i !== j && length >= 1000) used[i * n + j] = used[j * n + i] = 1
  }
  return used
}

function at(values: Float64Array, k: number): [number, number] {
  return [values[2 * k], values[2 * k + 1]]
}

function times([a, b]: [number, number], [c, d]: [number, number]): [number, number] {
  return [a * c - b * d, a * d + b * c]
}
