import { wilson } from '#runtime/numeric/statistics.ts'
import { twoSidedChance } from '../line.ts'
import type { PredictedSource } from '../prediction.ts'
import { html, type Html } from '#runtime/page/html.ts'
import { plot } from '#runtime/page/plot.ts'
import type { ReportInput } from './report.ts'
import { degrees, milliJy, significant } from './text.ts'

const BIN_EDGES = [3, 4, 5, 6, 7, 8, 10, 14, 20, 40, 100, 1000]
const MISSED_SHOWN = 20

/** Found fraction against predicted signal-to-noise ratio, missed sources, false detections, source counts. */
export function completenessSection({ assessment, params }: ReportInput): Html {
  const { catalogue, detections, counts } = assessment
  const reliability = html`<p>
    Reliability: ${detections.negatives} detections on the negative image, ${detections.sources.length} on the image.
    Gaussian noise gives ${assessment.numbers.expectedNegatives.toFixed(1)} in this field.
  </p>`
  if (catalogue === undefined)
    return html`<p>Completeness: not run, no catalogue was given.</p>
      ${reliability}${countsPlot(counts)}`
  const { comparison, completeness } = catalogue
  const found = new Set(comparison.pairs.map(({ predicted }) => predicted.id))
  const missed = comparison.expected.filter((entry) => !entry.found).map(({ predicted }) => predicted)
  return html`<p>
      Found <b>${completeness.found} of ${completeness.expected}</b> catalogue sources that are covered, isolated,
      compact and predicted above ${params.completenessSnr} σ; the Wilson interval is ${completeness.low.toFixed(3)} to
      ${completeness.high.toFixed(3)}.
    </p>
    ${reliability}
    <p>No sources were injected into this image: completeness is that of the catalogue's sources.</p>
    <div class="plots">${completenessPlot(comparison.candidates, found, params.seedSigma)}${countsPlot(counts)}</div>
    ${missedTable(missed)}`
}

function completenessPlot(predicted: readonly PredictedSource[], found: ReadonlySet<string>, seedSigma: number): Html {
  const bins = BIN_EDGES.slice(0, -1).flatMap((low, k) => {
    const high = BIN_EDGES[k + 1]
    const inside = predicted.filter(({ predictedSnr }) => predictedSnr >= low && predictedSnr < high)
    if (inside.length === 0) return []
    const hits = inside.filter(({ id }) => found.has(id)).length
    const interval = wilson(hits, inside.length)
    return [{ x: Math.sqrt(low * Math.min(high, 200)), y: hits / inside.length, ...interval, n: inside.length, hits }]
  })
  const curve = Array.from({ length: 80 }, (_, k) => 3 * (200 / 3) ** (k / 79)).map((snr) => {
    const below = twoSidedChance(Math.abs(snr - seedSigma)) / 2
    return { x: snr, y: snr >= seedSigma ? 1 - below : below }
  })
  return plot({
    id: 'completeness-plot',
    title: 'Completeness',
    description: `Found fraction of isolated catalogue sources in ${bins.length} bins of predicted signal-to-noise ratio, with Wilson intervals, and the curve of Gaussian noise with a threshold of ${seedSigma} sigma.`,
    x: { label: 'predicted signal-to-noise ratio', domain: [3, 200], log: true },
    y: { label: 'found fraction', domain: [0, 1.05] },
    layers: [
      { kind: 'line', tone: 'second', points: curve, label: 'Gaussian noise' },
      ...bins.map((bin) => ({
        kind: 'line' as const,
        tone: 'main' as const,
        points: [
          { x: bin.x, y: bin.low },
          { x: bin.x, y: bin.high },
        ],
      })),
      {
        kind: 'points',
        tone: 'main',
        points: bins.map(({ x, y, n, hits }) => ({ x, y, title: `${hits} of ${n}` })),
        label: 'catalogue sources',
      },
    ],
  })
}

function countsPlot(counts: ReportInput['assessment']['counts']): Html | false {
  if (counts.length < 2) return false
  return plot({
    id: 'counts-plot',
    title: 'Source counts',
    description: `Euclidean differential source counts in ${counts.length} bins of flux density, with the counts of the sky at 1.4 GHz.`,
    x: {
      label: 'flux density at 1.4 GHz (Jy)',
      domain: [counts[0].fluxJy / 1.5, counts[counts.length - 1].fluxJy * 1.5],
      log: true,
    },
    y: {
      label: 'S^2.5 dN/dS (Jy^1.5 / sr)',
      domain: [
        Math.max(0.3, Math.min(...counts.map(({ count, expected }) => Math.min(count, expected))) / 3),
        Math.max(...counts.map(({ count, expected }) => Math.max(count, expected))) * 3,
      ],
      log: true,
    },
    layers: [
      {
        kind: 'line',
        tone: 'second',
        points: counts.map(({ fluxJy, expected }) => ({ x: fluxJy, y: expected })),
        label: 'sky (White et al. 1997)',
      },
      {
        kind: 'points',
        tone: 'main',
        points: counts.map(({ fluxJy, count, eCount, n }) => ({
          x: fluxJy,
          y: count,
          ey: eCount,
          title: `${n} sources`,
        })),
        label: 'this image',
      },
    ],
  })
}

function missedTable(missed: readonly PredictedSource[]): Html | false {
  if (missed.length === 0) return false
  const shown = missed.toSorted((a, b) => b.predictedSnr - a.predictedSnr).slice(0, MISSED_SHOWN)
  return html`<h3>Missed catalogue sources</h3>
    <div class="scroll" tabindex="0" role="region" aria-label="Table: Missed catalogue sources">
      <table>
        <caption>
          <span
            >${shown.length < missed.length ? `The ${shown.length} of ${missed.length} with the highest predicted signal-to-noise ratio.` : 'All expected catalogue sources that were not found.'}</span
          >
        </caption>
        <thead>
          <tr>
            <th scope="col">Catalogue source</th>
            <th scope="col" class="number">RA (deg)</th>
            <th scope="col" class="number">Dec (deg)</th>
            <th scope="col" class="number">Predicted</th>
            <th scope="col" class="number">S/N</th>
            <th scope="col" class="number">Mean beam</th>
          </tr>
        </thead>
        <tbody>
          ${shown.map(
            ({ id, direction, predictedJy, predictedSnr, meanBeam }) =>
              html`<tr>
                <th scope="row">${id}</th>
                <td class="number">${degrees(direction.raRad)}</td>
                <td class="number">${degrees(direction.decRad)}</td>
                <td class="number">${milliJy(predictedJy)}</td>
                <td class="number">${significant(predictedSnr)}</td>
                <td class="number">${meanBeam.toFixed(2)}</td>
              </tr> `,
          )}
        </tbody>
      </table>
    </div>`
}
