import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { convertAny } from '../../stages/conversion/any-group.ts'
import { inFolder } from '../../stages/conversion/raw-observation.ts'
import { needs, runPython } from '../oracle.ts'

interface Difference {
  rows: number
  bitEqual: boolean
  largestError: number
  flagsEqual: boolean
  absent: number
  absentFlagged: boolean
  weightError: number
  uvwErrorMm: number
  timeErrorS: number
  intervalErrorS: number
  antennasEqual: boolean
  positionErrorM: number
  frequencyErrorHz: number
  centreErrorArcsec: number
  telescope: string
  sidereal: boolean
}

test(
  'files in every form that pyuvdata writes or reads become what pyuvdata makes of them',
  {
    skip: needs('pyuvdata'),
  },
  () =>
    inFolder(async (dir) => {
      const forms = runPython('pypi/dialects.py', ['write', dir]) as Record<string, string[]>
      const sets: Record<string, string[]> = {}
      for (const [name, paths] of Object.entries(forms)) {
        const out = join(dir, `set of ${name}`)
        mkdirSync(out)
        // The last first: no order of files is better than another.
        const { path, outcome } = await convertAny(paths.toReversed(), out)
        assert.notEqual(outcome.quality.verdict, 'bad', name)
        const w = outcome.quality.checks.find((check) => check.name === 'w-stated')
        // 0.01" on baselines of up to 283 m.
        assert.ok(w?.verdict === 'good' && (w.value ?? 1) < 0.014, `${name}: ${w?.message}`)
        sets[name] = [path, ...paths]
      }
      writeFileSync(join(dir, 'sets.json'), JSON.stringify(sets))
      const compared = runPython('pypi/dialects.py', ['compare', join(dir, 'sets.json')]) as Record<string, Difference>
      assert.deepEqual(Object.keys(compared), Object.keys(forms))
      for (const [name, found] of Object.entries(compared)) {
        const shown = `${name}: ${JSON.stringify(found)}`
        assert.equal(found.rows, 0, shown)
        if (found.sidereal) assert.ok(found.bitEqual, shown)
        // Both round to float32, pyuvdata after its rotation too.
        assert.ok(found.largestError < 1e-6, shown)
        assert.ok(found.flagsEqual && found.absentFlagged && found.antennasEqual, shown)
        assert.equal(found.absent, name === 'several files' ? 6 : 0, shown)
        assert.ok(found.weightError < 1e-6, shown)
        assert.ok(found.uvwErrorMm < 0.01, shown)
        assert.ok(found.timeErrorS < 1e-4 && found.intervalErrorS === 0, shown)
        assert.ok(found.positionErrorM < 1e-6, shown)
        assert.ok(found.frequencyErrorHz < 1e-3, shown)
        // astropy's AltAz counts for the zenith and driftscan places; a sidereal one is kept or turned from FK5.
        assert.ok(found.centreErrorArcsec < (found.sidereal ? 1e-6 : 2e-3), shown)
        assert.equal(found.telescope, 'TEST', shown)
      }
    }),
)
