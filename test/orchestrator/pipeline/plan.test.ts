import assert from 'node:assert/strict'
import { resolve } from 'node:path'
import { test } from 'node:test'
import { selection } from '../../../orchestrator/pipeline/admission.ts'
import { parseConfig, parseSetting } from '../../../orchestrator/pipeline/config.ts'
import { stepKey } from '../../../orchestrator/pipeline/key.ts'
import {
  makePlan,
  type Asset,
  type KnownProduct,
  type Plan,
  type PlanInput,
} from '../../../orchestrator/pipeline/plan.ts'
import { calibrator, observation } from '../workbench.ts'

const solver = '20260125T222605'
const target = '20260125T223114'

function plan(
  observations: ReturnType<typeof observation>[],
  changes: Partial<PlanInput> & { settings?: string[] } = {},
): Plan {
  const { settings = [], ...rest } = changes
  const config = parseConfig({ overrides: settings.map(parseSetting), resolvePath: (path) => resolve('/', path) })
  const scan = { apiVersion: 'contimg/v1' as const, input: '/in', files: 0, observations, faults: [], warnings: [] }
  return makePlan({
    config,
    scan,
    assets: { earthOrientation: asset('eop') },
    engines: { wscleanVersion: '3.1' },
    products: [],
    unusable: new Map(),
    badSets: new Set(),
    refusedSets: new Map(),
    ...rest,
  })
}

function asset(identity: string): Asset {
  return { identity, reference: { path: identity, bytes: 1, kind: 'earth-orientation' } }
}

function keys(of: Plan, id = solver): string[] {
  return of.observations.find((found) => found.id === id)?.steps.map(({ key }) => key) ?? []
}

/** The stages whose keys differ between two plans of one observation. */
function changed(a: Plan, b: Plan): string[] {
  const names = ['conversion', 'calibration', 'imaging', 'validation']
  const [before, after] = [keys(a), keys(b)]
  return names.filter((_, index) => before[index] !== after[index])
}

test('all keys are known before anything runs and follow from their parts', () => {
  const { steps } = plan([observation(solver)]).observations[0] ?? assert.fail()
  assert.deepEqual(
    steps.map(({ stage }) => stage),
    ['conversion', 'calibration', 'imaging', 'validation'],
  )
  for (const { key, parts } of steps) assert.equal(key, stepKey(parts))
  assert.deepEqual(keys(plan([observation(solver)])), keys(plan([observation(solver)])))
})

const changes: [string, Parameters<typeof plan>[1], string[]][] = [
  ['a parameter of validation', { settings: ['validation.seedSigma=6'] }, ['validation']],
  ['a parameter of imaging', { settings: ['imaging.cellArcsec=2.5'] }, ['imaging', 'validation']],
  ['the version of WSClean', { engines: { wscleanVersion: '3.6' } }, ['imaging', 'validation']],
  ['a parameter of calibration', { settings: ['calibration.clipSigma=8'] }, ['calibration', 'imaging', 'validation']],
  [
    'the catalogue',
    { assets: { earthOrientation: asset('eop'), catalogue: asset('cat') } },
    ['calibration', 'imaging', 'validation'],
  ],
  [
    'the Earth orientation',
    { assets: { earthOrientation: asset('new') } },
    ['conversion', 'calibration', 'imaging', 'validation'],
  ],
  [
    'a station table',
    { assets: { earthOrientation: asset('eop'), stationTable: asset('stations') } },
    ['conversion', 'calibration', 'imaging', 'validation'],
  ],
  [
    'nothing that enters keys',
    { settings: ['execution.failOn=uncertain', 'ingest.minSubbands=3', 'retain.imaging=forever'] },
    [],
  ],
]
for (const [what, now, expected] of changes) {
  test(`keys change from the first stage that depends on it: ${what}`, () => {
    assert.deepEqual(changed(plan([observation(solver)]), plan([observation(solver)], now)), expected)
  })
}

test('the station table enters the key of conversion by its content, and only where there is one', () => {
  const inputs = (assets: PlanInput['assets']): unknown =>
    plan([observation(solver)], { assets }).observations[0]?.steps[0]?.parts.inputs
  const without = inputs({ earthOrientation: asset('eop') })
  assert.deepEqual(Object.keys(without as object).sort(), ['earthOrientation', 'raw'])
  assert.deepEqual(inputs({ earthOrientation: asset('eop'), stationTable: asset('stations') }), {
    ...(without as object),
    stationTable: 'stations',
  })
})

test('neither path nor time of a raw file enters a key, its fingerprint does', () => {
  const moved = observation(solver)
  const files = moved.files.map((file) => ({ ...file, path: `elsewhere-${file.path}`, mtimeMs: 1 }))
  assert.deepEqual(changed(plan([moved]), plan([{ ...moved, files }])), [])
  const [first, ...rest] = moved.files
  assert.equal(
    changed(plan([moved]), plan([{ ...moved, files: [{ ...first, fingerprint: 'f'.repeat(64) }, ...rest] }])).length,
    4,
  )
})

test('the catalogue does not enter the calibration of an observation that takes the set of another', () => {
  const observations = [observation(solver), observation(target, { calibrators: [], hour: 0.1 })]
  const without = plan(observations)
  const parts = without.observations.find(({ id }) => id === target)?.steps[1]?.parts
  assert.deepEqual(Object.keys(parts?.inputs ?? {}).sort(), ['measurementSet', 'solutions'])
})

test('the averaging of a calibrator observation does not change the identity of its solution set', () => {
  const observations = [observation(solver), observation(target, { calibrators: [], hour: 0.1 })]
  const setOf = (found: Plan): unknown =>
    found.observations.find(({ id }) => id === target)?.steps[1]?.parts.inputs['solutions']
  assert.equal(setOf(plan(observations)), setOf(plan(observations, { settings: ['calibration.averageToHz=3e6'] })))
  assert.notEqual(setOf(plan(observations)), setOf(plan(observations, { settings: ['calibration.clipSigma=8'] })))
})

test('solvers come before the observations that wait for them', () => {
  const observations = [observation(target, { calibrators: [], hour: 0.1 }), observation(solver)]
  assert.deepEqual(
    plan(observations).observations.map(({ id }) => id),
    [solver, target],
  )
})

test('a second run makes the choice of the first, whether its sets exist by now or not', () => {
  const observations = [observation(target, { calibrators: [], hour: 0.1 }), observation(solver)]
  const first = plan(observations)
  const products = first.observations.flatMap(({ steps }): KnownProduct[] =>
    steps.map(({ observation: id, stage, key, parts, solves }) => {
      const product = `products/${id}/${stage}/${key.slice(0, 12)}`
      return {
        observation: id,
        stage,
        key,
        product,
        parts,
        outputs: [],
        quality: { verdict: 'good', checks: [] },
        ...(solves === undefined ? {} : { solution: { ...solves, product, grade: 'good' as const } }),
      }
    }),
  )
  const second = plan(observations, { products })
  for (const id of [solver, target]) assert.deepEqual(keys(second, id), keys(first, id))
  assert.ok(second.observations.flatMap(({ steps }) => steps).every(({ cached }) => cached !== undefined))
})

test('a known bad set is not chosen again', () => {
  const observations = [observation(target, { calibrators: [], hour: 0.1 }), observation(solver)]
  const solve = plan(observations).observations[0]?.steps[1]?.solves ?? assert.fail()
  const again = plan(observations, { badSets: new Set([solve.solveKey]) })
  assert.equal(again.observations.find(({ id }) => id === target)?.calibration.kind, 'missing')
  assert.equal(again.observations.find(({ id }) => id === solver)?.calibration.kind, 'own')
})

test('a set that was solved on another frequency grid is not chosen', () => {
  const first = observation(solver)
  const last = observation(target, { calibrators: [], hour: 0.1 })
  const products = plan([first]).observations.flatMap(({ steps }): KnownProduct[] =>
    steps.flatMap(({ observation: id, stage, key, parts, solves }) =>
      solves === undefined
        ? []
        : [
            {
              observation: id,
              stage,
              key,
              product: 'p',
              parts,
              outputs: ['solutions'],
              quality: { verdict: 'good', checks: [] },
              solution: { ...solves, product: 'p', grade: 'good' },
            },
          ],
    ),
  )
  const choice = (now: ReturnType<typeof observation>, ...settings: string[]): unknown =>
    plan([now], { products, settings }).observations[0]?.calibration.kind
  assert.equal(choice(last), 'set')
  assert.equal(choice(last, 'conversion.expect.subbands=[0, 1, 2, 3]', 'ingest.minSubbands=4'), 'missing')
  assert.equal(choice({ ...last, shape: { ...last.shape, channelsPerSubband: 12 } }), 'missing')
  assert.equal(choice({ ...last, shape: { ...last.shape, polarizations: 4 } }), 'missing')
})

test('only the expected subbands are converted', () => {
  const { steps } =
    plan([observation(solver)], { settings: ['conversion.expect.subbands=[2, 1]'] }).observations[0] ?? assert.fail()
  assert.equal([steps[0]?.inputs['raw']].flat().length, 2)
})

test('the calibrator is the first by rule, then by apparent flux density', () => {
  const candidates = [
    calibrator('weak', { apparentFluxJy: 6 }),
    calibrator('bright', { apparentFluxJy: 16 }),
    calibrator('other', { rule: 4, apparentFluxJy: 30 }),
  ]
  const { calibration } = plan([observation(solver, { calibrators: candidates })]).observations[0] ?? assert.fail()
  assert.equal(calibration.kind === 'own' ? calibration.calibrator : undefined, 'bright')
})

test('observations are selected by id or pattern, literally but for * and ?', () => {
  assert.equal(selection(undefined)('any'), true)
  assert.equal(selection(['2026*'])(solver), true)
  assert.equal(selection(['20260125T22????'])(solver), true)
  assert.equal(selection(['20260125T2226'])(solver), false)
  assert.equal(selection(['.*'])(solver), false)
})
