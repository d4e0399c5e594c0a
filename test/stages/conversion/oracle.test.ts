import assert from 'node:assert/strict'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { openMeasurementSet } from '#runtime/formats/measurement-set/read.ts'
import { DAY_S } from '#runtime/sky/constants.ts'
import { earthOrientationAt } from '#runtime/sky/time.ts'
import { exec } from '#runtime/stage/exec.ts'
import { needs, needsSamples, runPython } from '../../oracles/oracle.ts'
import {
  convert,
  earthOrientation,
  inFolder,
  rawObservation,
  writeRaw,
  type Converted,
  type ConvertOptions,
} from './raw-observation.ts'

interface Comparison {
  rows: number
  largestError: number
  flagsEqual: boolean
  absentFlagged: boolean
  pairsEqual: boolean
  timeErrorS: number
  positionErrorM: number
  uvwErrorMm: number
  centreErrorArcsec: number
}

const sampleFolder = (name: string): string => join(process.env['CONTIMG_SAMPLES'] ?? '', name)
const sampleOptions: ConvertOptions = { expect: { subbands: [0, 1, 2, 3], integrations: 6 }, cpu: 2 }

function rawFiles(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.hdf5'))
    .map((name) => join(folder, name))
}

/** Converts and compares with the raw files by casacore, h5py and ERFA; the limits are those of the set's acceptance. */
async function compare(dir: string, paths: readonly string[], options: ConvertOptions): Promise<Converted> {
  const converted = await convert(paths, dir, options)
  const { metadata, layout } = await openMeasurementSet(converted.path)
  const eops = Array.from(metadata.beam.timeMjdS, (timeS) => {
    const { dut1S, xpArcsec, ypArcsec } = earthOrientationAt(earthOrientation, timeS / DAY_S)
    return [dut1S, xpArcsec, ypArcsec]
  })
  const eopPath = join(dir, 'eops.json')
  writeFileSync(eopPath, JSON.stringify(eops))
  const found = runPython('conversion.py', [converted.path, eopPath, ...paths]) as Comparison
  assert.equal(found.rows, layout.rows)
  assert.ok(found.largestError < 5e-7, `visibilities differ by ${found.largestError}`)
  assert.ok(found.flagsEqual && found.absentFlagged && found.pairsEqual, JSON.stringify(found))
  assert.ok(found.timeErrorS < 1e-4)
  assert.ok(found.positionErrorM < 1e-3)
  assert.ok(found.uvwErrorMm < 0.1, `UVW differs by ${found.uvwErrorMm} mm`)
  assert.ok(found.centreErrorArcsec < 0.1, `the phase centre differs by ${found.centreErrorArcsec} arcsec`)
  return converted
}

const skip = needs('casacore', 'h5py', 'astropy')

for (const polarizations of [
  [-5, -6],
  [-5, -7, -8, -6],
]) {
  test(`undoing the rotation gives the raw visibilities: ${polarizations.length} correlations`, { skip }, () =>
    inFolder(async (dir) => {
      const raw = rawObservation({
        polarizations,
        subbands: [0, 2],
        startUtc: '2024-07-04T05:06:07Z',
        decOfDateDeg: 54.6,
      })
      const [{ vis, flags }] = raw.subbands.values()
      vis.set([0, 0, Number.NaN, 0], 20)
      flags[33] = 1
      await compare(dir, writeRaw(dir, raw), {})
    }),
  )
}

test('64 antennas with a subband missing are converted as ERFA and casacore want it', { skip }, () =>
  inFolder(async (dir) => {
    const order = Array.from({ length: 64 }, (_, index) => index + 40)
    const raw = rawObservation({ order, subbands: [1, 3], integrations: 2 })
    await compare(dir, writeRaw(dir, raw), { expect: { subbands: [1, 2, 3], integrations: 2 }, cpu: 2 })
  }),
)

for (const name of ['tile-small', 'calibrator-small']) {
  const reason = skip === false ? needsSamples() : skip
  test(`the sample ${name} is converted as ERFA and casacore want it`, { skip: reason }, () =>
    inFolder(async (dir) => {
      const folder = sampleFolder(name)
      const { outcome, path } = await compare(dir, rawFiles(folder), sampleOptions)
      assert.equal(outcome.quality.verdict, 'good')
      if (name !== 'tile-small') return
      // Noiseless sources: what is left is differential aberration, up to 0.5" at the edge of the field.
      const { residual } = runPython('point-sources.py', [path, join(folder, 'truth.json')]) as { residual: number }
      assert.ok(residual < 0.02, `residual ${residual}`)
    }),
  )
}

const imagingSkip =
  needs('casacore', 'astropy', 'wsclean') === false ? needsSamples() : needs('casacore', 'astropy', 'wsclean')

test('WSClean images the sources of a sample at their true places', { skip: imagingSkip }, () =>
  inFolder(async (dir) => {
    const folder = sampleFolder('tile-small')
    const { path } = await convert(rawFiles(folder), dir, sampleOptions)
    const image = ['-pol', 'I', '-size', '2048', '2048', '-scale', '7asec', '-weight', 'briggs', '0', '-niter', '0']
    const output = ['-no-update-model-required', '-j', '2', '-name', join(dir, 'image')]
    await exec('wsclean', [...image, ...output, path], { env: { OPENBLAS_NUM_THREADS: '1' } })
    const found = runPython('fits-peaks.py', [join(dir, 'image-dirty.fits'), join(folder, 'truth.json')]) as {
      sources: { name: string; trueJy: number; peakJy: number; offsetArcsec: number }[]
    }
    // The dirty beam is 25" to 40" wide here; sidelobes of the other sources move peaks by 1" to 2" and a few per cent.
    for (const { name, trueJy, peakJy, offsetArcsec } of found.sources) {
      assert.ok(offsetArcsec < 2.5, `${name} lies ${offsetArcsec.toFixed(2)} arcsec off`)
      assert.ok(Math.abs(peakJy / trueJy - 1) < 0.08, `${name} has ${peakJy} Jy, ${trueJy} expected`)
    }
  }),
)
