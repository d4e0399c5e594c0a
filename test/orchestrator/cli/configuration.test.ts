import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { configSchema } from '../../../orchestrator/pipeline/config.ts'
import { configKeys, inputSchema, type ConfigKey } from '../../../orchestrator/pipeline/config-keys.ts'
import { workbench } from '../workbench.ts'

const keys = configKeys(inputSchema(configSchema))
const has = (program: string): boolean => spawnSync('sh', ['-c', `command -v ${program}`]).status === 0

test('check-config finds everything at once, with line, column, range, unit and the word that was meant', async (t) => {
  const bench = workbench(t)
  writeFileSync(
    join(bench.folder, 'bad.yaml'),
    'imaging:\n  celArcsec: 3\n  sizePixels: 30\n  weighting: robust\nexecution:\n  stages: {imaging: {resources: {memory: lots}}}\n',
  )
  const { exitCode, out, err } = await bench.cli('check-config', 'bad.yaml', '--set', 'validation.seedSigma=1')
  assert.equal(exitCode, 2)
  assert.equal(out, '')
  const found = err.split('\n').filter((line) => /^ {2}(bad\.yaml|--set)/.test(line))
  assert.equal(found.length, 5, err)
  const expected = [
    /bad\.yaml:2:3 +unknown key "celArcsec" in imaging; did you mean "cellArcsec"\?/,
    /bad\.yaml:3:15 +imaging\.sizePixels: expected .*>= 64.*, got 30; allowed 64 to 16384, even; unit pixels/,
    /bad\.yaml:4:14 +imaging\.weighting: expected .*natural, uniform.*, got "robust"/,
    /bad\.yaml:6:42 +execution\.stages\.imaging\.resources\.memory: .*got "lots"; unit bytes/,
    /--set validation\.seedSigma=1 +validation\.seedSigma: expected >= 3, got 1; unit local noise/,
  ]
  expected.forEach((pattern, index) => assert.match(found[index] ?? '', pattern))
  const document = JSON.parse((await bench.cli('check-config', 'bad.yaml', '-o', 'json')).out) as {
    apiVersion: string
    error: { code: string; details: string[] }
  }
  assert.deepEqual(
    [document.apiVersion, document.error.code, document.error.details.length],
    ['contimg/v1', 'CONFIG_INVALID', 4],
  )
})

test('check-config of a good configuration says what it sets, and starts nothing', async (t) => {
  const bench = workbench(t)
  writeFileSync(join(bench.folder, 'good.yaml'), 'input: nowhere\nimaging: {preset: fine}\n')
  const { exitCode, out } = await bench.cli('check-config', 'good.yaml')
  assert.equal(exitCode, 0)
  assert.match(out, /^good\.yaml is good; it sets 3 values, all others are defaults\n/)
  assert.match(out, /^ {2}imaging\.preset +fine +good\.yaml:2:11$/m)
  const missing = await bench.cli('check-config', 'none.yaml')
  assert.deepEqual([missing.exitCode, /CONFIG_UNREADABLE/.test(missing.err)], [2, true])
})

test('explain tells one key in full, a block as a table, and what was meant', async (t) => {
  const bench = workbench(t)
  const { out } = await bench.cli('explain', 'imaging.sizePixels')
  assert.match(out, /^imaging\.sizePixels\n {2}meaning +Width and height/)
  assert.match(out, /unit +pixels\n {2}allowed +64 to 16384, even\n {2}default +null\n {2}products +yes/)
  assert.match((await bench.cli('explain', 'uvMinLambda')).out, /^calibration\.uvMinLambda\n/)
  assert.match((await bench.cli('explain', 'execution.failOn')).out, /products +no: it changes no byte/)
  assert.match((await bench.cli('explain', 'input')).out, /products +by its content/)
  assert.match(
    (await bench.cli('explain', 'ingest')).out,
    /^KEY +TYPE +UNIT +DEFAULT +ALLOWED\ningest\.minSubbands +integer/,
  )
  const cases: [string, RegExp][] = [
    [
      'imaging.celArcsec',
      /no key "imaging\.celArcsec".*\[CONFIG_KEY_UNKNOWN\]\n +fix +did you mean imaging\.cellArcsec\?/,
    ],
    ['sefdJy', /"sefdJy" may be calibration\.sefdJy or imaging\.sefdJy.*\n +fix +give its whole path/],
    ['quasar', /fix +list all keys with: contimg explain/],
  ]
  for (const [path, expected] of cases) {
    const { exitCode, err } = await bench.cli('explain', path)
    assert.equal(exitCode, 2)
    assert.match(err, expected)
  }
})

test('every key of the configuration has a meaning, and units are where the names say so', () => {
  const values = keys.filter(({ kind }) => kind === 'value')
  assert.deepEqual(
    values.filter(({ meaning }) => meaning === undefined).map(({ path }) => path),
    [],
  )
  const key = (path: string): ConfigKey | undefined => keys.find((candidate) => candidate.path === path)
  assert.equal(key('execution.timeouts.imaging')?.unit, 's')
  assert.equal(key('validation.limits.astrometry.good')?.unit, 'arcsec')
  assert.equal(key('validation.limits.fluxScale.good')?.unit, undefined)
  assert.equal(key('calibration.badFrequenciesMhz')?.type, 'list of [number, number]')
  assert.equal(key('imaging.weighting')?.type, 'natural, uniform or {briggs: number} or null')
})

test('schema prints what editors check a configuration with', async (t) => {
  const bench = workbench(t)
  const schema = JSON.parse((await bench.cli('schema')).out) as {
    $schema: string
    properties: object
    required?: string[]
  }
  assert.match(schema.$schema, /draft-07/)
  assert.deepEqual(
    Object.keys(schema.properties),
    keys.filter(({ path }) => !path.includes('.')).map(({ path }) => path),
  )
  assert.equal(schema.required, undefined)
  const imaging = JSON.parse((await bench.cli('schema', 'imaging')).out) as { properties: object }
  assert.ok('cellArcsec' in imaging.properties)
  assert.match((await bench.cli('schema', 'flagging')).err, /Allowed choices are conversion/)
})

test('doctor says what is wrong with this machine, how to mend it, and whether a run can begin', async (t) => {
  const bench = workbench(t)
  const { out } = await bench.cli('doctor', '-o', 'json')
  const { ready, checks } = JSON.parse(out) as {
    ready: boolean
    checks: { name: string; verdict: string; fix?: string }[]
  }
  assert.deepEqual(
    checks.map(({ name }) => name),
    ['node', 'wsclean', 'cores', 'memory', 'data root', 'disk', 'scratch', 'catalogues'],
  )
  assert.ok(checks.every(({ verdict, fix }) => (verdict === 'good') === (fix === undefined)))
  assert.equal(
    ready,
    checks.every(({ verdict }) => verdict !== 'bad'),
  )

  const wrong = await bench.cli('doctor', '--root', '/proc/nowhere', '--input', 'nothing')
  assert.equal(wrong.exitCode, 2)
  assert.match(wrong.out, /data root +\/proc\/nowhere cannot be made.*\n +fix +choose another with --root DIR/)
  assert.match(wrong.out, /input +the input folder .*nothing does not exist\n +fix +give the folder/)
  assert.match(wrong.out, /\d faults to set right before a run can begin\n$/)
})

test(
  'bash completes commands, options, their choices and names of runs',
  { skip: has('bash') ? false : 'bash not installed' },
  async (t) => {
    const bench = workbench(t)
    const script = join(bench.folder, 'completion.bash')
    writeFileSync(script, (await bench.cli('completion', 'bash')).out)
    mkdirSync(join(bench.folder, 'bin'))
    writeFileSync(join(bench.folder, 'bin/contimg'), '#!/bin/sh\necho brave-quasar\necho calm-pulsar\n')
    chmodSync(join(bench.folder, 'bin/contimg'), 0o755)
    const complete = (...words: string[]): string[] => {
      const code = `source ${script}; COMP_WORDS=(contimg ${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length}; _contimg; printf '%s\\n' "\${COMPREPLY[@]}"`
      const env = { ...process.env, PATH: `${join(bench.folder, 'bin')}:${process.env['PATH']}` }
      return execFileSync('bash', ['-c', code], { encoding: 'utf8', env }).trim().split('\n')
    }
    assert.deepEqual(complete('re'), ['report', 'resume'])
    assert.deepEqual(complete('get', '--f'), ['--failed'])
    assert.deepEqual(complete('get', '-o', 'y'), ['yaml'])
    assert.deepEqual(complete('run', '--until', 'c'), ['conversion', 'calibration'])
    assert.deepEqual(complete('get', 'b'), ['brave-quasar'])
    assert.deepEqual(complete('rm', ''), ['@latest', 'brave-quasar', 'calm-pulsar'])
    assert.deepEqual(complete('catalogue', 'i'), ['import'])
    assert.deepEqual(complete('catalogue', 'import', '--freq'), ['--freq-mhz'])
    assert.deepEqual(complete('schema', 'im'), ['imaging'])
  },
)

for (const shell of ['zsh', 'fish']) {
  test(`${shell} takes the script`, { skip: has(shell) ? false : `${shell} not installed` }, async (t) => {
    const bench = workbench(t)
    const script = join(bench.folder, 'completion')
    writeFileSync(script, (await bench.cli('completion', shell)).out)
    execFileSync(shell, ['-n', script])
  })
}

test('the script for fish has every command with its options', async (t) => {
  const { out } = await workbench(t).cli('completion', 'fish')
  assert.match(out, /complete -c contimg -n '__fish_seen_subcommand_from get' -s w -l watch -d '/)
  assert.match(
    out,
    /complete -c contimg -f -n '__fish_seen_subcommand_from rm' -a '\(contimg list -o name 2>\/dev\/null\)'/,
  )
})

test('no command loads science when it starts', () => {
  const program = fileURLToPath(new URL('../../../orchestrator/cli/program.ts', import.meta.url))
  const code = `
    import { registerHooks } from 'node:module'
    const loaded = []
    registerHooks({ load: (url, context, next) => (loaded.push(url), next(url, context)) })
    const { describeProgram } = await import(${JSON.stringify(program)})
    const count = loaded.length
    await describeProgram({ env: {}, cwd: '/', out() {}, err() {}, now: () => new Date(0), random: () => 0, signal: new AbortController().signal, stagesDir: '/' })
    console.log(JSON.stringify({ first: loaded.slice(0, count), all: loaded }))`
  const { first, all } = JSON.parse(
    execFileSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8' }),
  ) as { first: string[]; all: string[] }
  assert.deepEqual(
    all.filter((url) => /runtime\/(formats|sky|numeric)\/|h5wasm|fast-png|prom-client|\.wasm/.test(url)),
    [],
  )
  // What every command pays for: no schemas, no YAML.
  assert.deepEqual(
    first.filter((url) => /node_modules\/(zod|yaml|execa|pino)\//.test(url)),
    [],
  )
})
