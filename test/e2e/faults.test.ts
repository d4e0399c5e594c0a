import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { RunEvent } from '../../orchestrator/pipeline/events.ts'
import { runOutcome } from '../../orchestrator/pipeline/outcome.ts'
import type { ObservationState, RunState } from '../../orchestrator/pipeline/state.ts'
import { listQuarantine, type QuarantineItem } from '../../orchestrator/runs/quarantine.ts'
import { faultCases, type FaultCase } from './fault-cases.ts'
import { makeFault, runFolder, setOf } from './fault-folder.ts'
import { rawPrint } from './raw-print.ts'

/**
 * One folder that holds every fault of the table, each in an observation of its own, and a sound one. What contimg makes
 * of it in one run is held against the table; faults that need time or a terminal are in late-files.test.ts.
 */
const place = mkdtempSync(join(tmpdir(), 'contimg-faults-'))
const [input, root, soundInput, soundRoot] = ['in', 'root', 'sound-in', 'sound-root'].map((name) => join(place, name))
after(() => rmSync(place, { recursive: true, force: true }))

const cases = faultCases.filter(({ waitSeconds }) => waitSeconds === undefined)
/** Days apart, so that no name leads from one observation to another. */
const dayOf = (index: number): string => new Date(Date.UTC(2025, 2, 1 + index)).toISOString().slice(0, 10)
const SOUND_DAY = '2025-02-01'

let state: RunState
let events: RunEvent[]
let soundState: RunState
let aside: QuarantineItem[]
let printBefore: string[]

before(async () => {
  mkdirSync(input)
  mkdirSync(soundInput)
  await makeFault({ faults: [] }, { folder: input, startUtc: `${SOUND_DAY}T03:00:00Z` })
  for (const [index, fault] of cases.entries()) {
    const startUtc = `${dayOf(index)}T03:00:00Z`
    await makeFault(fault, { folder: input, startUtc })
    if (fault.asSound === true) await makeFault({ ...fault, faults: [] }, { folder: soundInput, startUtc })
  }
  printBefore = rawPrint(input)
  ;({ state, events } = await runFolder(input, root))
  soundState = (await runFolder(soundInput, soundRoot)).state
  aside = await listQuarantine(root)
})

for (const [index, fault] of cases.entries()) {
  test(`${fault.row}: ${fault.form} -> ${fault.answer}, exit ${fault.exit}`, () => {
    const day = dayOf(index).replaceAll('-', '')
    const all = state.observations.filter(({ id }) => id.startsWith(day))
    const main = all.find(({ id }) => id === `${day}T030000`) ?? all[0]
    assert.ok(main, `no observation of ${day}`)
    assertAnswer(fault, main)
    assert.equal(exitCodeOf(all), fault.exit)
    const said = wordsOn(day, all)
    assert.match(said, fault.says ?? /./)
    for (const item of aside.filter(({ observation }) => observation.startsWith(day))) {
      assert.equal(item.code, fault.code)
      assert.ok((item.hint ?? '').length > 10 && item.evidence.length === 1, JSON.stringify(item))
    }
  })
}

test('the sound observation of the same folder is converted, and nothing is said of it', () => {
  const sound = state.observations.find(({ id }) => id.startsWith(SOUND_DAY.replaceAll('-', '')))
  assert.deepEqual([sound?.status, qualityOf(sound)?.verdict], ['done', 'good'])
  assert.equal(state.exitCode, 1)
})

test('the raw files are what and where they were, to the byte and the time', () => {
  assert.deepEqual(rawPrint(input), printBefore)
})

function assertAnswer(fault: FaultCase, { id, status, error, steps }: ObservationState): void {
  const { answer, absent = [], checks = {}, code } = fault
  if (answer === 'refused') assert.deepEqual([status, error?.code, steps.length], ['failed', code, 1])
  else if (answer === 'parked' || answer === 'failed') {
    assert.deepEqual([status, error?.code], [answer === 'parked' ? 'skipped' : 'failed', code])
    assert.equal(steps.length, 0)
    assert.ok((error?.hint ?? '').length > 10)
  } else {
    const found = qualityOf({ steps })
    assert.equal(status, 'done', `${error?.message}`)
    const worse = Object.fromEntries(
      found?.checks.filter(({ verdict }) => verdict !== 'good').map(({ name, verdict }) => [name, verdict]) ?? [],
    )
    assert.deepEqual(worse, checks)
    assert.deepEqual(absentIn(found), absent.length === 0 ? '' : absent.join(', '))
  }
  const own = aside.filter(({ observation }) => observation.startsWith(id.slice(0, 8)))
  const files = { converted: 0, gap: 0, parked: 0, refused: 0, 'set aside': undefined, failed: undefined }[answer]
  if (files === undefined) assert.ok(own.length > 0, 'nothing is set aside')
  else assert.equal(own.length, files)
  if (fault.asSound !== true) return
  const sound = soundState.observations.find((observation) => observation.id === id)
  assert.ok(sound)
  assert.deepEqual(samplesOf(setOf(root, { steps })), samplesOf(setOf(soundRoot, sound)))
}

function exitCodeOf(observations: ObservationState[]): number {
  return runOutcome({ ...state, observations }, { failOn: 'bad', interrupted: undefined }).exitCode
}

function qualityOf(
  observation: Pick<ObservationState, 'steps'> | undefined,
): { verdict: string; checks: readonly { name: string; verdict: string; message: string }[] } | undefined {
  return observation?.steps[0]?.product?.quality
}

/** The absent subbands that the check names. */
function absentIn(found: ReturnType<typeof qualityOf>): string {
  const message = found?.checks.find(({ name }) => name === 'subbands')?.message ?? ''
  return /absent and flagged: (.*)$/.exec(message)?.[1] ?? ''
}

/** Everything that is said of the observations of a day. */
function wordsOn(day: string, observations: ObservationState[]): string {
  const dashed = `${day.slice(0, 4)}-${day.slice(4, 6)}-${day.slice(6)}`
  const notes = events.flatMap((event) =>
    event.type === 'run.note' && (event.message.includes(day) || event.message.includes(dashed)) ? [event.message] : [],
  )
  const ofSteps = events.flatMap((event) =>
    event.type === 'step.finished' && observations.some(({ id }) => id === event.step.observation)
      ? event.warnings
      : [],
  )
  const own = observations.flatMap((observation) => [
    observation.error?.message ?? '',
    ...(qualityOf(observation)?.checks.map(({ message }) => message) ?? []),
  ])
  return [...notes, ...ofSteps, ...own].join('\n')
}

/** The rows and samples of a set: all of its main table but what names the raw files. */
function samplesOf(folder: string): [string, string][] {
  return readdirSync(folder)
    .filter((name) => name.startsWith('table.f'))
    .sort()
    .map((name) => [
      name,
      createHash('sha256')
        .update(readFileSync(join(folder, name)))
        .digest('hex'),
    ])
}
