import { caption, fact, pageDocument, scrollTable } from '#runtime/page/document.ts'
import { html, type Html } from '#runtime/page/html.ts'
import { halfTurn } from '#runtime/sky/gaussian-fit.ts'
import type { Check, Verdict } from '#runtime/stage/quality.ts'
import type { Assessment } from '../assess.ts'
import type { ValidationParams } from '../contract.ts'
import type { Field } from '../field.ts'
import { overriddenLimits } from '../grade.ts'
import type { ImageFacts } from '../header.ts'
import type { PointSpread } from '../psf.ts'
import { astrometrySection } from './astrometry.ts'
import { calibrationSection } from './calibration.ts'
import { completenessSection } from './completeness.ts'
import { fluxSection, type Outlier } from './flux.ts'
import { noiseSection, type NoisePlots } from './noise.ts'
import type { PointSpreadPictures } from './point-spread.ts'
import { provenanceSection } from './provenance.ts'
import { sourceTable } from './source-table.ts'
import { skySection, type SkyPictures } from './sky.ts'
import { style } from './style.ts'
import { arcsec, degrees, microJyPerBeam, withError } from './text.ts'

/** All that the page shows. Pictures are data URIs. */
export interface ReportInput {
  observation: string
  key: string
  assessment: Assessment
  /** The field without its planes. */
  field: Pick<Field, 'width' | 'height' | 'wcs' | 'beam' | 'freqHz'>
  facts: ImageFacts
  params: ValidationParams
  pictures: SkyPictures
  noise: NoisePlots
  psf: PointSpread | undefined
  pointSpread: PointSpreadPictures
  /** What this stage found odd besides its checks. */
  warnings: readonly string[]
  outliers: readonly Outlier[]
  /** Plots of the solution set, where it is this observation's own. */
  calibration: readonly Html[] | undefined
}

/** The report: one self-contained page of the observation's science. */
export function report(input: ReportInput): string {
  const { observation, assessment } = input
  const { quality } = assessment
  const sections = [
    { id: 'picture', title: 'Image', body: skySection(input) },
    { id: 'checks', title: 'Checks', body: checksSection(input) },
    { id: 'flux', title: 'Flux scale', body: fluxSection(input) },
    { id: 'astrometry', title: 'Astrometry', body: astrometrySection(input) },
    { id: 'completeness', title: 'Completeness and reliability', body: completenessSection(input) },
    { id: 'noise', title: 'Noise, point spread function, uv coverage', body: noiseSection(input) },
    { id: 'calibration', title: 'Data and calibration', body: calibrationSection(input) },
    { id: 'sources', title: 'Sources', body: sourceTable(input) },
    { id: 'provenance', title: 'Provenance', body: provenanceSection(input) },
    { id: 'warnings', title: 'Warnings', body: warningsSection(input) },
  ]
  return pageDocument({
    title: `${observation}: ${quality.verdict}`,
    style,
    banner: banner(input),
    sections,
    footer: html`Written by contimg, the continuum imaging pipeline for the DSA-110. The numbers of this page are in
      <a href="qa.json">qa.json</a>, the sources in <a href="catalogue.csv">catalogue.csv</a>,
      <a href="catalogue.fits">catalogue.fits</a> and <a href="catalogue.vot">catalogue.vot</a>.`,
  })
}

const sentences: Record<Verdict, string> = {
  good: 'This image passed every deciding check.',
  uncertain: 'This image may be used with care.',
  bad: 'Do not use this image for science.',
  'not run': 'This image was not checked.',
}

function banner({ observation, assessment, facts, field }: ReportInput): Html {
  const { quality, data, catalogue } = assessment
  const { verdict } = quality
  const beam = `${arcsec(field.beam.major)} \u00d7 ${arcsec(field.beam.minor)}\u2033 at ${((halfTurn(field.beam.paRad) * 180) / Math.PI).toFixed(0)}\u00b0`
  return html`<h1>Observation ${observation}</h1>
    <div class="verdict tone-of-${verdict.replace(' ', '-')}" role="status">
      <p>
        ${data.uncalibrated === true && html`<span class="mark-box">UNCALIBRATED</span>`}${catalogue?.info.simulated === true && html`<span class="mark-box plain">SIMULATED SKY</span>`}<strong
          >Verdict: ${verdict}.</strong
        >
        ${sentences[verdict]}
      </p>
      ${decidingChecks(quality.checks, verdict)}
    </div>
    <dl class="facts">
      ${fact('Start (UTC)', facts.dateBegin)}
      ${fact('Centre (ICRS)', `${degrees(field.wcs.centre.raRad)}\u00b0, ${degrees(field.wcs.centre.decRad)}\u00b0`)}
      ${fact('Declination of date', facts.pointingDecDeg === undefined ? undefined : `${facts.pointingDecDeg.toFixed(4)}\u00b0`)}
      ${fact('Frequency', `${(field.freqHz / 1e6).toFixed(1)} MHz${facts.bandwidthHz === undefined ? '' : `, width ${(facts.bandwidthHz / 1e6).toFixed(1)} MHz`}`)}
      ${fact('Beam', beam)} ${fact('Noise', microJyPerBeam(assessment.numbers.rmsCentreJy))}
      ${fact('Sources', String(assessment.detections.sources.length))}
      ${fact('Catalogue', catalogue === undefined ? 'none' : `${catalogue.info.name} (${catalogue.info.version})`)}
    </dl>`
}

function decidingChecks(checks: readonly Check[], verdict: Verdict): Html {
  const deciding = checks.filter((check) =>
    verdict === 'bad' ? check.gating && check.verdict === 'bad' : isShort(check),
  )
  if (verdict === 'good' || deciding.length === 0)
    return html`<p>${checks.filter(({ gating }) => gating).length} deciding checks, all good.</p>`
  return html`<p>Decided by:</p>
    <ul>
      ${deciding.map(({ name, verdict: grade, message }) => html`<li><b>${name}</b> is ${grade}: ${message}</li>`)}
    </ul>`
}

/** Whether a check keeps the verdict from being good. */
function isShort({ gating, verdict }: Check): boolean {
  return gating ? verdict !== 'good' : verdict === 'uncertain' || verdict === 'bad'
}

function checksSection({ assessment, params }: ReportInput): Html {
  const overridden = overriddenLimits(params.limits)
  const { checks } = assessment.quality
  return html`${checkTable(
    'Deciding checks: the worst grade is the verdict; one that was not run makes it uncertain at most.',
    checks.filter(({ gating }) => gating),
  )}
  ${checkTable(
    'Further checks: they lower a good verdict to uncertain at most.',
    checks.filter(({ gating }) => !gating),
  )}
  ${
    overridden.length > 0 &&
    html`<p>Limits changed by the configuration:</p>
      <ul>
        ${overridden.map((line) => html`<li>${line}</li>`)}
      </ul>`
  }`
}

function checkTable(title: string, checks: readonly Check[]): Html {
  return scrollTable(
    title,
    html`<table class="checks">
      ${caption(title)}
      <thead>
        <tr>
          <th scope="col">Check</th>
          <th scope="col" class="number">Value</th>
          <th scope="col">Limits</th>
          <th scope="col" class="number">n</th>
          <th scope="col">Grade</th>
          <th scope="col">What it says</th>
        </tr>
      </thead>
      <tbody>
        ${checks.map(checkRow)}
      </tbody>
    </table>`,
  )
}

/** Where the page shows more of a check. */
const places: Readonly<Record<string, string>> = {
  'flux scale': 'flux',
  'flux scatter': 'flux',
  'flux slope': 'flux',
  astrometry: 'astrometry',
  'astrometric scatter': 'astrometry',
  'astrometric distortion': 'astrometry',
  completeness: 'completeness',
  reliability: 'completeness',
  'source counts': 'completeness',
  'thermal noise': 'noise',
  'image noise': 'noise',
  'dynamic range': 'noise',
  'residual peak': 'picture',
  'resolved fraction': 'sources',
  'synthesised beam': 'noise',
  'flagged data': 'calibration',
  antennas: 'calibration',
  subbands: 'calibration',
  integrations: 'calibration',
  calibration: 'calibration',
  clean: 'calibration',
}

function checkRow(check: Check): Html {
  const place = places[check.name]
  return html`<tr>
    <th scope="row">${place === undefined ? check.name : html`<a href="#${place}">${check.name}</a>`}</th>
    <td class="number">
      ${check.value === undefined ? '\u2013' : `${withError(check.value, check.error)}${unitText(check.unit)}`}
    </td>
    <td>
      ${check.limits === undefined ? '\u2013' : html`<span class="limit">good ${comparison(check.limits.good)}</span> ${check.limits.uncertain !== undefined && html`<span class="limit">uncertain ${comparison(check.limits.uncertain)}</span>`}`}
    </td>
    <td class="number">${check.n ?? '\u2013'}</td>
    <td class="grade tone-of-${check.verdict.replace(' ', '-')}">${check.verdict}</td>
    <td>${check.message.replaceAll('+-', '\u00b1').replaceAll('uJy', '\u00b5Jy')}</td>
  </tr> `
}

function warningsSection({ assessment, warnings, params }: ReportInput): Html {
  const { data, catalogue } = assessment
  const said = [
    ...(data.uncalibrated === true ? ['No calibration was applied: flux densities and positions mean little.'] : []),
    ...(catalogue !== undefined && catalogue.coverage < 1
      ? [`The catalogue covers ${(100 * catalogue.coverage).toFixed(0)} % of the field.`]
      : []),
    ...(overriddenLimits(params.limits).length > 0 ? ['Limits of checks were changed by the configuration.'] : []),
    ...warnings,
  ]
  return said.length === 0
    ? html`<p>None.</p>`
    : html`<ul>
        ${said.map((text) => html`<li>${text}</li>`)}
      </ul>`
}

function unitText(unit: string | undefined): string {
  return unit === undefined || unit === '1' ? '' : ` ${unit}`
}

function comparison(text: string): string {
  return text.replace('<=', '\u2264').replace('>=', '\u2265')
}
