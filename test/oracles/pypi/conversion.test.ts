import assert from 'node:assert/strict'
import { test } from 'node:test'
import { convert, inFolder, rawObservation, writeRaw } from '../../stages/conversion/raw-observation.ts'
import { needs, runPython } from '../oracle.ts'

interface Comparison {
  channelsEqual: boolean
  uvwErrorMm: number
  pathErrorMm: number
  largestRotationM: number
  largestError: number
  timeErrorS: number
}

for (const polarizations of [
  [-5, -6],
  [-5, -7, -8, -6],
]) {
  test(
    `pyuvdata reads and phases ${polarizations.length} polarisations to the same visibilities and UVW`,
    { skip: needs('pyuvdata') },
    () =>
      inFolder(async (dir) => {
        const paths = writeRaw(dir, rawObservation({ polarizations, integrations: 3 }))
        const { path } = await convert(paths, dir, { expect: { subbands: [0, 1, 2], integrations: 3 } })
        const found = runPython('pypi/conversion.py', [path, ...paths]) as Comparison
        assert.ok(found.channelsEqual)
        assert.ok(found.largestRotationM > 0.1, 'the data are rotated by a path worth comparing')
        // pyuvdata leaves polar motion out: up to 0.4 arcsec, 5 mm on the longest baseline.
        assert.ok(found.uvwErrorMm < 5, `UVW differs by ${found.uvwErrorMm} mm`)
        assert.ok(found.pathErrorMm < 5, `the paths differ by ${found.pathErrorMm} mm`)
        // The w coordinates of the file, which pyuvdata undoes, are rounded to float32: 0.2 mm of 3 km, 5e-3 rad.
        assert.ok(found.largestError < 6e-3, `visibilities differ by ${found.largestError}`)
        assert.ok(found.timeErrorS < 1e-3)
      }),
  )
}
