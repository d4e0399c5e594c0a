import { quantile } from '#runtime/numeric/statistics.ts'
import type { Pair } from '../comparison.ts'
import { domainOf } from '#runtime/page/axis.ts'
import { html, type Html } from '#runtime/page/html.ts'
import { MAX_POINTS, plot } from '#runtime/page/plot.ts'
import type { ReportInput } from './report.ts'

const ARCSEC = Math.PI / 648000
const DEG = Math.PI / 180

/** Offsets from the catalogue: against each other, over the field, and against the coordinates. */
export function astrometrySection({ assessment, field }: ReportInput): Html {
  const { catalogue } = assessment
  if (catalogue === undefined) return html`<p>Not run: no catalogue was given.</p>`
  const sample = catalogue.comparison.pairs.filter(({ inPositionSample }) => inPositionSample)
  if (sample.length === 0)
    return html`<p>No source of the image is fit for a comparison: matched, isolated, unresolved and bright enough.</p>`
  const found = catalogue.astrometry
  const ra = (pair: Pair): number => pair.offsetRaRad / ARCSEC
  const dec = (pair: Pair): number => pair.offsetDecRad / ARCSEC
  const reach = Math.max(
    1,
    1.2 *
      quantile(
        sample.map((pair) => Math.max(Math.abs(ra(pair)), Math.abs(dec(pair)))),
        0.97,
      ),
  )
  const east = (pair: Pair): number => ((field.wcs.referenceX - pair.source.x) * field.wcs.cellRad) / DEG
  const north = (pair: Pair): number => ((pair.source.y - field.wcs.referenceY) * field.wcs.cellRad) / DEG
  const beam = {
    x: 0,
    y: 0,
    rx: field.beam.minor / ARCSEC / 2,
    ry: field.beam.major / ARCSEC / 2,
    turnDeg: -field.beam.paRad / DEG,
  }
  const eastDomain = domainOf(sample.map(east))
  const northDomain = domainOf(sample.map(north))
  const magnify =
    ((northDomain[1] - northDomain[0]) * 0.12) /
    Math.max(
      0.2,
      quantile(
        sample.map((pair) => Math.hypot(ra(pair), dec(pair))),
        0.9,
      ),
    )
  const title = (pair: Pair): string => `${pair.source.name}: ${ra(pair).toFixed(2)}, ${dec(pair).toFixed(2)} arcsec`
  const against = (
    id: string,
    label: string,
    { x, y, yLabel }: { x: (pair: Pair) => number; y: (pair: Pair) => number; yLabel: string },
  ): Html =>
    plot({
      id,
      title: `${yLabel} against ${label}`,
      description: `${sample.length} sources.`,
      x: { label: `${label} (deg)`, domain: domainOf(sample.map(x)) },
      y: { label: `${yLabel} (arcsec)`, domain: [-reach, reach] },
      layers: [
        { kind: 'level', tone: 'muted', axis: 'y', at: 0, dashed: true },
        {
          kind: 'points',
          tone: 'main',
          points: sample.map((pair) => ({ x: x(pair), y: y(pair), title: title(pair) })),
        },
      ],
    })
  return html`<p>
      Median offset <b>${minus(found.offsetRaArcsec)}″, ${minus(found.offsetDecArcsec)}″</b> ±
      ${found.eOffsetArcsec.toFixed(2)}″ (right ascension times cos dec, declination; ours minus catalogue) from
      ${found.n} sources: ${(Math.hypot(found.offsetRaArcsec, found.offsetDecArcsec) / found.beamArcsec).toFixed(3)}
      beams. Scatter ${found.scatterRaArcsec.toFixed(2)}″ and ${found.scatterDecArcsec.toFixed(2)}″.
      ${sample.length > MAX_POINTS && ` The plots show the ${MAX_POINTS} brightest.`}
    </p>
    <div class="plots">
      ${plot({
        id: 'astrometry-scatter',
        title: 'Offsets from the catalogue',
        description: `Offsets of ${sample.length} sources in right ascension and declination; the median is ${found.offsetRaArcsec.toFixed(2)}, ${found.offsetDecArcsec.toFixed(2)} arcsec.`,
        x: { label: '\u0394\u03b1 cos \u03b4 (arcsec)', domain: [-reach, reach], reversed: true },
        y: { label: '\u0394\u03b4 (arcsec)', domain: [-reach, reach] },
        width: 460,
        height: 430,
        layers: [
          { kind: 'level', tone: 'muted', axis: 'x', at: 0, dashed: true },
          { kind: 'level', tone: 'muted', axis: 'y', at: 0, dashed: true },
          { kind: 'ellipse', tone: 'muted', ...beam, label: 'beam (half power)' },
          {
            kind: 'points',
            tone: 'main',
            points: sample.map((pair) => ({ x: ra(pair), y: dec(pair), title: title(pair) })),
          },
          {
            kind: 'ellipse',
            tone: 'second',
            x: found.offsetRaArcsec,
            y: found.offsetDecArcsec,
            rx: found.scatterRaArcsec,
            ry: found.scatterDecArcsec,
            turnDeg: 0,
            label: 'scatter about the median',
          },
          {
            kind: 'points',
            tone: 'second',
            marker: 'cross',
            points: [{ x: found.offsetRaArcsec, y: found.offsetDecArcsec }],
            label: 'median',
          },
        ],
      })}
      ${plot({
        id: 'astrometry-field',
        title: `Offsets over the field, magnified ${Math.round(magnify * 3600)} times`,
        description: `Arrows from each of ${sample.length} sources in the direction of its offset.`,
        x: { label: 'east (deg)', domain: eastDomain, reversed: true },
        y: { label: 'north (deg)', domain: northDomain },
        width: 460,
        height: 430,
        layers: [
          {
            kind: 'arrows',
            tone: 'main',
            arrows: sample.map((pair) => ({
              x: east(pair),
              y: north(pair),
              dx: ra(pair) * magnify,
              dy: dec(pair) * magnify,
              title: title(pair),
            })),
          },
        ],
      })}
      ${against('astrometry-ra-ra', 'offset in right ascension from the centre', { x: east, y: ra, yLabel: '\u0394\u03b1 cos \u03b4' })}
      ${against('astrometry-ra-dec', 'offset in declination from the centre', { x: north, y: ra, yLabel: '\u0394\u03b1 cos \u03b4' })}
      ${against('astrometry-dec-ra', 'offset in right ascension from the centre', { x: east, y: dec, yLabel: '\u0394\u03b4' })}
      ${against('astrometry-dec-dec', 'offset in declination from the centre', { x: north, y: dec, yLabel: '\u0394\u03b4' })}
    </div>`
}

function minus(value: number): string {
  return value.toFixed(2).replace('-', '\u2212')
}
