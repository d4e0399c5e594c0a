import assert from 'node:assert/strict'
import { resolve } from 'node:path'
import { test } from 'node:test'
import { configIdentity, parseConfig, parseSetting, type RunConfig } from '../../../orchestrator/pipeline/config.ts'
import type { ProblemError } from '../../../orchestrator/pipeline/problem.ts'

function parse(text: string, ...settings: string[]): RunConfig {
  return parseConfig({
    file: { path: 'demo.yaml', text },
    overrides: settings.map(parseSetting),
    resolvePath: (path, base) => resolve(base === 'file' ? '/configs' : '/here', path),
  })
}

function errorsOf(text: string, ...settings: string[]): string[] {
  try {
    parse(text, ...settings)
  } catch (error) {
    const { problem, exitCode } = error as ProblemError
    assert.equal(problem.code, 'CONFIG_INVALID')
    assert.equal(exitCode, 2)
    return [...(problem.details ?? [])]
  }
  return assert.fail('the configuration was accepted')
}

test('an empty configuration is complete', () => {
  const config = parse('')
  assert.deepEqual(config.ingest, { minSubbands: 12, waitSeconds: 0 })
  assert.equal(config.root, '/here/contimg-data')
  assert.equal(config.execution.failOn, 'bad')
  assert.equal(config.calibration.mode, 'auto')
  assert.deepEqual(config.conversion.expect.integrations, 24)
})

test('paths of the file are relative to it, paths of flags to the working directory', () => {
  const config = parse('input: data\nroot: /abs\ncatalogue: ./cat', 'input=other')
  assert.deepEqual([config.input, config.root, config.catalogue], ['/here/other', '/abs', '/configs/cat'])
  assert.equal(parse('catalogue: nvss@0123').catalogue, 'nvss@0123')
  assert.equal(parse('stationTable: stations.csv').stationTable, '/configs/stations.csv')
  assert.equal(parse('', 'stationTable=stations.csv').stationTable, '/here/stations.csv')
})

test('settings beat the file, the last one wins, values are YAML', () => {
  const config = parse(
    'calibration:\n  sefdJy: 1',
    'calibration.sefdJy=2',
    'calibration.sefdJy=3',
    'conversion.expect.subbands=[0, 1]',
    'execution.resources.memory=2Gi',
    'execution.stages.imaging.resources.memory=3Gi',
  )
  assert.equal(config.calibration.sefdJy, 3)
  assert.deepEqual(config.conversion.expect.subbands, [0, 1])
  assert.equal(config.execution.resources.memory, 2 * 2 ** 30)
  assert.equal(config.execution.stages.imaging.resources.memory, 3 * 2 ** 30)
  assert.equal(config.ingest.minSubbands, 2)
})

const faulty: [string, string, string[], RegExp[]][] = [
  ['an unknown block', 'imging:\n  a: 1', [], [/^demo\.yaml:1:1 +unknown key "imging"; did you mean "imaging"\?$/]],
  [
    'an unknown key in a block',
    'calibration:\n  mode: auto\n  sefdJ: 1',
    [],
    [/^demo\.yaml:3:3 +unknown key "sefdJ" in calibration; did you mean "sefdJy"\?$/],
  ],
  [
    'an unknown key that is like none',
    'calibration:\n  zzzzzz: 1',
    [],
    [/^demo\.yaml:2:3 +unknown key "zzzzzz" in calibration; known here: mode, /],
  ],
  [
    'a value out of its range',
    'calibration:\n  sefdJy: -1',
    [],
    [/^demo\.yaml:2:11 +calibration\.sefdJy: expected > 0, got -1; unit Jy \(System equivalent flux density.*\)$/],
  ],
  [
    'a value of the wrong type',
    'calibration:\n  sefdJy: many',
    [],
    [/^demo\.yaml:2:11 +calibration\.sefdJy: expected number, got "many"/],
  ],
  [
    'a word that is not one of the words',
    'calibration:\n  mode: atuo',
    [],
    [/^demo\.yaml:2:9 +calibration\.mode: expected one of auto, none, got "atuo"; did you mean "auto"\?/],
  ],
  [
    'an entry of a list',
    'conversion:\n  expect:\n    subbands: [0, 77]',
    [],
    [/^demo\.yaml:3:19 +conversion\.expect\.subbands\.1: expected <= 15, got 77/],
  ],
  [
    'a setting',
    '',
    ['calibration.sefdJy=-1'],
    [/^--set calibration\.sefdJy=-1 +calibration\.sefdJy: expected > 0, got -1/],
  ],
  [
    'a setting with an unknown key',
    '',
    ['imaging.celArcsec=3'],
    [/^--set imaging\.celArcsec=3 +unknown key "celArcsec" in imaging; did you mean "cellArcsec"\?/],
  ],
  ['a setting through a value', 'name: x', ['name.first=3'], [/^--set name\.first=3 +name is not a block of keys/]],
  [
    'all errors at once',
    'imging: {}\nexecution:\n  failOn: never\n  executor: moon',
    [],
    [/imging/, /failOn: expected one of bad, uncertain, got "never"/, /executor/],
  ],
  ['broken YAML', 'a: [1\nb: 2', [], [/^demo\.yaml:\d+:\d+ /]],
  ['YAML that is no mapping', '- a', [], [/^demo\.yaml:1:1 +expected keys and values$/]],
  [
    'more subbands than exist',
    'ingest:\n  minSubbands: 5\nconversion:\n  expect:\n    subbands: [0, 1]',
    [],
    [/ingest\.minSubbands: 5 are more than the 2 subbands/],
  ],
  [
    'a name that is no folder name',
    'name: ../up',
    [],
    [/demo\.yaml:1:7 +name: expected letters, digits, dots, dashes, got "\.\.\/up"/],
  ],
  [
    'an amount that is none',
    'execution:\n  resources:\n    memory: lots',
    [],
    [/demo\.yaml:3:13 +execution\.resources\.memory: expected bytes, as a number or like 8Gi/],
  ],
  [
    'what is not supported yet',
    'retain:\n  imaging: {days: 3}',
    [],
    [/^demo\.yaml:2:12 +retain\.imaging: not supported yet on one machine, .*, got {"days":3}$/],
  ],
  [
    'what is not supported yet, by a setting',
    '',
    ['retain.validation=until-validated'],
    [/^--set retain\.validation=until-validated +retain\.validation: not supported yet on one machine/],
  ],
  ['a parameter that only the planner sets', 'imaging:\n  wscleanVersion: "9"', [], [/unknown key "wscleanVersion"/]],
]
for (const [what, text, settings, patterns] of faulty) {
  test(`a mistake is named with its place: ${what}`, () => {
    const errors = errorsOf(text, ...settings)
    assert.equal(errors.length, patterns.length, errors.join('\n'))
    patterns.forEach((pattern, index) => assert.match(errors[index] ?? '', pattern))
  })
}

test('what is not supported yet may be given as it is', () => {
  assert.deepEqual(parse('ingest:\n  waitSeconds: 0\nretain:\n  imaging: forever').ingest, parse('').ingest)
})

test('a setting without a value is a usage error', () => {
  assert.throws(
    () => parseSetting('imaging.cellArcsec'),
    (error: ProblemError) => error.problem.code === 'USAGE' && error.exitCode === 2,
  )
  assert.throws(() => parseSetting('=3'), /expected key\.path=value/)
})

test('what cannot change a product does not make another configuration', () => {
  const same = [
    'name: other',
    'root: /elsewhere',
    'execution:\n  resources:\n    cpu: 1',
    'retain:\n  imaging: forever',
  ]
  for (const text of same) assert.equal(configIdentity(parse(text)), configIdentity(parse('')), text)
  for (const text of ['input: /x', 'imaging:\n  cellArcsec: 2.5', 'ingest:\n  minSubbands: 3']) {
    assert.notEqual(configIdentity(parse(text)), configIdentity(parse('')), text)
  }
})

test('keys that name prototypes are unknown keys and change nothing', () => {
  assert.match(errorsOf('', '__proto__.polluted=1').join(), /__proto__/)
  assert.equal(({} as Record<string, unknown>)['polluted'], undefined)
})
