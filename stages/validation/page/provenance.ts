import { caption, fact, scrollTable } from '#runtime/page/document.ts'
import { html, type Html } from '#runtime/page/html.ts'
import { validation, type ValidationParams } from '../contract.ts'
import type { ReportInput } from './report.ts'

/** What made the image and this page: engines, solutions, catalogue, and the parameters that somebody chose. */
export function provenanceSection({ key, observation, assessment, facts, params }: ReportInput): Html {
  const { catalogue, data } = assessment
  const chosen = chosenParams(params)
  return html`<dl class="facts">
      ${fact('Observation', observation)} ${fact('Step key', key)}
      ${fact('Contract of validation', `version ${validation.version}`)} ${fact('Telescope', facts.telescope)}
      ${fact('WSClean', facts.wsclean)} ${fact('Weighting', facts.weighting)}
      ${fact('Major cycles', facts.majorCycles === undefined ? undefined : String(facts.majorCycles))}
      ${fact('Solution set', data.solutionSet)}
      ${fact('Age of the solutions', data.solutionAgeHours === undefined ? undefined : `${data.solutionAgeHours.toFixed(1)} h`)}
      ${fact('Catalogue', catalogue === undefined ? 'none' : `${catalogue.info.name}@${catalogue.info.hash12}`)}
      ${fact('Catalogue citation', catalogue?.info.citation === '' ? undefined : catalogue?.info.citation)}
    </dl>
    ${
      chosen.length === 0
        ? html`<p>Every parameter of the validation is the default.</p>`
        : scrollTable(
            'Chosen parameters',
            html`<table>
              ${caption('Parameters of the validation that are not the default.')}
              <thead>
                <tr>
                  <th scope="col">Parameter</th>
                  <th scope="col">Value</th>
                  <th scope="col">Default</th>
                </tr>
              </thead>
              <tbody>
                ${chosen.map(
                  ({ name, value, standard }) =>
                    html`<tr>
                      <th scope="row">${name}</th>
                      <td>${value}</td>
                      <td>${standard}</td>
                    </tr>`,
                )}
              </tbody>
            </table>`,
          )
    }
    <p>
      Time line, memory, logs and the command that makes the same again are on the page of the run, which this product
      does not know.
    </p>`
}

/** Limits are named with the checks. */
function chosenParams(params: ValidationParams): { name: string; value: string; standard: string }[] {
  const defaults = validation.params.parse({})
  return Object.entries(params).flatMap(([name, value]) => {
    const standard = defaults[name as keyof typeof defaults]
    return name === 'limits' || value === standard
      ? []
      : [{ name, value: JSON.stringify(value), standard: JSON.stringify(standard) }]
  })
}
