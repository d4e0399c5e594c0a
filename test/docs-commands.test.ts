// The blocks of commands in README.md and docs/ run as they stand, in folders where what they speak of exists.
import assert from 'node:assert/strict'
import { globSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { commandBlocks, freshCopy, OWN_DATA, prepareFolder, runLine } from './command-lines.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const pages = ['README.md', ...globSync('docs/*.md', { cwd: root }).sort()]

/** What does not run here, and why. A line that fits none of these runs. */
const notRun: readonly (readonly [RegExp, string])[] = [
  [/^git clone |^npm (run|ci|test|install)\b/, 'installs or tests everything: .ci/run does that'],
  [/ --full\b/, 'writes 2.3 GB'],
  [/^node bench\//, 'a benchmark: minutes of work, most of it on data of full size'],
  [/^node test\/fuzz\//, 'runs until it is stopped; the tests run a part of fixed seed'],
  [/^cp .* \/var\/lib\//, 'writes outside of the checkout'],
]

/** Exit codes other than 0 that a line is meant to end with. */
const expected: readonly (readonly [RegExp, readonly number[]])[] = [
  [/^contimg doctor/, [0, 2]],
  // Science answers with a bad verdict, scripted stages do not.
  [/--uncalibrated/, [0, 3]],
]

describe('blocks of commands in the pages', () => {
  let prepared = ''
  before(async () => {
    prepared = await prepareFolder()
  })
  after(() => rmSync(prepared, { recursive: true, force: true }))

  for (const page of pages) {
    for (const { heading, lines } of commandBlocks(join(root, page))) {
      // With the real stages, in one folder: test/e2e/tutorial.test.ts.
      if (page === 'docs/tutorial.md' && heading !== OWN_DATA) continue
      const name = `${basename(page)}, ${heading}`
      let folder: string | undefined
      for (const line of lines) {
        const why = notRun.find(([pattern]) => pattern.test(withoutNpx(line)))?.[1]
        test(`${name}: ${line}`, { skip: why ?? false }, async () => {
          // What a line makes the next ones use; else each finds things as they were.
          const carries = /\b(simulate|import)\b/.test(line)
          folder ??= freshCopy(prepared)
          await run(line, folder)
          if (carries) return
          if (!lines.some((other) => /\b(simulate|import)\b/.test(other))) {
            rmSync(folder, { recursive: true, force: true })
            folder = undefined
          }
        })
      }
      after(() => folder !== undefined && rmSync(folder, { recursive: true, force: true }))
    }
  }
})

test('most pages have blocks of commands', () => {
  assert.ok(pages.filter((page) => commandBlocks(join(root, page)).length > 0).length >= 6)
})

async function run(line: string, folder: string): Promise<void> {
  const command = withoutNpx(line)
  assert.match(command, /^contimg /, 'a line that is no contimg command must be in the list of what does not run')
  const { exitCode, out, err } = await runLine(command, folder)
  const codes = expected.find(([pattern]) => pattern.test(command))?.[1] ?? [0]
  assert.ok(codes.includes(exitCode), `exit code ${exitCode}\n${out}${err}`)
}

function withoutNpx(line: string): string {
  return line.replace(/^npx /, '')
}
