import { caption, scrollTable } from '#runtime/page/document.ts'
import { html, type Html } from '#runtime/page/html.ts'
import type { StageName } from '#runtime/stage/contract.ts'
import { commandLine } from '../view/commands.ts'
import { count, span } from '../view/format.ts'
import { addressOf, linkTo } from './links.ts'
import type { ObservationReport, ProblemGroup, RunReport } from './model.ts'
import { gradeClass, outcomeOf } from './outcome.ts'

/** More rows than this make a page that is slow to open; `report.json` has all. */
const MOST_ROWS = 600
/** From here on the worst come first: nobody reads a long list to its end. */
const WORST_FIRST = 30
/** Of a long list so many are seen without asking. */
const OPEN_ROWS = 20
const MOST_REASONS = 3
const EXAMPLES = 3

/** What failed, was skipped or set aside: one entry a cause, with its reason, its fix and where to read more. */
export function problemsSection({ problems, run, root }: RunReport): Html {
  return html`${problems.map((group) => problemEntry(group, run, root))}`
}

function problemEntry(
  { code, message, hint, status, stage, quarantined, command, observations }: ProblemGroup,
  run: string,
  root: string,
): Html {
  const [first = ''] = observations
  const more = observations.length > EXAMPLES ? ` and ${observations.length - EXAMPLES} more` : ''
  return html`<div class="problem tone-of-${status === 'failed' ? 'bad' : 'uncertain'}">
    <h3>
      ${observations.length === 1 ? first : count(observations.length, 'observation')}
      ${status}${stage !== null && ` in ${stage}`}${quarantined && ', set aside'} <code>[${code}]</code>
    </h3>
    <dl>
      ${observations.length > 1 && entry('which', `${observations.slice(0, EXAMPLES).join(', ')}${more}`)}
      ${entry('why', message)}${hint !== null && entry('fix', hint)}${command !== null && entry('then', html`<code>${command}</code>`)}
      ${quarantined && entry('kept', html`its raw files are where they were; why they are set aside is under <a href="${addressOf(`quarantine/${first}/`)}">quarantine/${first}</a>`)}
      ${stage !== null && entry('logs', html`<code>${commandLine(['logs', run, first, stage, '--root', root])}</code>`)}
    </dl>
  </div>`
}

function entry(term: string, text: string | Html): Html {
  return html`<dt>${term}</dt>
    <dd>${text}</dd>`
}

/** Each observation with its verdict, what decided it, the numbers that matter, its picture and its products. */
export function observationsSection({ observations }: RunReport): Html {
  if (observations.length === 0) return html`<p>No observation was planned.</p>`
  const many = observations.length > WORST_FIRST
  const ordered = observations.toSorted(many ? worstFirst : byId)
  const first = ordered.slice(0, many ? OPEN_ROWS : WORST_FIRST)
  const others = ordered.slice(first.length, MOST_ROWS)
  return html`${observationTable('Observations', `${many ? `The worst of ${observations.length} observations first. ` : ''}${columnsText}`, first)}${
    others.length > 0 &&
    html`<details>
      <summary>${count(others.length, 'more observation')}</summary>
      ${observationTable('More observations', 'The worst first, as above.', others)}
    </details>`
  }${
    MOST_ROWS < observations.length &&
    html`<p>Those after the ${MOST_ROWS} worst are in <a href="report.json">report.json</a>.</p>`
  }`
}

const columnsText =
  'Noise is the rms of the residual in the middle of the field; the flux ratio is ours over the catalogue\u2019s, the offset ours minus the catalogue\u2019s.'

function observationTable(title: string, text: string, observations: readonly ObservationReport[]): Html {
  return scrollTable(
    title,
    html`<table>
      ${caption(text)}
      <thead>
        <tr>
          <th scope="col">Image</th>
          <th scope="col">Observation</th>
          <th scope="col" class="number">Noise<br />(µJy/beam)</th>
          <th scope="col" class="number">Sources</th>
          <th scope="col" class="number">Flux ratio</th>
          <th scope="col" class="number">Offset<br />(″)</th>
          <th scope="col" class="number">Flagged<br />(%)</th>
          <th scope="col" class="number">Time</th>
        </tr>
      </thead>
      <tbody>
        ${observations.map(observationRow)}
      </tbody>
    </table>`,
  )
}

function observationRow(observation: ObservationReport): Html {
  const { id, outputs, wallSeconds } = observation
  const page = outputs['report']
  const picture = outputs['quicklook']
  const word = outcomeOf(observation)
  const metric = (stage: StageName, name: string): number | undefined =>
    observation.steps.findLast((step) => step.stage === stage)?.metrics[name]
  const ratio = metric('validation', 'fluxRatio')
  const error = metric('validation', 'fluxRatioError')
  const flagged = metric('calibration', 'flaggedFraction') ?? metric('conversion', 'flaggedFraction')
  const number = (value: number | undefined, digits: number): Html =>
    html`<td class="number">${value === undefined ? '–' : value.toFixed(digits).replace('-', '−')}</td>`
  const noise = metric('validation', 'rmsCentreJy')
  return html`<tr>
    <td>
      ${picture === undefined ? html`<span class="thumb none">no image</span>` : html`<a href="${addressOf(picture)}"><img class="thumb" loading="lazy" src="${addressOf(picture)}" alt="Quick-look of ${id}" /></a>`}
    </td>
    <th scope="row" class="what">
      <span class="id">${page === undefined ? id : html`<a href="${addressOf(page)}">${id}</a>`}</span>
      <span class="${gradeClass(word)}">${word}</span>${reasons(observation)}${productLinks(observation)}
    </th>
    ${number(noise === undefined ? undefined : noise * 1e6, 0)}${number(metric('validation', 'sources'), 0)}
    <td class="number">
      ${ratio === undefined ? '–' : `${ratio.toFixed(3)}${error === undefined ? '' : ` ± ${error.toFixed(3)}`}`}
    </td>
    ${number(metric('validation', 'offsetArcsec'), 2)}${number(flagged === undefined ? undefined : 100 * flagged, 1)}
    <td class="number">${wallSeconds === 0 ? '–' : span(wallSeconds)}</td>
  </tr> `
}

function reasons({ error, shortcomings, status }: ObservationReport): Html | false {
  if (error !== null && status !== 'done')
    return html`<p>${error.message.split('\n')[0] ?? ''} <code>[${error.code}]</code></p>`
  const worst = shortcomings.toSorted((a, b) => Number(b.verdict === 'bad') - Number(a.verdict === 'bad'))
  if (worst.length === 0) return false
  return html`<ul>
    ${worst.slice(0, MOST_REASONS).map(({ name, verdict, message }) => html`<li>${name} is ${verdict}: ${message}</li>`)}${worst.length > MOST_REASONS && html`<li>and ${worst.length - MOST_REASONS} more</li>`}
  </ul>`
}

const products: readonly [string, string][] = [
  ['report', 'report'],
  ['image', 'imagePbCorrected'],
  ['sources', 'catalogueCsv'],
  ['checks', 'qa'],
]

function productLinks({ id, outputs }: ObservationReport): Html | false {
  const links = products.flatMap(([text, name]) => {
    const path = outputs[name]
    return path === undefined ? [] : [linkTo(path, text, id)]
  })
  return links.length > 0 && html`<div class="links">${links}</div>`
}

const badness = ['failed', 'cancelled', 'running', 'bad', 'skipped', 'not run', 'uncertain', 'planned', 'good']

function worstFirst(a: ObservationReport, b: ObservationReport): number {
  return rank(a) - rank(b) || byId(a, b)
}

function byId(a: ObservationReport, b: ObservationReport): number {
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0
}

function rank(observation: ObservationReport): number {
  return badness.indexOf(outcomeOf(observation))
}
