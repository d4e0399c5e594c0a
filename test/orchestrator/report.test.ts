import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import type { RunEvent } from '../../orchestrator/pipeline/events.ts'
import { foldEvents } from '../../orchestrator/pipeline/state.ts'
import { html } from '#runtime/page/html.ts'
import { buildReport } from '../../orchestrator/report/model.ts'
import { reportPage } from '../../orchestrator/report/page.ts'

test('text in a template is text, whatever it holds', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
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

test('names and messages from outside cannot put markup into the page', () => {
  const hostile = '<script>alert(1)</script>'
  const events: RunEvent[] = [
    {
      at: '2026-01-25T22:26:05Z',
      type: 'run.started',
      run: 'x',
      version: '1',
      input: hostile,
      executor: 'local',
      pid: 1,
      continued: false,
    },
    { at: '2026-01-25T22:26:05Z', type: 'run.note', level: 'warn', message: hostile },
    {
      at: '2026-01-25T22:26:06Z',
      type: 'observation.rejected',
      observation: hostile,
      status: 'failed',
      error: { code: 'DATA_UNREADABLE', message: hostile, hint: hostile },
      quarantined: true,
    },
    { at: '2026-01-25T22:26:07Z', type: 'run.finished', status: 'failed', exitCode: 1, seconds: 2 },
  ]
  const page = reportPage(buildReport({ root: hostile, state: foldEvents(events), events }))
  assert.doesNotMatch(page, /<script/)
  assert.match(page, /&lt;script&gt;/)
})
