import { domainOf } from '#runtime/page/axis.ts'
import { html, type Html } from '#runtime/page/html.ts'
import { plot } from '#runtime/page/plot.ts'
import { pointSpreadFigures } from './point-spread.ts'
import type { ReportInput } from './report.ts'
import { microJyPerBeam, significant } from './text.ts'

/** Numbers behind the plots of the noise. */
export interface NoisePlots {
  /** Counts of residual pixels in bins of residual over rms, from -limit to limit. */
  residual: { counts: readonly number[]; limit: number }
  /** Counts of pixels of the noise map in bins of Jy/beam. */
  map: readonly { low: number; high: number; count: number }[]
  /** Median of the noise map in rings, degrees from the centre. */
  rings: readonly { radiusDeg: number; rmsJy: number }[]
}

/** Noise against expectation, its distribution, and the point spread function. */
export function noiseSection({ assessment, noise, psf, pointSpread, field }: ReportInput): Html {
  const { numbers } = assessment
  return html`<dl class="facts">
      <div>
        <dt>Residual rms, centre</dt>
        <dd>${microJyPerBeam(numbers.rmsCentreJy)}</dd>
      </div>
      <div>
        <dt>Noise as imaged (Stokes Q)</dt>
        <dd>${microJyPerBeam(numbers.noiseThJy)}</dd>
      </div>
      <div>
        <dt>Noise expected</dt>
        <dd>${microJyPerBeam(numbers.noiseExpectedJy)}</dd>
      </div>
      <div>
        <dt>Residual over noise as imaged</dt>
        <dd>${significant(numbers.rmsCentreJy / numbers.noiseThJy)}</dd>
      </div>
      <div>
        <dt>Peak</dt>
        <dd>${significant(numbers.peakJy)} Jy/beam</dd>
      </div>
      <div>
        <dt>Peak over rms</dt>
        <dd>${significant(numbers.peakJy / numbers.rmsCentreJy)}</dd>
      </div>
      ${
        psf !== undefined &&
        html`<div>
          <dt>Largest sidelobe</dt>
          <dd>${(100 * psf.sidelobe).toFixed(1)} %</dd>
        </div>`
      }
    </dl>
    <div class="plots">
      ${residualPlot(noise.residual)}${mapPlot(noise.map)}${ringPlot(noise.rings)}${psf !== undefined && psfPlot(psf, field)}${pointSpreadFigures(pointSpread)}
    </div>`
}

function residualPlot({ counts, limit }: NoisePlots['residual']): Html | false {
  const total = counts.reduce((sum, count) => sum + count, 0)
  if (total === 0) return false
  const width = (2 * limit) / counts.length
  const bars = counts.map((count, k) => ({ x0: -limit + k * width, x1: -limit + (k + 1) * width, y: count }))
  const gauss = Array.from({ length: 161 }, (_, k) => -limit + (2 * limit * k) / 160).map((x) => ({
    x,
    y: (total * width * Math.exp((-x * x) / 2)) / Math.sqrt(2 * Math.PI),
  }))
  return plot({
    id: 'noise-residual',
    title: 'Residual pixels in the centre',
    description: `Histogram of ${total} residual pixels over their rms, with a Gaussian of unit width.`,
    x: { label: 'residual / rms', domain: [-limit, limit] },
    y: { label: 'pixels', domain: [0.8, Math.max(...counts, ...gauss.map(({ y }) => y)) * 2], log: true },
    layers: [
      { kind: 'bars', tone: 'main', bars, label: 'residual' },
      { kind: 'line', tone: 'second', points: gauss, label: 'Gaussian' },
    ],
  })
}

function mapPlot(map: NoisePlots['map']): Html | false {
  if (map.length === 0) return false
  return plot({
    id: 'noise-map',
    title: 'Local noise',
    description: 'Histogram of the noise map within the primary beam.',
    x: { label: 'local noise (mJy/beam)', domain: [map[0].low * 1000, map[map.length - 1].high * 1000], log: true },
    y: { label: 'part of the field (%)', domain: [0, Math.max(...percentages(map)) * 1.1] },
    layers: [
      {
        kind: 'bars',
        tone: 'main',
        bars: map.map(({ low, high }, k) => ({ x0: low * 1000, x1: high * 1000, y: percentages(map)[k] })),
      },
    ],
  })
}

function percentages(map: NoisePlots['map']): number[] {
  const total = map.reduce((sum, { count }) => sum + count, 0)
  return map.map(({ count }) => (100 * count) / total)
}

function ringPlot(rings: NoisePlots['rings']): Html | false {
  if (rings.length < 2) return false
  const values = rings.map(({ rmsJy }) => rmsJy * 1000)
  return plot({
    id: 'noise-rings',
    title: 'Local noise against radius',
    description:
      'Median of the noise map in rings around the centre; flat where noise, not sidelobes, limits the image.',
    x: { label: 'distance from the centre (deg)', domain: [0, rings[rings.length - 1].radiusDeg * 1.05] },
    y: { label: 'local noise (mJy/beam)', domain: domainOf(values, { include: [0] }) },
    layers: [
      { kind: 'line', tone: 'main', points: rings.map(({ radiusDeg, rmsJy }) => ({ x: radiusDeg, y: rmsJy * 1000 })) },
    ],
  })
}

function psfPlot({ cut, halfPower }: NonNullable<ReportInput['psf']>, field: ReportInput['field']): Html {
  const arcsec = 648000 / Math.PI
  const half = (cut.major.length - 1) / 2
  const along = (values: readonly number[]): { x: number; y: number }[] =>
    values.map((y, k) => ({ x: (k - half) * cut.stepRad * arcsec, y }))
  const gaussian = (width: number): { x: number; y: number }[] =>
    cut.major.map((_, k) => ({
      x: (k - half) * cut.stepRad * arcsec,
      y: Math.exp(-4 * Math.LN2 * (((k - half) * cut.stepRad) / width) ** 2),
    }))
  const reach = half * cut.stepRad * arcsec
  return plot({
    id: 'psf-cut',
    title: 'Point spread function',
    description: `Cuts through the point spread function: half of the peak over ${(halfPower.major * arcsec).toFixed(1)} arcsec along the major axis of the restoring beam and ${(halfPower.minor * arcsec).toFixed(1)} arcsec along its minor axis.`,
    x: { label: 'offset (arcsec)', domain: [-reach, reach] },
    y: { label: 'response', domain: domainOf([...cut.major, ...cut.minor], { include: [-0.2, 1] }) },
    layers: [
      { kind: 'level', tone: 'muted', axis: 'y', at: 0, dashed: true },
      { kind: 'line', tone: 'main', points: along(cut.major), label: 'along the major axis' },
      { kind: 'line', tone: 'second', points: along(cut.minor), label: 'along the minor axis' },
      { kind: 'line', tone: 'muted', dashed: true, points: gaussian(field.beam.major), label: 'restoring beam' },
    ],
  })
}
