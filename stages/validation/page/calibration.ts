import type { DataFacts } from '../data-checks.ts'
import { html, type Html } from '#runtime/page/html.ts'
import type { ReportInput } from './report.ts'
import { significant } from './text.ts'

/** What the data were and how they were calibrated. */
export function calibrationSection({ assessment, calibration }: ReportInput): Html {
  return html`<dl class="facts">${dataRows(assessment.data)}</dl>
    ${calibration === undefined ? html`<p>No own solution set: plots of gains and bandpasses are in the report of the calibrator's observation.</p>` : html`<div class="plots">${calibration}</div>`}`
}

function dataRows(data: DataFacts): Html[] {
  const rows: [string, string | undefined][] = [
    ['Antennas', data.antennas === undefined ? undefined : String(data.antennas)],
    ['Subbands', outOf(data.subbandsPresent, data.subbandsExpected)],
    ['Integrations', outOf(data.integrations, data.integrationsExpected)],
    ['Flagged', data.flaggedFraction === undefined ? undefined : `${(100 * data.flaggedFraction).toFixed(1)} %`],
    [
      'Calibration',
      data.uncalibrated === true ? 'none: uncalibrated' : (data.solutionGrade ?? data.calibrationQuality),
    ],
    ['Calibrator', data.calibrator],
    ['Solution set', data.solutionSet],
    [
      'Age of the solutions',
      data.solutionAgeHours === undefined ? undefined : `${significant(data.solutionAgeHours, 2)} h`,
    ],
    ['Flux anchor', data.fluxAnchor],
    ['CLEAN stopped at', data.cleanStop],
  ]
  return rows.flatMap(([term, value]) =>
    value === undefined
      ? []
      : [
          html`<div>
            <dt>${term}</dt>
            <dd>${value}</dd>
          </div>`,
        ],
  )
}

function outOf(present: number | undefined, expected: number | undefined): string | undefined {
  if (present === undefined) return undefined
  return expected === undefined ? String(present) : `${present} of ${expected}`
}
