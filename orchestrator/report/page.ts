import { pipelineStages } from '../pipeline/stages.ts'
import { stageUsage, type ObservationState, type RunState, type StepState } from '../pipeline/state.ts'
import { bytes, duration, span } from '../view/format.ts'
import { html, type Html } from './html.ts'

/** From `runs/<name>/report.html` to the data root. */
const UP = '../..'

const style = `
  :root { color-scheme: light dark; --line: #8884; --good: #1a7f37; --uncertain: #9a6700; --bad: #cf222e }
  @media (prefers-color-scheme: dark) { :root { --good: #3fb950; --uncertain: #d29922; --bad: #f85149 } }
  body { font: 15px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem }
  table { border-collapse: collapse; margin: 1rem 0; display: block; overflow-x: auto }
  th, td { text-align: left; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid var(--line); vertical-align: top }
  .cost { white-space: nowrap; text-align: right }
  img { width: 12rem; max-width: 100% } code { overflow-wrap: anywhere }
  .good { color: var(--good) } .uncertain { color: var(--uncertain) } .bad, .failed { color: var(--bad) }
`

/** The page of a run: verdicts with links to each observation's own page, cost of the stages, notes. One file, no network. */
export function reportPage(state: RunState): string {
  const verdicts = [...new Set(state.observations.map(({ verdict }) => verdict))]
    .map(
      (verdict) => `${state.observations.filter((observation) => observation.verdict === verdict).length} ${verdict}`,
    )
    .join(', ')
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>contimg run ${state.run}</title>
        <style>
          ${{ html: style }}
        </style>
      </head>
      <body>
        <h1>Run ${state.run}</h1>
        <p>
          ${state.status} in ${duration(state.seconds ?? 0)}, verdicts: ${verdicts}. Input <code>${state.input}</code>,
          started ${state.startedAt}, contimg ${state.version}, ${state.executor}.
        </p>
        ${notes(state)}
        <h2>Observations</h2>
        <table>
          <thead>
            <tr>
              <th>Observation</th>
              <th>Status</th>
              <th>Verdict</th>
              <th>Quick-look</th>
              <th>Products</th>
            </tr>
          </thead>
          <tbody>
            ${state.observations.map(observationRow)}
          </tbody>
        </table>
        <h2>Steps</h2>
        <table>
          <thead>
            <tr>
              <th>Observation</th>
              <th>Stage</th>
              <th>Status</th>
              <th>Verdict</th>
              <th>Wall</th>
              <th>CPU</th>
              <th>Peak memory</th>
              <th>Read</th>
              <th>Written</th>
              <th>Product</th>
            </tr>
          </thead>
          <tbody>
            ${state.observations.flatMap(({ id, steps }) => steps.map((step) => stepRow(id, step)))}
          </tbody>
        </table>
        ${totals(state)}
      </body>
    </html> `
  return page.html
}

function notes({ notes: all }: RunState): Html {
  return all.length === 0
    ? html``
    : html`<ul>
        ${all.map(({ message }) => html`<li>${message}</li>`)}
      </ul>`
}

function observationRow({ id, status, verdict, steps, error }: ObservationState): Html {
  const link = (name: string): string | undefined => {
    const path = steps.findLast(({ product }) => product?.outputs[name] !== undefined)?.product?.outputs[name]
    return path === undefined ? undefined : `${UP}/${path}`
  }
  const report = link('report')
  const picture = link('quicklook')
  const names: [string, string][] = [
    ['image', 'imagePbCorrected'],
    ['catalogue', 'catalogueCsv'],
    ['checks', 'qa'],
  ]
  const products = names.flatMap(([label, name]) => {
    const path = link(name)
    return path === undefined ? [] : [html`<a href="${path}">${label}</a>`]
  })
  return html`<tr>
    <td>${report === undefined ? id : html`<a href="${report}">${id}</a>`}</td>
    <td class="${status}">
      ${status}${error === undefined ? html`` : html`<br />${error.message} [${error.code}]${error.hint === undefined ? '' : `; ${error.hint}`}`}
    </td>
    <td class="${verdict}">${verdict}</td>
    <td>${picture === undefined ? '' : html`<img src="${picture}" alt="quick-look image of ${id}" />`}</td>
    <td>${products}</td>
  </tr>`
}

function stepRow(observation: string, { stage, status, product }: StepState): Html {
  const usage = product?.usage
  const cost =
    usage === undefined
      ? ['', '', '', '', '']
      : [
          span(usage.wallSeconds),
          span(usage.cpuSeconds),
          bytes(usage.peakMemoryBytes),
          bytes(usage.readBytes),
          bytes(usage.writtenBytes),
        ]
  const verdict = product?.quality.verdict ?? ''
  return html`<tr>
    <td>${observation}</td>
    <td>${stage}</td>
    <td class="${status}">${status}</td>
    <td class="${verdict}">${verdict}</td>
    ${cost.map((cell) => html`<td class="cost">${cell}</td>`)}
    <td>${product === undefined ? '' : html`<a href="${UP}/${product.product}/">${product.product}</a>`}</td>
  </tr>`
}

function totals(state: RunState): Html {
  const rows = pipelineStages.flatMap((stage) => {
    const used = stageUsage(state, stage)
    return used === undefined
      ? []
      : [
          html`<tr>
            <td>${stage}</td>
            <td>${used.steps}</td>
            <td>${span(used.usage.wallSeconds)}</td>
            <td>${span(used.usage.cpuSeconds)}</td>
            <td>${bytes(used.usage.peakMemoryBytes)}</td>
          </tr>`,
        ]
  })
  if (rows.length === 0) return html`<p>Every step was reused.</p>`
  return html`<h2>Cost of what ran</h2>
    <table>
      <thead>
        <tr>
          <th>Stage</th>
          <th>Steps</th>
          <th>Wall</th>
          <th>CPU</th>
          <th>Peak memory</th>
        </tr>
      </thead>
      <tbody>
        ${rows}
      </tbody>
    </table>`
}
