import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { html } from '#runtime/page/html.ts'
import type { RunEvent } from '../../orchestrator/pipeline/events.ts'
import { foldEvents } from '../../orchestrator/pipeline/state.ts'
import { buildReport, type RunReport } from '../../orchestrator/report/model.ts'
import { reportPage } from '../../orchestrator/report/page.ts'
import { traceColumns, traceTable } from '../../orchestrator/report/trace.ts'
import { campaignEvents } from '../pages/campaign.ts'
import { observation, workbench } from './workbench.ts'

const files = ['metrics.prom', 'report.html', 'report.json', 'trace.tsv']

function reportOf(events: readonly RunEvent[], rest: Partial<Parameters<typeof buildReport>[0]> = {}): RunReport {
  return buildReport({ root: '/data', state: foldEvents(events), events, ...rest })
}

test('text in a template is text, whatever it holds', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const page = html`<p title="${text}">${text}</p>`.markup
      assert.equal(
        page
          .slice('<p title="'.length, -'</p>'.length)
          .match(/[<>"']/g)
          ?.join('') ?? '',
        '">',
      )
    }),
  )
})

test('names and messages from outside cannot put markup into the page, nor rows into the trace', () => {
  const text = `\n\t<script>alert(1)</script>" onload="x`
  const report = reportOf(campaignEvents({ observations: 12, text }), {
    root: `/data${text}`,
    config: { run: { [`key${text}`]: text }, defaults: {} },
  })
  const page = reportPage(report)
  assert.doesNotMatch(page, /<script|<img src=x|" onload="/)
  assert.match(page, /&lt;script&gt;alert\(1\)/)
  const rows = traceTable(report.attempts).trimEnd().split('\n')
  assert.equal(rows.length, report.attempts.length + 1)
  for (const row of rows) assert.equal(row.split('\t').length, Object.keys(traceColumns).length)
})

test('a page asks for nothing but the quick-looks beside it', () => {
  const page = reportPage(reportOf(campaignEvents({ observations: 12 })))
  assert.doesNotMatch(page, /https?:|<script|@import|url\((?!#)/)
  assert.match(page, /default-src 'none'; img-src data: &#39;self&#39; file:;/)
  for (const [, address] of page.matchAll(/<img[^>]* src="([^"]*)"/g))
    assert.match(address ?? '', /^\.\.\/\.\.\/products\/.*\/quicklook\.png$/)
})

test('the report of hundreds of observations stays small: the worst first, the rest counted', () => {
  const report = reportOf(campaignEvents({ observations: 500 }))
  const page = reportPage(report)
  assert.ok(page.length < 3e6, `${page.length} bytes`)
  assert.match(page, /60 of \d+ observations: what failed, was tried again or took longest/)
  assert.match(page, /Attempts running at a time, by stage: at most 1"/)
  assert.ok(page.indexOf('OUT_OF_MEMORY') < page.indexOf('id="observations"'))
  const [first] = [
    ...page.slice(page.indexOf('<h2 id="observations-h"')).matchAll(/class="grade tone-of-\w+">\s*(\w+)/g),
  ]
  assert.equal(first?.[1], 'failed')
  const thousands = reportPage(reportOf(campaignEvents({ observations: 1500 })))
  assert.ok(thousands.length < 3e6, `${thousands.length} bytes`)
})

test('attempts are told with queue, phases, limits and what they used of them', () => {
  const { attempts, stages } = reportOf(campaignEvents({ observations: 8 }))
  const made = attempts.find(({ stage, number }) => stage === 'imaging' && number === 1)
  assert.ok(made !== undefined)
  assert.deepEqual(
    made.phases.map(({ name, seconds }) => [name, seconds]),
    [
      ['survey', 7],
      ['dirty', 7],
      ['clean', 7],
      ['write', 7.4],
    ],
  )
  assert.equal(made.wallSeconds, 28.4)
  assert.equal(made.queueSeconds, 0.1)
  assert.equal(made.memoryShare, (made.peakMemoryBytes ?? 0) / 2 ** 31)
  assert.equal(made.cpuShare, (28 * 1.4) / (28 * 2))
  const [first, second] = attempts.filter(
    ({ observation: id, stage }) => id === '20260201T003054' && stage === 'imaging',
  )
  assert.deepEqual([first?.class, first?.retried, first?.cpuSeconds], ['disrupted', true, null])
  assert.deepEqual([second?.class, second?.retried, second?.number], ['oom', false, 2])
  const waited = attempts.find(({ stage, waited: why }) => stage === 'calibration' && why.length > 0)
  assert.deepEqual([waited?.waited, waited?.queueSeconds], [['the solutions of 20260201T000000'], 2.1])
  const imaging = stages.find(({ stage }) => stage === 'imaging')
  assert.equal(imaging?.retries, 1)
  assert.ok((imaging?.enoughMemoryBytes ?? 0) >= 1.25 * (imaging?.peakMemoryBytes?.max ?? Infinity))
})

test('time between two sessions is not counted, and an attempt lost with its process is told', () => {
  const report = reportOf(campaignEvents({ observations: 6, interrupted: true }))
  assert.equal(report.sessions.length, 2)
  assert.ok(report.seconds < 600, `${report.seconds}`)
  const lost = report.attempts.filter((attempt) => attempt.class === 'lost')
  assert.equal(lost.length, 1)
  assert.ok((lost[0]?.wallSeconds ?? Infinity) < 1)
  assert.match(reportPage(report), /continued 2:00:00 h later/)
})

test('a clock that is set back makes no time negative', () => {
  const events = campaignEvents({ observations: 3 })
  const moved = events.map((event, index) =>
    index < events.length / 2 ? event : { ...event, at: new Date(Date.parse(event.at) - 3600_000).toISOString() },
  )
  const { attempts, seconds } = reportOf(moved)
  assert.ok(seconds > 0)
  for (const { queueSeconds, wallSeconds, phases } of attempts)
    for (const time of [queueSeconds, wallSeconds, ...phases.map((phase) => phase.seconds)]) assert.ok(time >= 0)
  reportPage(reportOf(moved))
})

test('every beginning of an event log has a report', () => {
  const events = campaignEvents({ observations: 11, interrupted: true })
  for (let length = 1; length <= events.length; length++) {
    const page = reportPage(reportOf(events.slice(0, length)))
    assert.match(page, /<\/html>/)
    assert.doesNotMatch(page, /NaN|undefined|Infinity|Invalid/)
  }
})

test('values that are not the default are marked, nothing else is', () => {
  const { settings } = reportOf(campaignEvents({ observations: 1 }), {
    config: {
      run: { imaging: { sizePixels: 2400, preset: 'standard' }, observations: ['a'], empty: {} },
      defaults: { imaging: { sizePixels: null, preset: 'standard' }, empty: {} },
    },
  })
  assert.deepEqual(
    settings.filter(({ changed }) => changed),
    [
      { key: 'imaging.sizePixels', value: 2400, changed: true, default: null },
      { key: 'observations', value: ['a'], changed: true, default: null },
    ],
  )
  assert.equal(settings.find(({ key }) => key === 'imaging.preset')?.changed, false)
})

test('commands of the page are ones that a shell takes, with the data root', () => {
  const events = campaignEvents({ observations: 12 })
  const report = reportOf(events, { root: `/it's mine` })
  assert.equal(report.command, `contimg run '/it'\\''s mine/runs/brave-quasar/config.yaml'`)
  assert.equal(
    report.problems.find(({ code }) => code === 'OUT_OF_MEMORY')?.command,
    `contimg resume brave-quasar --retry-failed --root '/it'\\''s mine'`,
  )
})

test('nothing links to a product that was removed', () => {
  const events = campaignEvents({ observations: 2 })
  const [gone] = reportOf(events).observations.flatMap(({ steps }) => steps.flatMap(({ product }) => product ?? []))
  const page = reportPage(reportOf(events, { gone: new Set([gone ?? '']) }))
  assert.ok(!page.includes(`${gone}/`))
  assert.match(page, /its product was removed since/)
})

test('the docs tell every column of the trace', () => {
  const docs = readFileSync(new URL('../../docs/running.md', import.meta.url), 'utf8')
  for (const [name, { help }] of Object.entries(traceColumns))
    assert.ok(docs.includes(`| \`${name}\` | ${help} |`), name)
})

test('a run leaves report, numbers and trace, and contimg report writes the same bytes anew', async (t) => {
  const bench = workbench(t)
  bench.give({ observations: [observation('20260125T222605')] })
  const { document } = await bench.run()
  const folder = join(bench.root, 'runs', document.run)
  const read = (): string[] => files.map((name) => readFileSync(join(folder, name), 'utf8'))
  const before = read()
  for (const name of files) rmSync(join(folder, name))
  assert.equal((await bench.cli('report', document.run)).exitCode, 0)
  assert.deepEqual(read(), before)
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.includes('.tmp')),
    [],
  )
  const report = JSON.parse(before[2] ?? '') as RunReport
  assert.equal(report.attempts.length, 4)
  for (const { limits, need } of report.attempts) assert.ok((limits?.memoryBytes ?? 0) > 0 && need !== null)
  assert.equal(report.inputs.length, 16)
  assert.ok(report.settings.some(({ key, changed }) => key === 'input' && changed))
})

test('a run that failed and one that was interrupted have a report', async (t) => {
  const bench = workbench(t)
  bench.give({ observations: [observation('20260125T222605')] })
  bench.script({ imaging: { error: 'DATA_UNUSABLE' } })
  const failed = await bench.run()
  assert.equal(failed.exitCode, 1)
  const page = readFileSync(join(bench.root, 'runs', failed.document.run, 'report.html'), 'utf8')
  assert.match(page, /What failed[\s\S]*the script asks for DATA_UNUSABLE[\s\S]*change the script/)
  const stopped = await bench.interrupted(
    /conversion +started/,
    130,
    'run',
    '--input',
    bench.input,
    '--name',
    'stopped',
    '--set',
    'conversion.deadAntennaFraction=0.9',
  )
  assert.equal(stopped.exitCode, 130)
  assert.ok(existsSync(join(bench.root, 'runs/stopped/report.html')))
  assert.match(readFileSync(join(bench.root, 'runs/stopped/report.html'), 'utf8'), /The run was interrupted/)
})
