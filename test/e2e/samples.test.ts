// Observations that contimg did not simulate, through the command line, against their truth: the proof that the
// simulator and the converter do not share a mistake.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { readCatalogueCsv, recover } from '../../bench/recovery.ts'
import { needs, needsSamples } from '../oracles/oracle.ts'

const main = fileURLToPath(new URL('../../orchestrator/main.ts', import.meta.url))
const skip = needsSamples() || needs('wsclean')

/** Limits of the acceptance: median flux within 3 %, median offset within 0.1 beam. */
const maxFluxError = 0.03
const maxOffsetBeams = 0.1

interface TruthSource {
  name: string
  ra_deg: number
  dec_deg: number
  s_app_mean_jy: number
  s_pbcor_jy: number
  flux_1p4_jy: number
}

interface Step {
  stage: string
  status: string
  outputs: Record<string, string>
  metrics: Record<string, number>
}

function runSample(name: string, flags: (root: string) => string[]) {
  const root = mkdtempSync(join(tmpdir(), 'contimg-sample-'))
  const input = join(process.env['CONTIMG_SAMPLES'] as string, name)
  const truth = (JSON.parse(readFileSync(join(input, 'truth.json'), 'utf8')) as { sources: TruthSource[] }).sources
  const settings = ['conversion.expect.subbands=[0,1,2,3]', 'conversion.expect.integrations=6', 'ingest.minSubbands=4']
  const args = [
    'run',
    '--input',
    input,
    '--root',
    root,
    '-o',
    'json',
    ...settings.flatMap((setting) => ['--set', setting]),
  ]
  const { status, stdout, stderr } = contimg([...args, ...flags(root)])
  const steps: Step[] = stdout === '' ? [] : JSON.parse(stdout).observations[0].steps
  return {
    root,
    truth,
    status,
    stderr,
    steps,
    of: (stage: string) => steps.find((step) => step.stage === stage) as Step,
  }
}

function contimg(args: readonly string[]) {
  return spawnSync(process.execPath, [main, ...args], { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 })
}

function assertRecovered({ truth, of }: Pick<ReturnType<typeof runSample>, 'truth' | 'of'>): void {
  const { rmsCentreJyPerBeam, beamMinorArcsec } = of('imaging').metrics
  const injected = truth.map((source) => ({
    name: source.name,
    raDeg: source.ra_deg,
    decDeg: source.dec_deg,
    fluxJy: source.s_pbcor_jy,
    apparentJy: source.s_app_mean_jy,
  }))
  const recovery = recover(readCatalogueCsv(of('validation').outputs['catalogueCsv']), injected, {
    rmsJy: rmsCentreJyPerBeam,
  })
  assert.deepEqual(recovery.missed, [])
  assert.equal(recovery.expected, truth.length, 'every source of the truth is above 10 sigma')
  assert.ok(Math.abs(recovery.fluxRatioMedian - 1) <= maxFluxError, `flux ratio ${recovery.fluxRatioMedian}`)
  assert.ok(
    recovery.offsetMedianArcsec <= maxOffsetBeams * beamMinorArcsec,
    `offset ${recovery.offsetMedianArcsec} arcsec`,
  )
}

test('a noiseless field without a calibrator: uncalibrated images show every source', { skip }, (t) => {
  const sample = runSample('tile-small', () => ['--uncalibrated'])
  t.after(() => rmSync(sample.root, { recursive: true, force: true }))
  assert.equal(sample.status, 3, sample.stderr.slice(-3000))
  assertRecovered(sample)
})

test('a calibrator field with gains, bandpasses and noise: calibrated images show every source', { skip }, (t) => {
  const sample = runSample('calibrator-small', (root) => {
    const { sources } = JSON.parse(
      readFileSync(join(process.env['CONTIMG_SAMPLES'] as string, 'calibrator-small', 'truth.json'), 'utf8'),
    ) as { sources: TruthSource[] }
    const rows = sources.map((source) =>
      [source.name, source.ra_deg, source.dec_deg, source.flux_1p4_jy * 1000].join(','),
    )
    const table = join(root, 'truth.csv')
    writeFileSync(table, ['name,ra_deg,dec_deg,flux_mjy', ...rows].join('\n'))
    const imported = contimg(['catalogue', 'import', table, '--root', root, '--freq-mhz', '1400', '-o', 'json'])
    assert.equal(imported.status, 0, imported.stderr)
    return ['--catalogue', JSON.parse(imported.stdout).catalogue]
  })
  t.after(() => rmSync(sample.root, { recursive: true, force: true }))
  assert.equal(sample.status, 0, sample.stderr.slice(-3000))
  assert.equal(sample.of('calibration').status, 'done')
  assertRecovered(sample)
})
