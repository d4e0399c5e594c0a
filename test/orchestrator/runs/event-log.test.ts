import assert from 'node:assert/strict'
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { openEventLog, readEvents } from '../../../orchestrator/runs/event-log.ts'

const folder = mkdtempSync(join(tmpdir(), 'contimg-event-log-'))
after(() => rmSync(folder, { recursive: true }))
const now = (): Date => new Date('2026-01-25T22:26:05Z')

test('events come back in order with their time', () => {
  const path = join(folder, 'order.ndjson')
  const log = openEventLog(path, now)
  log.append({ type: 'run.note', level: 'info', message: 'one' })
  log.append({ type: 'run.note', level: 'info', message: 'two' })
  log.close()
  assert.deepEqual(readEvents(path), [
    { at: '2026-01-25T22:26:05.000Z', type: 'run.note', level: 'info', message: 'one' },
    { at: '2026-01-25T22:26:05.000Z', type: 'run.note', level: 'info', message: 'two' },
  ])
})

test('a half-written last line is left out on reading and cut off on opening', () => {
  const path = join(folder, 'torn.ndjson')
  const log = openEventLog(path, now)
  assert.equal(log.repaired, false)
  log.append({ type: 'run.note', level: 'info', message: 'one' })
  log.close()
  appendFileSync(path, '{"type":"run.note","lev')
  assert.equal(readEvents(path).length, 1)
  const again = openEventLog(path, now)
  assert.equal(again.repaired, true)
  again.append({ type: 'run.note', level: 'info', message: 'two' })
  again.close()
  assert.deepEqual(
    readEvents(path).map((event) => (event.type === 'run.note' ? event.message : '')),
    ['one', 'two'],
  )
  assert.ok(readFileSync(path, 'utf8').endsWith('\n'))
})

test('a damaged line in the middle is an error that names the place', () => {
  const path = join(folder, 'damaged.ndjson')
  writeFileSync(path, 'garbage\n{"type":"run.note","at":"","level":"info","message":""}\n')
  assert.throws(() => readEvents(path), /damaged\.ndjson:1/)
})

test('a clock that steps back makes no event older than the one before it, also when the run is taken up later', () => {
  const path = join(folder, 'clock.ndjson')
  const times = ['22:26:05', '22:26:07', '21:26:07', '21:26:08', '22:30:00'].map(
    (time) => new Date(`2026-01-25T${time}Z`),
  )
  const log = openEventLog(path, () => times.shift() ?? new Date(0))
  for (let index = 0; index < 5; index++) log.append({ type: 'run.note', level: 'info', message: '' })
  log.close()
  const again = openEventLog(path, () => new Date('2026-01-25T20:00:00Z'))
  again.append({ type: 'run.note', level: 'info', message: '' })
  again.close()
  const stamps = readEvents(path).map(({ at }) => Date.parse(at))
  assert.deepEqual(
    stamps,
    stamps.toSorted((a, b) => a - b),
  )
  assert.equal(stamps[4], Date.parse('2026-01-25T22:30:00Z'))
  // It went on by what has passed since, not by what the clock claims.
  for (const index of [2, 3, 5]) assert.ok((stamps[index] ?? 0) - (stamps[index - 1] ?? 0) < 1000)
})
