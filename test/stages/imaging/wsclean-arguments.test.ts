import assert from 'node:assert/strict'
import { test } from 'node:test'
import { presets } from '../../../stages/imaging/presets.ts'
import {
  cleanArguments,
  dirtyArguments,
  isSupported,
  parseWscleanVersion,
  redirtyArguments,
  wideArguments,
  type WscleanJob,
  type WscleanVersion,
} from '../../../stages/imaging/wsclean-arguments.ts'

const version = (text: string): WscleanVersion =>
  parseWscleanVersion(`\nWSClean version ${text} (2022-04-01)`) as WscleanVersion

const job: WscleanJob = {
  version: version('3.1.0'),
  measurementSets: ['/data/all.ms'],
  name: '/scratch/first',
  settings: presets.standard,
  threads: 2,
  memoryBytes: 2e9,
  tempDir: '/scratch',
}

const common =
  '-abs-mem 1.50 -temp-dir /scratch -no-update-model-required -log-time -data-column DATA -size 2048 2048 -scale 7asec -weight briggs 0.5'

test('a dirty run of WSClean 3.1 makes the dirty beam and Stokes I and Q with the same weights', () => {
  assert.equal(
    dirtyArguments(job, ['I', 'Q']).join(' '),
    `-name /scratch/first -j 2 ${common} -use-wgridder -wgridder-accuracy 0.001 -pol I,Q -niter 0 -make-psf /data/all.ms`,
  )
})

test('the wide images cover twice the field with the weights of the image, in pixels of about 14 arcsec', () => {
  const args = wideArguments({ ...job, name: '/scratch/wide' }, 24).join(' ')
  assert.match(
    args,
    /-size 2048 2048 -scale 14asec -weight briggs 0\.5 .* -super-weight 2 -interval 9 15 -pol I -niter 0 -make-psf /,
  )
  const fine = wideArguments({ ...job, settings: presets.fine }, 1).join(' ')
  assert.match(fine, /-size 1920 1920 -scale 15asec .* -super-weight 2 -interval 0 1 /)
})

test('after a subtraction only Stokes I is gridded again', () => {
  const args = redirtyArguments({ ...job, name: '/scratch/next' })
  assert.ok(!args.includes('-make-psf'))
  assert.equal(args.slice(-5).join(' '), '-pol I -niter 0 /data/all.ms')
})

test('a clean stays inside its mask and takes dirty beam and image from the dirty run', () => {
  const args = cleanArguments(
    { ...job, name: '/scratch/clean' },
    {
      maskPath: '/scratch/mask.fits',
      mgain: 0.9,
      goOn: false,
      reusePsf: '/scratch/first',
      reuseDirty: '/scratch/next',
    },
  )
  assert.equal(
    args.slice(args.indexOf('-pol')).join(' '),
    '-pol I -niter 50000 -nmiter 12 -mgain 0.9 -auto-threshold 1 -fits-mask /scratch/mask.fits -reuse-psf /scratch/first -reuse-dirty /scratch/next /data/all.ms',
  )
})

test('a later round goes on from the model that the sets hold', () => {
  const first = cleanArguments(job, { maskPath: 'm.fits', mgain: 0.9, goOn: false })
  const second = cleanArguments(job, { maskPath: 'm.fits', mgain: 0.9, goOn: true })
  assert.equal(first.includes('-continue'), false)
  assert.equal(second.includes('-continue'), true)
  for (const args of [first, second]) assert.equal(args.includes('-no-update-model-required'), false)
})

test('frequency slices are cleaned together', () => {
  const args = cleanArguments({ ...job, settings: presets.deep }, { maskPath: 'm.fits', mgain: 0.8, goOn: false }).join(
    ' ',
  )
  assert.match(args, / -channels-out 4 -join-channels -fit-spectral-pol 2 \/data\/all\.ms$/)
})

for (const [text, option] of [
  ['3.1.0', '-use-wgridder'],
  ['3.3', '-use-wgridder'],
  ['3.4', '-gridder wgridder'],
  ['3.6', '-gridder wgridder'],
  ['3.7', '-gridder wgridder'],
  ['4.0', '-gridder wgridder'],
] as const) {
  test(`WSClean ${text} is told ${option}`, () => {
    const args = ` ${dirtyArguments({ ...job, version: version(text) }, ['I']).join(' ')} `
    assert.ok(args.includes(` ${option} -wgridder-accuracy`))
    assert.equal(args.includes('-use-wgridder'), option === '-use-wgridder')
  })
}

test('weights and pixels follow the settings', () => {
  const settings = { ...presets.quicklook, weighting: 'uniform' as const, cellArcsec: 2.5 }
  const args = dirtyArguments({ ...job, settings }, ['I']).join(' ')
  assert.match(args, /-size 1024 1024 -scale 2\.5asec -weight uniform -use/)
})

test('several sets are imaged together', () => {
  assert.deepEqual(dirtyArguments({ ...job, measurementSets: ['a.ms', 'b.ms'] }, ['I']).slice(-2), ['a.ms', 'b.ms'])
})

test('versions are read from what WSClean prints, and old or other programs are refused', () => {
  assert.deepEqual(version('3.1.0'), { major: 3, minor: 1, text: '3.1.0' })
  assert.deepEqual(version('3.6'), { major: 3, minor: 6, text: '3.6' })
  assert.equal(parseWscleanVersion('bash: wsclean: not found'), undefined)
  assert.deepEqual(
    ['2.10.1', '3.0', '3.1.0', '4.0'].map((text) => isSupported(version(text))),
    [false, false, true, true],
  )
})
