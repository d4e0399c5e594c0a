import { caption, scrollTable } from '#runtime/page/document.ts'
import { html, type Html } from '#runtime/page/html.ts'
import { bytes, span } from '../view/format.ts'
import type { RunReport } from './model.ts'
import type { Spread, StageReport } from './usage.ts'

/** What the stages used, in numbers and as a share of what they were given. */
export function resourcesSection({ stages }: RunReport): Html {
  const ran = stages.filter(({ attempts }) => attempts > 0)
  if (ran.length === 0) return html`<p>Nothing ran, so nothing was used: every step was reused or never begun.</p>`
  return html`${scrollTable(
      'Resources by stage',
      html`<table>
        ${caption('Largest of the attempts of each stage, and under it, where there are several, the middle one; bars are shares of the limit. CPU is a share of the cores given for the time it took.')}
        <thead>
          <tr>
            <th scope="col">Stage</th>
            <th scope="col" class="number">Attempts</th>
            <th scope="col" class="number">Wall time</th>
            <th scope="col" class="number">CPU time</th>
            <th scope="col" class="number">CPU</th>
            <th scope="col" class="number">Peak memory</th>
            <th scope="col" class="number">Peak scratch</th>
            <th scope="col" class="number">Read</th>
            <th scope="col" class="number">Written</th>
          </tr>
        </thead>
        <tbody>
          ${ran.map(stageRow)}
        </tbody>
        <tfoot>
          <tr>
            <th scope="row">all together</th>
            <td class="number">${ran.reduce((sum, { attempts }) => sum + attempts, 0)}</td>
            ${total(ran, 'wallSeconds', span)}${total(ran, 'cpuSeconds', span)}
            <td></td>
            <td></td>
            <td></td>
            ${total(ran, 'readBytes', bytes)}${total(ran, 'writtenBytes', bytes)}
          </tr>
        </tfoot>
      </table>`,
    )}
    <h3>Memory that would do</h3>
    <ul>
      ${ran.map(recommendation)}
    </ul>
    ${phasesDetails(ran)}`
}

function stageRow(stage: StageReport): Html {
  const { wallSeconds, cpuSeconds, cpuShare, cpuLimit, peakMemoryBytes, memoryShare, memoryLimitBytes } = stage
  const { peakScratchBytes, scratchShare, scratchLimitBytes, readBytes, writtenBytes } = stage
  return html`<tr>
    <th scope="row">${stage.stage}</th>
    <td class="number">
      ${stage.attempts}${stage.retries > 0 && html`<br /><span class="shown">${stage.retries} again</span>`}
    </td>
    ${amount(wallSeconds, span)}${amount(cpuSeconds, span)}${amount(null, span, { share: cpuShare, limit: cpuLimit, show: (cores) => `${cores} cores` })}
    ${amount(peakMemoryBytes, bytes, { share: memoryShare, limit: memoryLimitBytes, show: bytes })}
    ${amount(peakScratchBytes, bytes, { share: scratchShare, limit: scratchLimitBytes, show: bytes })}
    ${amount(readBytes, bytes)}${amount(writtenBytes, bytes)}
  </tr>`
}

function total(
  stages: readonly StageReport[],
  name: 'wallSeconds' | 'cpuSeconds' | 'readBytes' | 'writtenBytes',
  show: (value: number) => string,
): Html {
  return html`<td class="number">${show(stages.reduce((sum, stage) => sum + (stage[name]?.sum ?? 0), 0))}</td>`
}

/** A cell: the largest value, the middle one, and the share of its limit with a bar. */
function amount(
  spread: Spread | null,
  show: (value: number) => string,
  of?: { share: Spread | null; limit: number | null; show: (limit: number) => string },
): Html {
  const middle =
    spread !== null && spread.median !== spread.max && html`<br /><span class="shown">${show(spread.median)}</span>`
  const share = of?.share?.max
  if (of === undefined || share === undefined || of.limit === null)
    return html`<td class="number">${spread === null ? '–' : show(spread.max)}${middle}</td>`
  const percent = Math.round(share * 100)
  const width = Math.min(100, percent)
  return html`<td class="number">
    ${spread !== null && show(spread.max)}${middle}${spread !== null && html`<br />`}<span class="shown"
      >${percent} % of ${of.show(of.limit)}</span
    ><span class="${share > 1 ? 'share over' : 'share'}" aria-hidden="true"><i style="width:${width}%"></i></span>
  </td>`
}

function recommendation({ stage, enoughMemoryBytes, memoryLimitBytes }: StageReport): Html {
  if (enoughMemoryBytes === null) return html`<li>${stage}: its use is not known</li>`
  const limit = memoryLimitBytes === null ? '' : `; it was given ${bytes(memoryLimitBytes)}`
  return html`<li>
    ${stage}: ${bytes(enoughMemoryBytes)}${limit}.
    <code>execution.stages.${stage}.resources.memory: ${Math.ceil(enoughMemoryBytes / 2 ** 20)}Mi</code>
  </li>`
}

function phasesDetails(stages: readonly StageReport[]): Html | false {
  const rows = stages.flatMap(({ stage, phases }) => phases.map((phase) => ({ stage, ...phase })))
  if (rows.length === 0) return false
  const total = rows.reduce((sum, { wallSeconds }) => sum + wallSeconds, 0)
  return html`<details>
    <summary>Where the time went: phases of all stages</summary>
    ${scrollTable(
      'Phases',
      html`<table>
        ${caption('Wall and CPU time of all steps together.')}
        <thead>
          <tr>
            <th scope="col">Stage</th>
            <th scope="col">Phase</th>
            <th scope="col" class="number">Wall time</th>
            <th scope="col" class="number">of all</th>
            <th scope="col" class="number">CPU time</th>
          </tr>
        </thead>
        <tbody>
          ${rows.map(
            ({ stage, name, wallSeconds, cpuSeconds }) =>
              html`<tr>
                <td>${stage}</td>
                <th scope="row">${name}</th>
                <td class="number">${wallSeconds.toFixed(2)} s</td>
                <td class="number">${total > 0 && `${((100 * wallSeconds) / total).toFixed(1)} %`}</td>
                <td class="number">${cpuSeconds.toFixed(2)} s</td>
              </tr>`,
          )}
        </tbody>
      </table>`,
    )}
  </details>`
}
