import { median, quantile } from '#runtime/numeric/statistics.ts'
import type { CalibrationSummary } from '../calibration-summary.ts'
import { domainOf } from '#runtime/page/axis.ts'
import { html, type Html } from '#runtime/page/html.ts'
import { plot, type Layer, type PlotPoint } from '#runtime/page/plot.ts'
import { significant } from './text.ts'

/** Pictures of antenna x frequency and time x frequency planes as data URIs, first row at the bottom. */
export interface CalibrationPictures {
  amplitude: string
  antennaFlags: string
  timeFlags: string
}

const polarizationNames = ['XX', 'YY']
const tones = ['main', 'second'] as const

/** Plots of a solution set: gains and SEFD by antenna, bandpasses, short phases, residuals, flags. */
export function calibrationFigures(summary: CalibrationSummary, pictures: CalibrationPictures): Html[] {
  const { gain, sefdJy, antennas } = summary
  return [
    byAntenna('cal-gain', 'Gain amplitude by antenna', {
      values: gain.amplitude,
      antennas,
      label: 'gain amplitude',
      include: [0],
    }),
    byAntenna('cal-phase', 'Gain phase by antenna', {
      values: gain.phaseDeg,
      antennas,
      label: 'gain phase (deg)',
      include: [-180, 180],
    }),
    byAntenna('cal-sefd', 'System equivalent flux density by antenna', {
      values: sefdJy,
      antennas,
      label: 'SEFD (Jy)',
      include: [0],
    }),
    bandpassPlot('cal-band-amplitude', 'Bandpass amplitude', {
      summary,
      values: summary.bandpass.amplitude,
      label: 'amplitude',
    }),
    bandpassPlot('cal-band-phase', 'Bandpass phase', {
      summary,
      values: summary.bandpass.phaseDeg,
      label: 'phase (deg)',
    }),
    shortPhases(summary),
    residualPhases(summary),
    plane('cal-band-map', 'Bandpass amplitude, antenna by frequency (0.5 black to 1.5 white)', {
      summary,
      uri: pictures.amplitude,
      rows: antennas.length,
      label: 'antenna number in the set',
    }),
    plane('cal-flag-map', 'Flagged bandpass solutions, antenna by frequency (white: all)', {
      summary,
      uri: pictures.antennaFlags,
      rows: antennas.length,
      label: 'antenna number in the set',
    }),
    plane('cal-flag-time', 'Flagged data, time by frequency (white: all)', {
      summary,
      uri: pictures.timeFlags,
      rows: summary.flags.timeByFrequency.length,
      label: 'integration',
    }),
    reasonTable(summary),
  ]
}

function byAntenna(
  id: string,
  title: string,
  {
    values,
    antennas,
    label,
    include,
  }: { values: (number | null)[][]; antennas: readonly string[]; label: string; include: number[] },
): Html {
  const layers = (values[0] ?? []).map((_, p): Layer => ({
    kind: 'points',
    tone: tones[p % tones.length],
    marker: p === 0 ? 'circle' : 'diamond',
    points: values.flatMap((row, a): PlotPoint[] => {
      const y = row[p]
      return typeof y === 'number'
        ? [{ x: a, y, title: `antenna ${antennas[a]} ${polarizationNames[p]}: ${significant(y)}` }]
        : []
    }),
    label: polarizationNames[p] ?? `polarisation ${p}`,
  }))
  return plot({
    id,
    title,
    description: `${antennas.length} antennas; flagged ones are left out.`,
    x: { label: 'antenna number in the set', domain: [-1, antennas.length] },
    y: { label, domain: domainOf(finite(values.flat()), { include }) },
    layers,
  })
}

function bandpassPlot(
  id: string,
  title: string,
  { summary, values, label }: { summary: CalibrationSummary; values: (number | null)[][][]; label: string },
): Html {
  const { freqMhz } = summary
  const layers = (values[0] ?? []).flatMap((_, p): Layer[] => {
    const columns = freqMhz.map((_f, c) => finite(values.map((antenna) => antenna[p][c])))
    const tone = tones[p % tones.length]
    return [
      {
        kind: 'band',
        tone,
        points: columns.flatMap((column, c) =>
          column.length === 0 ? [] : [{ x: freqMhz[c], low: quantile(column, 0.05), high: quantile(column, 0.95) }],
        ),
      },
      {
        kind: 'line',
        tone,
        points: columns.map((column, c) => ({ x: freqMhz[c], y: median(column) })),
        label: `${polarizationNames[p] ?? p} median, band of 90 % of antennas`,
      },
    ]
  })
  const bounds = layers.flatMap((layer) =>
    layer.kind === 'band' ? layer.points.flatMap(({ low, high }) => [low, high]) : [],
  )
  return plot({
    id,
    title,
    description: `Median over ${summary.antennas.length} antennas against frequency, with the range of nine tenths of them.`,
    x: { label: 'frequency (MHz)', domain: domainOf(freqMhz, { margin: 0.02 }) },
    y: { label, domain: domainOf(bounds) },
    layers,
  })
}

function shortPhases({ phase, binTimesMjdS, antennas }: CalibrationSummary): Html {
  const minutes = binTimesMjdS.map((time) => (time - binTimesMjdS[0]) / 60)
  const lines = phase.phaseDeg.flatMap((antenna) =>
    antenna.map((bins, p): Layer => ({
      kind: 'line',
      tone: tones[p % tones.length],
      points: bins.map((y, k) => ({ x: minutes[k], y: y ?? NaN })),
    })),
  )
  return plot({
    id: 'cal-short',
    title: 'Phase in time',
    description: `Phase solutions of ${antennas.length} antennas in ${minutes.length} time bins, one line an antenna and polarisation.`,
    x: { label: 'time since the first bin (min)', domain: domainOf(minutes) },
    y: { label: 'phase (deg)', domain: domainOf(finite(phase.phaseDeg.flat(2)), { include: [-5, 5] }) },
    layers: lines,
  })
}

function residualPhases({ residualPhaseDeg: { edges, counts } }: CalibrationSummary): Html {
  if (counts.length === 0) return html``
  return plot({
    id: 'cal-residual',
    title: 'Phase residuals on the calibrator',
    description: `Histogram of ${counts.reduce((sum, count) => sum + count, 0)} band-averaged baselines.`,
    x: { label: 'phase residual (deg)', domain: [edges[0], edges[edges.length - 1]] },
    y: { label: 'baselines', domain: [0, Math.max(1, ...counts) * 1.1] },
    layers: [{ kind: 'bars', tone: 'main', bars: counts.map((y, k) => ({ x0: edges[k], x1: edges[k + 1], y })) }],
  })
}

function plane(
  id: string,
  title: string,
  { summary, uri, rows, label }: { summary: CalibrationSummary; uri: string; rows: number; label: string },
): Html {
  const { freqMhz } = summary
  const half = freqMhz.length > 1 ? (freqMhz[1] - freqMhz[0]) / 2 : 0.5
  const [x0, x1] = [freqMhz[0] - half, freqMhz[freqMhz.length - 1] + half]
  return plot({
    id,
    title,
    description: `A picture of ${rows} rows and ${freqMhz.length} frequencies.`,
    x: { label: 'frequency (MHz)', domain: [x0, x1] },
    y: { label, domain: [-0.5, rows - 0.5] },
    layers: [{ kind: 'picture', tone: 'muted', uri, x0, x1, y0: -0.5, y1: rows - 0.5 }],
  })
}

function reasonTable({ flags, calibrator, id, refant }: CalibrationSummary): Html {
  return html`<div>
    <table>
      <caption>
        <span
          >Solution set ${id} on ${calibrator.name} (${calibrator.fluxAnchor}), reference antenna ${refant}: flagged
          part of the data by reason.</span
        >
      </caption>
      <thead>
        <tr>
          <th scope="col">Reason</th>
          <th scope="col" class="number">Flagged</th>
        </tr>
      </thead>
      <tbody>
        ${Object.entries(flags.byReason).map(
          ([reason, part]) =>
            html`<tr>
              <th scope="row">${reason}</th>
              <td class="number">${(100 * part).toFixed(2)} %</td>
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`
}

function finite(values: readonly (number | null)[]): number[] {
  return values.filter((value): value is number => value !== null && Number.isFinite(value))
}
