// What a terminal shows, as pictures of text: changes are looked at and accepted with --test-update-snapshots.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { stripVTControlCharacters } from 'node:util'
import type { RunEvent } from '../../../orchestrator/pipeline/events.ts'
import { liveName, type LiveSteps } from '../../../orchestrator/pipeline/live.ts'
import { applyEvent, emptyState, foldEvents } from '../../../orchestrator/pipeline/state.ts'
import { closingLines } from '../../../orchestrator/view/closing.ts'
import { liveLines } from '../../../orchestrator/view/live.ts'
import { linked, paint } from '../../../orchestrator/view/paint.ts'
import { plainLines } from '../../../orchestrator/view/plain.ts'
import { busyRun, campaign, corrupt, failingRun, good, partialRun, stepOf, timeOf } from './story.ts'

const folder = fileURLToPath(new URL('../../golden/transcripts', import.meta.url))
const place = { root: '/data/contimg', rootFlag: ' --root /data/contimg' }
const GIB = 2 ** 30

const imagingOf = (observation: string): LiveSteps =>
  new Map([
    [
      liveName(stepOf(observation, 'imaging')),
      {
        progress: { done: 8, total: 13, unit: 'passes' },
        usage: { memoryBytes: 1.6 * GIB, scratchBytes: 0.3 * GIB, cpus: 3.7 },
      },
    ],
  ])

function same(t: TestContext, name: string, lines: readonly string[]): void {
  t.assert.fileSnapshot(`${lines.join('\n')}\n`, join(folder, `${name}.txt`), { serializers: [String] })
}

/** All that is said while a run goes on, without a terminal. */
function plainTranscript(
  events: readonly RunEvent[],
  options: { utf8: boolean; columns?: number; drawn?: boolean },
): string[] {
  const state = emptyState()
  return events.flatMap((event) => {
    applyEvent(state, event)
    return plainLines(event, state, { ...place, ...options })
  })
}

for (const columns of [60, 100, 200]) {
  test(`a run at work on a terminal of ${columns} columns`, (t) => {
    const options = { columns, rows: 40, now: timeOf(120), live: imagingOf(corrupt), utf8: true }
    const lines = liveLines(foldEvents(busyRun()), options)
    for (const line of lines) assert.ok(line.length < columns, line)
    same(t, `busy-${columns}`, lines)
  })
}

test('a run at work in words', (t) => {
  const options = { columns: 100, rows: 40, now: timeOf(120), live: imagingOf(corrupt), utf8: false }
  const lines = liveLines(foldEvents(busyRun()), options)
  for (const line of lines) assert.match(line, /^[ -~]*$/)
  same(t, 'busy-words', lines)
})

test('a run of three, one of them fit to be imaged, on a terminal', (t) => {
  const events = partialRun()
  const during = events.filter(({ at }) => Date.parse(at) <= timeOf(60))
  same(t, 'partial-terminal', [
    ...plainTranscript(during, { utf8: true, columns: 100, drawn: true }),
    ...liveLines(foldEvents(during), { columns: 100, rows: 40, now: timeOf(60), live: imagingOf(good), utf8: true }),
    '',
    ...closingLines(foldEvents(events), { ...place, utf8: true, columns: 100 }),
  ])
})

test('a run of three, one of them fit to be imaged, in a log file', (t) => {
  const events = partialRun()
  const lines = [
    ...plainTranscript(events, { utf8: false }),
    '',
    ...closingLines(foldEvents(events), { ...place, utf8: false }),
  ]
  for (const line of lines) assert.match(line, /^[ -~]*$/)
  same(t, 'partial-log', lines)
})

test('a failure says what, why, its last words, the fix with the command, what is kept and where the logs are', (t) => {
  const events = failingRun()
  same(t, 'failure', [
    ...plainTranscript(events, { utf8: true, columns: 100 }),
    '',
    ...closingLines(foldEvents(events), { ...place, utf8: true, columns: 100 }),
  ])
})

test('many observations fold into a line a state, and the most interesting stay', (t) => {
  const events = campaign(60)
  const now = Date.parse(events.at(-1)?.at ?? '') + 5000
  const options = { columns: 100, rows: 40, now, live: new Map(), utf8: true }
  const lines = liveLines(foldEvents(events), options)
  same(t, 'campaign', lines)
  // However small the window, the block fits, or the terminal would scroll at each redraw.
  for (let rows = 3; rows < 40; rows++)
    assert.ok(liveLines(foldEvents(events), { ...options, rows }).length <= rows - 2, `${rows}`)
})

test('two hundred equal failures are one message with their number and three examples', (t) => {
  const events = campaign(1000, { ended: true })
  const said = plainTranscript(events, { utf8: true }).filter((line) => line.includes('OUT_OF_MEMORY'))
  const lines = closingLines(foldEvents(events), { ...place, utf8: true, columns: 100 })
  assert.equal(lines.filter((line) => line.includes('[OUT_OF_MEMORY]')).length, 1)
  same(t, 'equal-failures', [...said, '', ...lines])
})

test('colours and links change nothing but the look', () => {
  const lines = [
    ...liveLines(foldEvents(busyRun()), { columns: 100, rows: 40, now: timeOf(120), live: new Map(), utf8: true }),
    ...closingLines(foldEvents(partialRun()), { ...place, utf8: true }),
  ]
  const shown = linked(paint(lines))
  assert.deepEqual(shown.map(stripVTControlCharacters), lines)
  assert.ok(shown.some((line) => line.includes('\u001b[32m✔')))
  assert.ok(
    shown.some((line) => line.includes(`]8;;file:///data/contimg/products/${good}/imaging/k/image-pb-corrected.fits`)),
  )
})

test('no width and no height breaks the block', () => {
  const states = [busyRun(), partialRun(), failingRun(), campaign(30)].map(foldEvents)
  for (const state of states)
    for (let columns = 1; columns < 130; columns += 3)
      for (const utf8 of [true, false])
        for (const line of liveLines(state, { columns, rows: 20, now: timeOf(100), live: imagingOf(corrupt), utf8 }))
          assert.ok(line.length <= Math.max(1, columns - 1), `${columns}: ${line}`)
})
