// Every command has a help text with examples, and they do what they say.
import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { describeProgram } from '../orchestrator/cli/program.ts'
import { examplesOf, freshCopy, parseLine, prepareFolder, runLine } from './command-lines.ts'

/** Exit codes other than 0 that an example is meant to end with here. */
const expected: readonly (readonly [RegExp, readonly number[]])[] = [
  // Nobody works on the run; test/e2e/cancel.test.ts cancels one that is working.
  [/^contimg cancel /, [2]],
  // It says what this machine lacks, if it does.
  [/^contimg doctor/, [0, 2]],
]

const program = await describeProgram({
  env: {},
  cwd: '/',
  out: () => undefined,
  err: () => undefined,
  now: () => new Date(0),
  random: () => 0,
  signal: new AbortController().signal,
  stagesDir: '/',
})
const commands = program.commands.flatMap((command) => (command.commands.length > 0 ? command.commands : [command]))

describe('the examples of the help texts', () => {
  let prepared = ''
  before(async () => {
    prepared = await prepareFolder()
  })
  after(() => rmSync(prepared, { recursive: true, force: true }))

  for (const command of commands) {
    let help = ''
    command.configureOutput({ writeOut: (text) => (help += text), getOutHelpWidth: () => 100 })
    command.outputHelp()
    const examples = examplesOf(help)
    test(`${command.name()} has examples`, () => {
      assert.ok(examples.length > 0)
    })
    // What one example has simulated the next ones may use; else each finds things as they were.
    let kept: string | undefined
    for (const line of examples) {
      test(line, async (t) => {
        const folder = kept ?? freshCopy(prepared)
        if (line.startsWith('contimg simulate')) kept = folder
        else if (kept === undefined) t.after(() => rmSync(folder, { recursive: true, force: true }))
        if (/--full\b/.test(line)) return t.skip('writes 2.3 GB')
        const { exitCode, out, err } = await runLine(line, folder)
        const codes = expected.find(([pattern]) => pattern.test(line))?.[1] ?? [0]
        assert.ok(codes.includes(exitCode), `exit code ${exitCode}\n${err}`)
        if (parseLine(line, folder).argv.join(' ').includes('-o json')) assert.ok(JSON.parse(out))
      })
    }
    after(() => kept !== undefined && rmSync(kept, { recursive: true, force: true }))
  }
})
