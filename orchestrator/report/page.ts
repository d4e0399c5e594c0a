import { fact, pageDocument, type PageSection } from '#runtime/page/document.ts'
import { html, type Html } from '#runtime/page/html.ts'
import { statuses } from '../pipeline/state.ts'
import { count, enumeration, span } from '../view/format.ts'
import { observationsSection, problemsSection } from './observations.ts'
import type { RunReport } from './model.ts'
import { outcomeOf } from './outcome.ts'
import { provenanceSection } from './provenance.ts'
import { resourcesSection } from './resources.ts'
import { retriesSection, stepsSection } from './steps.ts'
import { style } from './style.ts'
import { timelineSection } from './timeline.ts'
import { trendsSection } from './trends.ts'

/** The page of a run: one file that asks no network for anything; pictures and products are links beside it. */
export function reportPage(report: RunReport): string {
  const trends = trendsSection(report)
  const sections: PageSection[] = [
    ...(report.problems.length === 0 ? [] : [{ id: 'problems', title: 'What failed', body: problemsSection(report) }]),
    { id: 'observations', title: 'Observations', body: observationsSection(report) },
    ...(trends === undefined ? [] : [{ id: 'trends', title: 'Trends', body: trends }]),
    { id: 'timeline', title: 'Timeline', body: timelineSection(report) },
    { id: 'resources', title: 'Resources', body: resourcesSection(report) },
    { id: 'retries', title: 'Retries', body: retriesSection(report) },
    { id: 'steps', title: 'Steps', body: stepsSection(report) },
    { id: 'provenance', title: 'Provenance', body: provenanceSection(report) },
    ...(report.notes.length === 0 ? [] : [{ id: 'notes', title: 'Notes', body: notesSection(report) }]),
  ]
  return pageDocument({
    title: `Run ${report.run}: ${headline(report)}`,
    style,
    // Quick-looks lie beside the page; a page from a disk has no origin of its own.
    pictures: "'self' file:",
    banner: banner(report),
    sections,
    footer: html`Written by contimg, the continuum imaging pipeline for the DSA-110;
      <code>contimg report ${report.run}</code> writes it anew. All numbers of this page are in
      <a href="report.json">report.json</a>, every attempt in <a href="trace.tsv">trace.tsv</a>.`,
  })
}

const words: Record<RunReport['status'], { short: string; sentence: string }> = {
  planned: { short: 'not begun', sentence: 'The run has not begun' },
  running: { short: 'running', sentence: 'The run is not over' },
  cached: { short: 'done', sentence: 'The run is done' },
  done: { short: 'done', sentence: 'The run is done' },
  failed: { short: 'failed', sentence: 'The run is over, but not everything was done' },
  skipped: { short: 'skipped', sentence: 'The run is over, but nothing could be done' },
  cancelled: { short: 'interrupted', sentence: 'The run was interrupted' },
}

function headline(report: RunReport): string {
  const found = outcomes(report)
  return `${words[report.status].short}${found.length === 0 ? '' : `, ${found.join(', ')}`}`
}

/** Fewer finished observations make no rate. */
const FEWEST_FOR_RATE = 4

const outcomeWords = ['good', 'uncertain', 'bad', 'not run', ...statuses] as const

/** How many observations have which verdict, or which state where they were not finished. */
function outcomes({ observations }: RunReport): string[] {
  const found = observations.map(outcomeOf)
  return outcomeWords.flatMap((word) => {
    const n = found.filter((each) => each === word).length
    return n === 0 ? [] : [`${n} ${word}`]
  })
}

function banner(report: RunReport): Html {
  const { counts, status, exitCode, cpuSeconds } = report
  return html`<h1>Run ${report.run}</h1>
    <div class="verdict tone-of-${tone(report)}" role="status">
      <p><strong>${sentence(report)}</strong></p>
      <p>${advice(report)}</p>
    </div>
    <dl class="facts">
      ${fact('Started (UTC)', report.startedAt.slice(0, 19).replace('T', ' '))}
      ${fact('Took', `${span(report.seconds)}${report.sessions.length > 1 ? ` in ${report.sessions.length} sessions` : ''}`)}
      ${fact('CPU time', span(cpuSeconds))} ${fact('Rate', rate(report))}
      ${fact('Steps', `${counts.ran} run, ${counts.reused} reused, ${count(counts.retries, 'retry', 'retries')}`)}
      ${fact('Input', report.input)} ${fact('Data root', report.root)}
      ${fact('contimg', `${report.version}, ${report.executor}`)}
      ${fact('Exit code', exitCode === null ? (status === 'running' ? 'not ended yet' : 'none: its process died') : String(exitCode))}
    </dl>`
}

/** How fast observations were finished, for runs of which that means something. */
function rate({ observations, seconds }: RunReport): string | undefined {
  const finished = observations.filter(({ status, wallSeconds }) => status === 'done' && wallSeconds > 0).length
  if (finished < FEWEST_FOR_RATE || seconds <= 0) return undefined
  return `${((finished * 3600) / seconds).toFixed(1)} observations/h`
}

function tone({ status, counts }: RunReport): string {
  if (status === 'failed' || counts.verdicts.bad !== undefined) return 'bad'
  if (status === 'running' || status === 'planned') return 'not-run'
  return status === 'done' && counts.verdicts.uncertain === undefined && counts.verdicts['not run'] === undefined
    ? 'good'
    : 'uncertain'
}

/** What came of the run, in one sentence. */
function sentence(report: RunReport): string {
  const { status, counts } = report
  const said = words[status].sentence
  if (counts.observations === 0) return `${said}; it has no observation.`
  const found = outcomes(report)
  if (counts.observations > 1) return `${said}: of ${counts.observations} observations ${enumeration(found)}.`
  return `${said}; its observation is ${found.map((part) => part.slice(2)).join(', ') || 'done'}.`
}

function advice({ status, counts, problems, resume }: RunReport): Html {
  if (status === 'cancelled') return html`<code>${resume}</code> goes on; finished steps are reused.`
  if (problems.length > 0)
    return html`Set right what is named under <a href="#problems">what failed</a>, then <code>${resume}</code> goes on;
      finished steps are reused.`
  if (counts.verdicts.bad !== undefined)
    return html`Images with the verdict bad are not for science; why is told <a href="#observations">below</a> and on
      the page of each observation.`
  if (counts.verdicts.uncertain !== undefined)
    return html`Images with the verdict uncertain may be used with care; why is told <a href="#observations">below</a>.`
  return status === 'running' ? html`This page was written while it ran.` : html`Every check that decides was passed.`
}

function notesSection({ notes }: RunReport): Html {
  const warnings = notes.filter(({ level }) => level === 'warn')
  const others = notes.filter(({ level }) => level !== 'warn')
  return html`<ul>
    ${[...warnings, ...others].slice(0, 200).map(({ level, message }) => html`<li>${level === 'warn' && html`<b>Warning:</b> `}${message}</li>`)}${notes.length > 200 && html`<li>and ${notes.length - 200} more, in report.json</li>`}
  </ul>`
}
