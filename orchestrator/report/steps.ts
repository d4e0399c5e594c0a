import { caption, scrollTable } from '#runtime/page/document.ts'
import { html, type Html } from '#runtime/page/html.ts'
import { bytes, span } from '../view/format.ts'
import type { AttemptReport } from './attempts.ts'
import { linkTo } from './links.ts'
import type { ObservationReport, RunReport, StepReport } from './model.ts'
import { gradeClass } from './outcome.ts'

/** More rows than this make a page that is slow to open; the trace has all. */
const MOST_ROWS = 400
const MOST_FAILED = 100

/** Attempts that did not succeed: how they ended, the evidence for it, and whether another followed. */
export function retriesSection({ attempts }: RunReport): Html {
  const failed = attempts.filter((attempt) => attempt.class !== 'succeeded' && attempt.class !== 'running')
  if (attempts.length === 0) return html`<p>Nothing was attempted.</p>`
  if (failed.length === 0) return html`<p>Every attempt succeeded.</p>`
  const shown = failed.slice(0, MOST_FAILED)
  return scrollTable(
    'Attempts that did not succeed',
    html`<table>
      ${caption(shown.length < failed.length ? `The first ${shown.length} of ${failed.length} attempts that did not succeed.` : 'Attempts that did not succeed.')}
      <thead>
        <tr>
          <th scope="col">Observation</th>
          <th scope="col">Stage</th>
          <th scope="col" class="number">Attempt</th>
          <th scope="col">Ended</th>
          <th scope="col">Evidence</th>
          <th scope="col" class="number">After</th>
          <th scope="col" class="number">Peak memory</th>
          <th scope="col">Then</th>
          <th scope="col">Log</th>
        </tr>
      </thead>
      <tbody>
        ${shown.map(failedRow)}
      </tbody>
    </table>`,
  )
}

function failedRow(attempt: AttemptReport): Html {
  const { observation, stage, number, evidence, wallSeconds, peakMemoryBytes, limits, retried, log } = attempt
  const peak = peakMemoryBytes === null ? '–' : bytes(peakMemoryBytes)
  return html`<tr>
    <th scope="row" class="id">${observation}</th>
    <td>${stage}</td>
    <td class="number">${number}</td>
    <td class="grade tone-of-bad">${attempt.class}</td>
    <td class="reason">${evidence.join('; ') || '–'}</td>
    <td class="number">${span(wallSeconds)}</td>
    <td class="number">
      ${peak}${limits !== null && html`<br /><span class="shown">of ${bytes(limits.memoryBytes)}</span>`}
    </td>
    <td>${retried ? 'tried again' : 'given up'}</td>
    <td>${linkTo(log, 'log', `attempt ${number} of ${stage} of ${observation}`)}</td>
  </tr>`
}

/** Every step: what came of it, what it used, and where its result, checks and logs are. */
export function stepsSection({ observations, attempts }: RunReport): Html {
  const all = observations.flatMap((observation) => observation.steps.map((step) => ({ observation, step })))
  if (all.length === 0) return html`<p>No step was planned.</p>`
  const shown = all.length > MOST_ROWS ? [...all].sort(interest).slice(0, MOST_ROWS) : all
  const logs = new Map(attempts.map(({ observation, stage, key, log }) => [`${observation} ${stage} ${key}`, log]))
  const table = scrollTable(
    'Steps',
    html`<table>
      ${caption(shown.length < all.length ? `${shown.length} of ${all.length} steps: what failed or is bad, then what took longest. All attempts are in trace.tsv.` : 'Reused steps show what they used when they were made.')}
      <thead>
        <tr>
          <th scope="col">Observation</th>
          <th scope="col">Stage</th>
          <th scope="col">State</th>
          <th scope="col">Verdict</th>
          <th scope="col" class="number">Wall</th>
          <th scope="col" class="number">CPU</th>
          <th scope="col" class="number">Peak memory</th>
          <th scope="col" class="number">Scratch</th>
          <th scope="col">More</th>
        </tr>
      </thead>
      <tbody>
        ${shown.map(({ observation, step }) => stepRow(observation, step, logs.get(`${observation.id} ${step.stage} ${step.key}`)))}
      </tbody>
    </table>`,
  )
  return all.length > 40
    ? html`<details>
        <summary>${all.length} steps</summary>
        ${table}
      </details>`
    : table
}

function stepRow({ id }: ObservationReport, step: StepReport, log: string | undefined): Html {
  const { stage, status, verdict, usage, limits, product, gone, miss, warnings, error, waiting } = step
  const state = status === 'cached' ? 'reused' : status
  const about = `${stage} of ${id}`
  const notes = [
    ...(error === null ? [] : [`${error.message.split('\n')[0]} [${error.code}]`]),
    ...(status === 'planned' && waiting !== null ? [`waits: ${waiting}`] : []),
    ...(gone ? ['its product was removed since'] : []),
    ...(miss === null ? [] : [`made again: ${miss}`]),
    ...warnings,
  ]
  const memory = usage === null ? '–' : bytes(usage.peakMemoryBytes)
  return html`<tr>
    <th scope="row" class="id">${id}</th>
    <td>${stage}</td>
    <td class="${['failed', 'skipped', 'cancelled'].includes(status) ? gradeClass(status) : ''}">${state}</td>
    <td class="${verdict === null ? '' : gradeClass(verdict)}">${verdict ?? '–'}</td>
    <td class="number">${usage === null ? '–' : span(usage.wallSeconds)}</td>
    <td class="number">${usage === null ? '–' : span(usage.cpuSeconds)}</td>
    <td class="number">
      ${memory}${usage !== null && limits !== null && html`<br /><span class="shown">${share(usage.peakMemoryBytes, limits.memoryBytes)}</span>`}
    </td>
    <td class="number">${usage === null ? '–' : bytes(usage.peakScratchBytes)}</td>
    <td class="reason">
      <span class="links"
        >${product !== null && !gone && [linkTo(`${product}/`, 'product', about), linkTo(`${product}/result.json`, 'result', about), linkTo(`${product}/stage.log`, 'stage log', about)]}${log !== undefined && linkTo(log, 'log', about)}</span
      >${
        notes.length > 0 &&
        html`<ul>
          ${notes.map((note) => html`<li>${note}</li>`)}
        </ul>`
      }
    </td>
  </tr> `
}

function share(used: number, limit: number): string {
  return limit > 0 ? `${Math.round((100 * used) / limit)} % of ${bytes(limit)}` : ''
}

type Placed = { step: StepReport }

function interest(a: Placed, b: Placed): number {
  return rank(a.step) - rank(b.step) || (b.step.usage?.wallSeconds ?? 0) - (a.step.usage?.wallSeconds ?? 0)
}

function rank({ status, verdict }: StepReport): number {
  if (status === 'failed' || status === 'cancelled' || status === 'running') return 0
  return verdict === 'bad' ? 1 : status === 'skipped' ? 2 : 3
}
