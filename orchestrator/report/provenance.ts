import { caption, fact, scrollTable } from '#runtime/page/document.ts'
import { html, type Html } from '#runtime/page/html.ts'
import { bytes, count } from '../view/format.ts'
import type { ObservationReport, RunReport } from './model.ts'
import type { Setting } from './settings.ts'

/** More files than this are left to `scan.json`. */
const MOST_FILES = 200
const MOST_SETS = 100
/** A longer list is seen when asked for. */
const OPEN_SETS = 30

/** Where all of it comes from: command, configuration, versions, solution sets, raw files. */
export function provenanceSection(report: RunReport): Html {
  const { command, typed, settings, versions, observations } = report
  const changed = settings.filter((setting) => setting.changed)
  return html`<h3>Make the same again</h3>
    <pre tabindex="0" role="region" aria-label="Command">${command}</pre>
    ${typed !== null && html`<p>Typed was <code>${typed}</code>.</p>`}
    <p>
      With the same data root its steps are reused; add <code>--root DIR</code> with an empty folder to make them anew.
      The configuration is in <a href="config.yaml">config.yaml</a>, what happened in
      <a href="events.ndjson">events.ndjson</a>.
    </p>
    <h3>Versions</h3>
    <dl class="facts">
      ${fact('contimg (this run)', report.version)}
      ${versions.map(({ name, value, steps }) => fact(name, `${value} (${count(steps, 'step')})`))}
      ${fact('Catalogue', catalogueText(settings))}
    </dl>
    ${solutionsTable(observations)}
    <h3>Configuration</h3>
    ${
      settings.length === 0
        ? html`<p>It cannot be read.</p>`
        : html`${changed.length === 0 ? html`<p>Every value is the default.</p>` : settingsTable(changed, 'Values that are not the default.')}
            <details>
              <summary>All ${settings.length} values</summary>
              ${settingsTable(settings, 'All values; those that are not the default in bold.')}
            </details>`
    }
    <h3>Raw files</h3>
    ${inputsTable(report)}`
}

function catalogueText(settings: readonly Setting[]): string | undefined {
  const value = settings.find(({ key }) => key === 'catalogue')?.value
  return settings.length === 0 ? undefined : typeof value === 'string' ? value : 'none'
}

function settingsTable(settings: readonly Setting[], title: string): Html {
  return scrollTable(
    title,
    html`<table class="settings">
      ${caption(title)}
      <thead>
        <tr>
          <th scope="col">Key</th>
          <th scope="col">Value</th>
          <th scope="col">Default</th>
        </tr>
      </thead>
      <tbody>
        ${settings.map(
          ({ key, value, changed, default: standard }) =>
            html`<tr class="${changed ? 'changed' : ''}">
              <th scope="row"><code>${key}</code></th>
              <td>${text(value)}</td>
              <td>${text(standard)}</td>
            </tr>`,
        )}
      </tbody>
    </table>`,
  )
}

function text(value: unknown): string {
  return value === null || value === undefined ? '–' : typeof value === 'string' ? value : JSON.stringify(value)
}

function solutionsTable(observations: readonly ObservationReport[]): Html | false {
  const chosen = observations.filter(({ calibration }) => calibration !== null)
  if (chosen.length === 0) return false
  const shown = chosen.slice(0, MOST_SETS)
  const table = scrollTable(
    'Solution sets',
    html`<table>
      ${caption(shown.length < chosen.length ? `The first ${shown.length} of ${chosen.length} observations.` : 'What each observation was calibrated with.')}
      <thead>
        <tr>
          <th scope="col">Observation</th>
          <th scope="col">Solutions of</th>
          <th scope="col">Calibrator</th>
          <th scope="col" class="number">Age</th>
          <th scope="col">Why</th>
        </tr>
      </thead>
      <tbody>
        ${shown.map(solutionsRow)}
      </tbody>
    </table>`,
  )
  return html`<h3>Solution sets</h3>
    ${
      chosen.length > OPEN_SETS
        ? html`<details>
            <summary>What ${chosen.length} observations were calibrated with</summary>
            ${table}
          </details>`
        : table
    }`
}

function solutionsRow({ id, calibration, solutionAgeHours }: ObservationReport): Html {
  const of = calibration?.kind === 'own' ? 'its own' : calibration?.kind === 'set' ? calibration.observation : 'none'
  const age = solutionAgeHours === null ? '–' : `${solutionAgeHours.toFixed(2)} h`
  return html`<tr>
    <th scope="row" class="id">${id}</th>
    <td>${of}</td>
    <td>${calibration !== null && 'calibrator' in calibration ? calibration.calibrator : '–'}</td>
    <td class="number">${age}</td>
    <td class="reason">
      ${calibration !== null && 'reason' in calibration ? calibration.reason : 'it was not asked for'}
    </td>
  </tr>`
}

function inputsTable({ inputs, input, scan }: RunReport): Html {
  const sum = inputs.reduce((total, file) => total + file.bytes, 0)
  const said = html`<p>
    ${count(inputs.length, 'usable file')} (${bytes(sum)}) of ${scan?.files ?? inputs.length} in <code>${input}</code>;
    what was found in each is in <a href="scan.json">scan.json</a>. A fingerprint is the hash of header and ends of a
    file.
  </p>`
  if (inputs.length === 0) return html`<p>What <code>${input}</code> held cannot be read.</p>`
  if (inputs.length > MOST_FILES) return said
  return html`${said}
    <details>
      <summary>${count(inputs.length, 'file')} with their fingerprints</summary>
      ${scrollTable(
        'Raw files',
        html`<table>
          ${caption('Raw files that can be used.')}
          <thead>
            <tr>
              <th scope="col">Observation</th>
              <th scope="col">File</th>
              <th scope="col" class="number">Size</th>
              <th scope="col">Fingerprint</th>
            </tr>
          </thead>
          <tbody>
            ${inputs.map(
              ({ observation, file, bytes: size, fingerprint }) =>
                html`<tr>
                  <td class="id">${observation}</td>
                  <th scope="row">${file}</th>
                  <td class="number">${bytes(size)}</td>
                  <td class="hash" title="${fingerprint}">${fingerprint.slice(0, 16)}</td>
                </tr>`,
            )}
          </tbody>
        </table>`,
      )}
    </details>`
}
