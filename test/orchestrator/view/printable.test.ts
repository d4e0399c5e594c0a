import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { runCli } from '../../../orchestrator/cli/program.ts'
import { printableLine, printableText } from '../../../orchestrator/view/printable.ts'
import { completeRun } from '../../fuzz/targets/run-events.ts'
import { workbench } from '../workbench.ts'

/** Changes the title, the colour, hides text, moves up and clears, rings, begins a line, turns the direction of writing. */
const hostile =
  '\u001b]0;owned\u0007\u001b[31mred\u001b[8mhidden\u001b[2A\u001b[J\u009b1A\r\u0008\u007f\u0007\n\u2714 all good\u202Egnp'

const controls = /(?!\n)\p{Cc}|[\u202a-\u202e\u2066-\u2069]/u

test('a line keeps what can be seen and shows the rest', () => {
  assert.equal(printableLine('imaging  ångström – ✔ 銀河'), 'imaging  ångström – ✔ 銀河')
  assert.equal(printableLine('a\u001b[31mb\u0007\n\tc\u009b\u202e'), 'a\\x1b[31mb\\x07\\n\\tc\\x9b\\u202e')
  assert.equal(printableText('a\n\tb\r'), 'a\n\tb\\x0d')
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      assert.doesNotMatch(printableLine(text), controls)
      assert.doesNotMatch(printableLine(text), /\n/)
    }),
  )
})

for (const colour of [false, true]) {
  test(`names and messages do not reach the terminal as they are, ${colour ? 'with' : 'without'} colours`, async (t) => {
    const bench = workbench(t)
    const run = join(bench.root, 'runs', 'brave-quasar')
    mkdirSync(join(run, 'logs'), { recursive: true })
    const events = completeRun(hostile)
    writeFileSync(join(run, 'events.ndjson'), `${events.map((event) => JSON.stringify(event)).join('\n')}\n`)
    writeFileSync(
      join(run, 'logs', 'imaging.log'),
      `${JSON.stringify({ level: 30, msg: hostile })}\n${hostile.replaceAll('\n', ' ')}\n`,
    )
    bench.give({
      faults: [{ file: hostile, code: 'DATA_UNREADABLE', message: hostile, hint: hostile }],
      warnings: [{ message: hostile }],
    })
    const commands = [
      ['get'],
      ['get', '-o', 'wide'],
      ['list'],
      ['list', '-o', 'wide'],
      ['logs'],
      ['logs', '--raw'],
      ['scan', bench.input],
      ['run', '--input', bench.input],
      ['plan', '--input', bench.input],
      ['run', '--input', bench.input, '--set', `imaging.${hostile}=1`],
      ['quarantine'],
      ['quarantine', '-o', 'wide'],
      ['get', hostile],
      ['report'],
      ['-o', hostile],
    ]
    for (const argv of commands) {
      let said = ''
      const exitCode = await runCli(argv, {
        env: {
          CONTIMG_ROOT: bench.root,
          LANG: 'C.UTF-8',
          ...(colour ? { FORCE_COLOR: '1', TERM: 'xterm' } : { NO_COLOR: '1' }),
        },
        cwd: bench.folder,
        out: (text) => (said += text),
        err: (text) => (said += text),
        terminal: { columns: () => 100, rows: () => 40, cursor: () => undefined },
        outIsTerminal: colour,
        now: () => new Date(),
        random: Math.random,
        signal: new AbortController().signal,
        stagesDir: join(import.meta.dirname, '../../fixtures/stages'),
      })
      // Its own colours, and how it draws a block in place.
      const own = [String.raw`\x1b\[(?!8m)\d+m`, String.raw`\x1b\[\?2026[hl]`, String.raw`\r?\x1b\[\d+A\x1b\[J`]
      const rest = said.replaceAll(new RegExp(own.join('|'), 'g'), '')
      assert.doesNotMatch(rest, controls, `${argv.join(' ')} (${exitCode})`)
      assert.doesNotMatch(rest, /^\u2714 all good/m, argv.join(' '))
    }
  })
}
