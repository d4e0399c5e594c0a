import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { readFitsTable } from '#runtime/formats/fits/table.ts'
import type { StageContext, StageRun } from '#runtime/stage/contract.ts'
import type { Check } from '#runtime/stage/quality.ts'
import { StageError } from '#runtime/stage/errors.ts'
import { validation } from '../../../stages/validation/contract.ts'
import { importFromArguments } from '../../../stages/validation/import-door.ts'
import { run } from '../../../stages/validation/run.ts'
import { needs, runPython } from '../../oracles/oracle.ts'
import { activeContent } from '../../pages/markup.ts'
import { needsChromium } from '../../pages/chromium.ts'
import { assertSound } from '../../pages/sound.ts'
import { completeUpstream, syntheticField, truthRows, writeProduct, type ProductFiles } from './synthetic-field.ts'

const entry = fileURLToPath(new URL('../../../stages/validation/main.ts', import.meta.url))
const root = mkdtempSync(join(tmpdir(), 'contimg-validation-'))
after(() => rmSync(root, { recursive: true, force: true }))

const hostile = `<script>alert(1)</script> "&' é`
const field = syntheticField({ width: 512, cellArcsec: 18, beamArcsec: [90, 68], snr: [6, 400], perSide: 7, seed: 3 })
const { inputs } = await writeProduct(root, field, {
  seed: 4,
  rows: truthRows(field, (row, i) => ({ ...row, id: i === 5 ? hostile : row.id })),
  cards: [
    { key: 'CALNAME', value: `<img src=x onerror=alert(2)>` },
    { key: 'TELESCOP', value: `"><b>DSA` },
  ],
})
writeSolutions()

function writeSolutions(): void {
  const antennas = ['<i>1</i>', '2', '3']
  const pols = <T>(value: (a: number, p: number) => T): T[][] => antennas.map((_, a) => [0, 1].map((p) => value(a, p)))
  const freqMhz = Array.from({ length: 12 }, (_, k) => 1311 + 15 * k)
  mkdirSync(join(root, 'solutions'), { recursive: true })
  const summary = {
    id: 'set-1',
    observation: '20260125T222605',
    calibrator: { name: '3C286', meanBeam: 0.95, apparentFluxJy: 14, fluxAnchor: 'PB17' },
    grade: 'good',
    antennas,
    refant: '2',
    freqMhz,
    binTimesMjdS: [0, 51.5, 103],
    bandpass: {
      amplitude: pols(() => freqMhz.map(() => 1)),
      phaseDeg: pols((a) => freqMhz.map((_, k) => (a === 2 ? null : k))),
    },
    gain: { amplitude: pols((a) => (a === 2 ? null : 0.01)), phaseDeg: pols((a) => 20 * a) },
    phase: { phaseDeg: pols((a) => [a, 2 * a, null]) },
    sefdJy: pols((a) => 6500 + 100 * a),
    flags: {
      byReason: { missing: 0.01, clip: 0.02 },
      timeByFrequency: [freqMhz.map(() => 0.1)],
      antennaByFrequency: antennas.map(() => freqMhz.map(() => 0)),
    },
    residualPhaseDeg: { edges: [-1, 0, 1], counts: [5, 6] },
  }
  writeFileSync(join(root, 'solutions', 'summary.json'), JSON.stringify(summary))
}

interface Outcome {
  code: number | null
  product: string
  log: string
  result: {
    quality: { verdict: string; checks: Check[] }
    metrics: Record<string, number>
    outputs: Record<string, { sha256: string }>
    warnings: string[]
  }
}

/** The stage without its process: the same run function, for variants of the context. */
async function judge(
  change: { inputs?: ProductFiles['inputs']; upstream?: StageContext['upstream']; params?: object } = {},
) {
  const outputDir = mkdtempSync(join(root, 'judged-'))
  const warnings: string[] = []
  const given = Object.entries(change.inputs ?? inputs).map(([name, reference]) => [
    name,
    { ...reference, path: join(root, reference.path) },
  ])
  const quiet = (): void => undefined
  const outcome = await run({
    params: validation.params.parse(change.params ?? {}),
    inputs: Object.fromEntries(given) as StageRun<typeof validation>['inputs'],
    upstream: change.upstream ?? completeUpstream,
    observation: '20260125T222605',
    key: 'b'.repeat(64),
    outputDir,
    scratchDir: outputDir,
    resources: { cpu: 1, memoryBytes: 2e9, scratchBytes: 0 },
    signal: new AbortController().signal,
    log: { debug: quiet, info: quiet, warn: quiet },
    progress: quiet,
    phase: async (_name, work) => work(),
    warn: (message) => warnings.push(message),
  })
  const grade = (name: string): string | undefined =>
    outcome.quality.checks.find((check) => check.name === name)?.verdict
  return { verdict: outcome.quality.verdict, grade, product: outputDir, warnings }
}

let attempts = 0
function validate(given: ProductFiles['inputs']): Outcome {
  attempts += 1
  const product = `product-${attempts}`
  const context = {
    apiVersion: 'contimg/v1',
    run: `run-${attempts}`,
    observation: '20260125T222605',
    stage: 'validation',
    key: 'b'.repeat(64),
    attempt: { number: attempts, uid: `uid-${attempts}` },
    params: {},
    inputs: given,
    upstream: completeUpstream,
    productDir: product,
    scratchDir: 'scratch',
    resources: { cpu: 1, memoryBytes: 2e9, scratchBytes: 0 },
  }
  const path = join(root, `context-${attempts}.json`)
  writeFileSync(path, JSON.stringify(context))
  const { status, stdout } = spawnSync(process.execPath, [entry, '--context', path], { cwd: root, encoding: 'utf8' })
  const result = status === 0 ? JSON.parse(readFileSync(join(root, product, 'result.json'), 'utf8')) : undefined
  return { code: status, product: join(root, product), log: stdout, result }
}

const whole = validate({ ...inputs, solutions: { path: 'solutions', bytes: 1, kind: 'solutions' } })

test('a good image is good, and its metrics are those of the sky that was put in', () => {
  assert.equal(whole.code, 0, whole.log)
  assert.equal(
    whole.result.quality.verdict,
    'good',
    JSON.stringify(whole.result.quality.checks.filter((check) => check.verdict !== 'good')),
  )
  const { metrics } = whole.result
  assert.ok(Math.abs(metrics['fluxRatio'] - 1) < 0.01 && metrics['offsetArcsec'] < 0.5 && metrics['completeness'] === 1)
  assert.ok(Math.abs(metrics['noiseRatio'] - 1) < 0.05 && Math.abs(metrics['thermalRatio'] - 1) < 0.05)
})

test('equal inputs give equal bytes, whatever the run is called', () => {
  const again = validate({ ...inputs, solutions: { path: 'solutions', bytes: 1, kind: 'solutions' } })
  for (const [name, { sha256 }] of Object.entries(whole.result.outputs))
    assert.equal(again.result.outputs[name].sha256, sha256, name)
  assert.deepEqual(Object.keys(whole.result.outputs).sort(), [
    'catalogue',
    'catalogueCsv',
    'catalogueVotable',
    'qa',
    'report',
  ])
})

test('without a catalogue flux scale, astrometry and completeness are not run, and the verdict is uncertain', async () => {
  const { catalogue: _, ...rest } = inputs
  const { verdict, grade, product } = await judge({ inputs: rest })
  assert.equal(verdict, 'uncertain')
  for (const name of ['flux scale', 'astrometry', 'completeness']) assert.equal(grade(name), 'not run')
  assert.match(readFileSync(join(product, 'report.html'), 'utf8'), /no catalogue was given/)
})

test('an uncalibrated image is bad and says so on every product', async () => {
  const { conversion, imaging, calibration } = completeUpstream
  const upstream = {
    conversion,
    imaging,
    calibration: { quality: 'uncertain', metrics: { ...calibration.metrics, uncalibrated: 1 } },
  }
  const { verdict, grade, product } = await judge({ upstream })
  assert.equal(verdict, 'bad')
  assert.equal(grade('calibration'), 'bad')
  assert.match(readFileSync(join(product, 'report.html'), 'utf8'), /UNCALIBRATED/)
  assert.match(readFileSync(join(product, 'catalogue.vot'), 'utf8'), /not calibrated/)
  assert.equal((await readFitsTable(join(product, 'catalogue.fits'))).cards.get('UNCALIBR'), true)
})

test('without the numbers of the earlier stages their checks are not run and the verdict is uncertain', async () => {
  const { verdict, grade } = await judge({ upstream: {} })
  assert.equal(verdict, 'uncertain')
  for (const name of ['subbands', 'calibration', 'clean', 'thermal noise']) assert.equal(grade(name), 'not run', name)
})

test('a diverged clean is bad', async () => {
  const { verdict } = await judge({
    upstream: { ...completeUpstream, imaging: { quality: 'bad', metrics: { cleanStop: 3 } } },
  })
  assert.equal(verdict, 'bad')
})

test('limits of the configuration are used and printed', async () => {
  const { grade, product } = await judge({ params: { limits: { antennas: { good: 100 } } } })
  assert.equal(grade('antennas'), 'uncertain')
  assert.match(
    readFileSync(join(product, 'report.html'), 'utf8'),
    /antennas: limit &quot;good&quot; is 100, by default 90/,
  )
})

test('images that do not belong together are refused', async () => {
  const small = syntheticField({ width: 64, cellArcsec: 18, beamArcsec: [90, 68], snr: [10, 20], perSide: 1, seed: 3 })
  const { inputs: wrong } = await writeProduct(join(root, 'other'), small, { seed: 1, rows: null })
  const primaryBeam = { ...wrong['primaryBeam'], path: join('other', wrong['primaryBeam'].path) }
  await assert.rejects(
    judge({ inputs: { ...inputs, primaryBeam } }),
    (error: unknown) => error instanceof StageError && error.exitCode === 65 && /differ in size/.test(error.message),
  )
})

test('a summary of the solutions in another form is a warning, not a failure and not a plot', async () => {
  mkdirSync(join(root, 'odd'))
  writeFileSync(join(root, 'odd', 'summary.json'), '{"id": 5}')
  const { warnings, product } = await judge({
    inputs: { ...inputs, solutions: { path: 'odd', bytes: 1, kind: 'solutions' } },
  })
  assert.match(warnings.join(), /summary of the solution set/)
  assert.doesNotMatch(readFileSync(join(product, 'report.html'), 'utf8'), /cal-gain/)
})

const page = readFileSync(join(whole.product, 'report.html'), 'utf8')

test('hostile names are shown as text in the page, never as markup', () => {
  assert.doesNotMatch(page, /<script|<img src=x|<b>DSA|<i>1<\/i>/)
  assert.match(page, /&lt;script&gt;alert\(1\)&lt;\/script&gt; &quot;&amp;&#39;/)
  assert.match(page, /&lt;img src=x onerror=alert\(2\)&gt;/)
  assert.match(page, /antenna &lt;i&gt;1&lt;\/i&gt; XX/)
  assert.deepEqual(activeContent(page), [])
})

test('the page is one file that asks for nothing', () => {
  assert.doesNotMatch(page, /https?:\/\/(?!www\.w3\.org)/)
  assert.match(page, /Content-Security-Policy"\s+content="default-src 'none'/)
  const links = [...page.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, target]) => target)
  assert.ok(
    links.every(
      (target) =>
        target.startsWith('data:image/png;base64,') ||
        target === 'data:,' ||
        target.startsWith('#') ||
        ['qa.json', 'catalogue.csv', 'catalogue.fits', 'catalogue.vot'].includes(target),
    ),
  )
  assert.ok(page.length < 3e6)
})

test('every picture, plot and table can be understood without seeing it', () => {
  const ids = [...page.matchAll(/\sid="([^"]*)"/g)].map(([, id]) => id)
  assert.equal(new Set(ids).size, ids.length, 'ids are unique')
  for (const [image] of page.matchAll(/<img[^>]*>/g)) assert.match(image, /alt="[^"]+"/)
  for (const [svg] of page.matchAll(/<svg[^>]*>/g)) assert.match(svg, /aria-hidden="true"|role="img"/)
  for (const [, labels] of page.matchAll(/aria-labelledby="([^"]*)"/g))
    for (const id of labels.split(' ')) assert.ok(ids.includes(id), id)
  for (const [table] of page.matchAll(/<table[\s\S]*?<\/table>/g)) {
    assert.match(table, /<caption>/)
    assert.match(table, /<th scope="col"/)
  }
  assert.equal([...page.matchAll(/<h1[ >]/g)].length, 1)
  assert.match(page, /<html lang="en">/)
})

test('the page has a section for all that was measured, the solution set included', () => {
  for (const heading of [
    'Image',
    'Checks',
    'Flux scale',
    'Astrometry',
    'Completeness and reliability',
    'Noise, point spread function, uv coverage',
    'Data and calibration',
    'Sources',
    'Provenance',
    'Warnings',
  ]) {
    assert.match(page, new RegExp(`<h2[^>]*>\\s*${heading}\\s*</h2>`), heading)
  }
  for (const plot of [
    'flux-snr',
    'astrometry-scatter',
    'completeness-plot',
    'noise-residual',
    'psf-cut',
    'psf-picture',
    'uv-coverage',
    'cal-gain',
    'cal-band-map',
  ])
    assert.match(page, new RegExp(`id="${plot}-t"`), plot)
})

test('the page tags are balanced', () => {
  const open: string[] = []
  const single = new Set(['meta', 'br', 'img', 'line', 'rect', 'circle', 'ellipse', 'path', 'image', 'input', 'link'])
  for (const [, closing, name, self] of page.matchAll(/<(\/?)([a-zA-Z][a-zA-Z0-9]*)(?:\s[^<>]*?)?(\/?)\s*>/g)) {
    if (self === '/' || (closing === '' && single.has(name) && !['rect', 'path', 'circle'].includes(name))) continue
    if (closing === '') open.push(name)
    else assert.equal(open.pop(), name)
  }
  assert.deepEqual(open, [])
})

test('qa.json holds every check, pair and number of the page', () => {
  const qa = JSON.parse(readFileSync(join(whole.product, 'qa.json'), 'utf8'))
  assert.equal(qa.verdict, 'good')
  assert.deepEqual(qa.checks, whole.result.quality.checks)
  assert.equal(qa.catalogue.pairs.length, whole.result.metrics['matched'])
  assert.ok(Math.abs(qa.image.beamMajorArcsec - 90) < 1e-6)
  assert.equal(qa.catalogue.simulated, true)
})

test('nothing in the product tells a machine, a folder or a clock', () => {
  for (const name of ['report.html', 'qa.json', 'catalogue.csv', 'catalogue.vot']) {
    const text = readFileSync(join(whole.product, name), 'utf8')
    assert.ok(
      !text.includes(root) &&
        !text.includes(
          String(new Date().getUTCFullYear() + 0) +
            '-' +
            String(new Date().getUTCMonth() + 1).padStart(2, '0') +
            '-' +
            String(new Date().getUTCDate()).padStart(2, '0'),
        ),
      name,
    )
  }
})

test(
  'the catalogue is the same in CSV, VOTable and FITS, with units and valid UCDs',
  { skip: needs('astropy') },
  async () => {
    const read = runPython('catalogue-files.py', [
      join(whole.product, 'catalogue.vot'),
      join(whole.product, 'catalogue.fits'),
    ]) as {
      fields: { name: string; unit: string | null; ucd: string; ucdValid: boolean }[]
      params: Record<string, string>
      votable: Record<string, (string | number | null)[]>
      fits: Record<string, (string | number | null)[]>
      object: string
    }
    assert.deepEqual(
      read.fields.filter(({ ucdValid }) => !ucdValid),
      [],
    )
    const units = Object.fromEntries(read.fields.map(({ name, unit }) => [name, unit]))
    assert.deepEqual(
      [units['ra_deg'], units['e_ra_arcsec'], units['s_int_mjy'], units['s_peak_mjy'], units['snr']],
      ['deg', 'arcsec', 'mJy', 'beam**-1.mJy', null],
    )
    assert.equal(read.object, '20260125T222605')
    assert.equal(read.params['observation'], '20260125T222605')
    const csv = readFileSync(join(whole.product, 'catalogue.csv'), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => line.split(','))
    const table = await readFitsTable(join(whole.product, 'catalogue.fits'))
    assert.equal(table.rows, whole.result.metrics['sources'])
    csv[0].forEach((name, column) => {
      csv.slice(1).forEach((cells, row) => {
        const [vot, fits] = [read.votable[name][row], read.fits[name][row]]
        if (typeof fits === 'number') {
          assert.ok(Math.abs(Number(cells[column]) - fits) <= 1e-6 * Math.abs(fits), `${name} ${cells[column]} ${fits}`)
          assert.ok(Math.abs(Number(vot) - fits) <= 1e-6 * Math.abs(fits))
        } else {
          assert.equal(cells[column], fits)
          assert.equal(vot ?? '', fits)
        }
      })
    })
  },
)

test('catalogue.fits passes fitsverify', { skip: needs('fitsverify') }, () => {
  const { stdout } = spawnSync('fitsverify', ['-q', join(whole.product, 'catalogue.fits')], { encoding: 'utf8' })
  assert.match(stdout, /verification OK/)
})

test('the importer of the entrypoint answers with one line, and with an error as one line', async () => {
  const file = join(root, 'list.csv')
  writeFileSync(file, 'name,ra,dec,flux_mjy\na,10,20,5\n')
  const good = spawnSync(
    process.execPath,
    [entry, '--import-catalogue', file, '--root', root, '--freq-mhz', '1400', '--name', 'mine'],
    { encoding: 'utf8' },
  )
  assert.equal(good.status, 0)
  const answer = JSON.parse(good.stdout) as { name: string; hash12: string; path: string; rows: number }
  assert.equal(answer.name, 'mine')
  assert.equal(answer.path, join(root, 'catalogues', `mine@${answer.hash12}`))
  assert.equal(answer.rows, 1)
  for (const args of [['--root', root], [], ['--root', root, '--freq-mhz', 'x'], ['--root', root, '--what']]) {
    const { line, exitCode } = await importFromArguments(['--import-catalogue', file, ...args])
    assert.equal(exitCode, 64)
    assert.equal(JSON.parse(line).error.code, 'PARAMS_INVALID')
  }
})

test('every check that the page shows more of leads there', () => {
  const ids = new Set([...page.matchAll(/\sid="([^"]*)"/g)].map(([, id]) => id))
  const places = [...page.matchAll(/<th scope="row"><a href="#([^"]*)"/g)].map(([, place]) => place)
  assert.ok(places.length > 15)
  for (const place of places) assert.ok(ids.has(place), place)
})

test('the page is sound in a browser', { skip: needsChromium() }, () => assertSound(join(whole.product, 'report.html')))
