import { html, type Html } from '#runtime/page/html.ts'
import type { ReportInput } from './report.ts'
import { degrees, milliJy, significant } from './text.ts'

const SHOWN = 40

/** The brightest sources; all of them are in the catalogue files. */
export function sourceTable({ assessment }: ReportInput): Html {
  const { sources } = assessment.detections
  if (sources.length === 0) return html`<p>No source was found.</p>`
  const ids = new Map(
    assessment.catalogue?.comparison.pairs.map(({ source, predicted }) => [source.name, predicted.id]) ?? [],
  )
  const shown = sources.slice(0, SHOWN)
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Table: Sources">
    <table>
      <caption>
        <span
          >${shown.length < sources.length ? `The ${shown.length} brightest of ${sources.length} sources.` : `All ${sources.length} sources.`}
          Flux densities are corrected for the primary beam.</span
        >
      </caption>
      <thead>
        <tr>
          <th scope="col">Source</th>
          <th scope="col" class="number">RA (deg)</th>
          <th scope="col" class="number">Dec (deg)</th>
          <th scope="col" class="number">Integrated</th>
          <th scope="col" class="number">Peak</th>
          <th scope="col" class="number">S/N</th>
          <th scope="col" class="number">Mean beam</th>
          <th scope="col">Catalogue</th>
          <th scope="col">Flags</th>
        </tr>
      </thead>
      <tbody>
        ${shown.map(
          (source) =>
            html`<tr>
              <th scope="row">${source.name}</th>
              <td class="number">${degrees(source.direction.raRad)}</td>
              <td class="number">${degrees(source.direction.decRad)}</td>
              <td class="number">${milliJy(source.integratedJy)}</td>
              <td class="number">${milliJy(source.peakJy)}/beam</td>
              <td class="number">${significant(source.snr)}</td>
              <td class="number">${source.meanBeam.toFixed(2)}</td>
              <td>${ids.get(source.name) ?? '\u2013'}</td>
              <td>${[...(source.resolved ? ['resolved'] : []), ...source.flags].join(', ') || '\u2013'}</td>
            </tr> `,
        )}
      </tbody>
    </table>
  </div>`
}
