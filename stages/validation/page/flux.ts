import { quantile } from '#runtime/numeric/statistics.ts'
import type { Pair } from '../comparison.ts'
import { domainOf } from '#runtime/page/axis.ts'
import { html, type Html } from '#runtime/page/html.ts'
import { MAX_POINTS, plot, type Layer } from '#runtime/page/plot.ts'
import type { ReportInput } from './report.ts'
import { milliJy, significant } from './text.ts'

/** A pair far from the median ratio, with a picture of its surroundings. */
export interface Outlier {
  pair: Pair
  sigma: number
  picture: string
}

/** Ratio of measured to predicted flux density against everything it may depend on. */
export function fluxSection({ assessment, outliers, field, params }: ReportInput): Html {
  const { catalogue } = assessment
  if (catalogue === undefined) return html`<p>Not run: no catalogue was given.</p>`
  const sample = catalogue.comparison.pairs.filter(({ inFluxSample }) => inFluxSample)
  if (sample.length === 0)
    return html`<p>No source of the image is fit for a comparison: matched, isolated, unresolved and bright enough.</p>`
  const { flux, info } = catalogue
  const centre = field.wcs.centre
  const ratios = sample.map(({ ratio }) => ratio)
  const spread = Math.max(
    0.12,
    quantile(
      ratios.map((ratio) => Math.abs(ratio - flux.ratio)),
      0.95,
    ) * 1.3,
  )
  const y = { label: 'measured / predicted', domain: [flux.ratio - spread, flux.ratio + spread] as const }
  const levels: Layer[] = [
    { kind: 'level', tone: 'muted', axis: 'y', at: 1, dashed: true, label: 'equal' },
    { kind: 'level', tone: 'second', axis: 'y', at: flux.ratio, label: 'median' },
  ]
  const against = (
    id: string,
    label: string,
    { x, log, under = [] }: { x: (pair: Pair) => number; log?: boolean; under?: readonly Layer[] },
  ): Html =>
    plot({
      id,
      title: `Flux ratio against ${label}`,
      description: `${sample.length} sources; median ratio ${flux.ratio.toFixed(3)} with error ${flux.eRatio.toFixed(3)}.`,
      x: { label, domain: domainOf(sample.map(x), { log: log ?? false }), ...(log === undefined ? {} : { log }) },
      y,
      layers: [
        ...under,
        ...levels,
        {
          kind: 'points',
          tone: 'main',
          points: sample.map((pair) => ({
            x: x(pair),
            y: pair.ratio,
            ey: pair.eRatio,
            title: `${pair.source.name}: ratio ${pair.ratio.toFixed(3)}`,
          })),
        },
      ],
    })
  return html`<p>
      Median ratio <b>${flux.ratio.toFixed(3)} ± ${flux.eRatio.toFixed(3)}</b>, scatter ${flux.scatter.toFixed(3)}, from
      ${flux.n} sources, against ${info.name} (${(info.freqHz / 1e6).toFixed(1)} MHz) brought to
      ${(field.freqHz / 1e6).toFixed(1)} MHz.
      ${sample.length > MAX_POINTS && ` The plots show the ${MAX_POINTS} brightest.`}
    </p>
    <div class="plots">
      ${against('flux-snr', 'signal-to-noise ratio', { x: ({ source }) => source.snr, log: true, under: [envelope(sample, flux.ratio, params.fluxFloor)] })}
      ${against('flux-flux', 'predicted flux density (mJy)', { x: ({ predicted }) => predicted.predictedJy * 1000, log: true })}
      ${against('flux-radius', 'distance from the centre (deg)', { x: ({ source }) => (source.radiusRad * 180) / Math.PI })}
      ${against('flux-beam', 'mean primary beam', { x: ({ source }) => source.meanBeam })}
      ${against('flux-ra', 'offset in right ascension (deg)', { x: ({ source }) => (wrap(source.direction.raRad - centre.raRad) * Math.cos(centre.decRad) * 180) / Math.PI })}
      ${against('flux-dec', 'offset in declination (deg)', { x: ({ source }) => ((source.direction.decRad - centre.decRad) * 180) / Math.PI })}
      ${ratioHistogram(ratios, flux.ratio, { low: y.domain[0], high: y.domain[1] })}
    </div>
    ${outlierTable(outliers)}`
}

/** Where 95 % of the ratios belong: twice their error, the systematic part and one that falls with the signal-to-noise ratio. */
function envelope(sample: readonly Pair[], ratio: number, floor: number): Layer {
  const noise = quantile(
    sample.map(({ eRatio, source }) => source.snr * Math.sqrt(Math.max(0, eRatio ** 2 - floor ** 2))),
    0.5,
  )
  const [low, high] = domainOf(
    sample.map(({ source }) => source.snr),
    { log: true },
  )
  const points = Array.from({ length: 60 }, (_, k) => low * (high / low) ** (k / 59)).map((snr) => {
    const spread = 2 * Math.hypot(floor, noise / snr)
    return { x: snr, low: ratio - spread, high: ratio + spread }
  })
  return { kind: 'band', tone: 'second', points, label: 'twice the error' }
}

function ratioHistogram(ratios: readonly number[], median: number, { low, high }: { low: number; high: number }): Html {
  const bins = 24
  const width = (high - low) / bins
  const bars = Array.from({ length: bins }, (_, k) => {
    const x0 = low + k * width
    return { x0, x1: x0 + width, y: ratios.filter((ratio) => ratio >= x0 && ratio < x0 + width).length }
  })
  return plot({
    id: 'flux-histogram',
    title: 'Flux ratios',
    description: `Histogram of ${ratios.length} flux ratios around the median ${median.toFixed(3)}.`,
    x: { label: 'measured / predicted', domain: [low, high] },
    y: { label: 'sources', domain: [0, Math.max(1, ...bars.map(({ y }) => y)) * 1.1] },
    layers: [
      { kind: 'bars', tone: 'main', bars },
      { kind: 'level', tone: 'second', axis: 'x', at: median, label: 'median' },
      { kind: 'level', tone: 'muted', axis: 'x', at: 1, dashed: true, label: 'equal' },
    ],
  })
}

function outlierTable(outliers: readonly Outlier[]): Html | false {
  if (outliers.length === 0) return false
  return html`<h3>Largest deviations</h3>
    <div class="scroll" tabindex="0" role="region" aria-label="Table: Largest deviations of flux density">
      <table>
        <caption>
          <span
            >Sources farthest from the median ratio in units of their errors; each picture is centred on the
            source.</span
          >
        </caption>
        <thead>
          <tr>
            <th scope="col">Picture</th>
            <th scope="col">Source</th>
            <th scope="col">Catalogue</th>
            <th scope="col" class="number">Measured</th>
            <th scope="col" class="number">Predicted</th>
            <th scope="col" class="number">Ratio</th>
            <th scope="col" class="number">Deviation</th>
            <th scope="col" class="number">S/N</th>
            <th scope="col" class="number">Mean beam</th>
          </tr>
        </thead>
        <tbody>
          ${outliers.map(
            ({ pair, sigma, picture }) =>
              html`<tr>
                <td><img class="cut" src="${picture}" alt="Surroundings of ${pair.source.name}" /></td>
                <th scope="row">${pair.source.name}</th>
                <td>${pair.predicted.id}</td>
                <td class="number">${milliJy(pair.source.integratedJy)}</td>
                <td class="number">${milliJy(pair.predicted.predictedJy)}</td>
                <td class="number">${pair.ratio.toFixed(3)}</td>
                <td class="number">${significant(sigma, 2)} σ</td>
                <td class="number">${pair.source.snr.toFixed(1)}</td>
                <td class="number">${pair.source.meanBeam.toFixed(2)}</td>
              </tr> `,
          )}
        </tbody>
      </table>
    </div>`
}

function wrap(angleRad: number): number {
  return angleRad - 2 * Math.PI * Math.round(angleRad / (2 * Math.PI))
}
