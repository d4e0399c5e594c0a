import { html, type Html } from '#runtime/page/html.ts'
import { pipelineStages } from '../pipeline/stages.ts'
import type { AttemptReport } from './attempts.ts'
import type { Scale } from './timeline.ts'

const BINS = 160
const HEIGHT = 90
const BOTTOM = 4

/** How many attempts ran at a time, by stage, above the rows of a timeline that has room for some of them only. */
export function occupancy(
  attempts: readonly AttemptReport[],
  { scale, width, left, right }: { scale: Scale; width: number; left: number; right: number },
): Html {
  const stages = pipelineStages.map((stage) =>
    running(
      attempts.filter((attempt) => attempt.stage === stage),
      scale,
    ),
  )
  const sums = Array.from({ length: BINS }, (_, bin) => stages.reduce((sum, counts) => sum + (counts[bin] ?? 0), 0))
  const most = Math.max(1, Math.ceil(Math.max(...sums)))
  const x = (bin: number): number => round(left + ((width - left - right) * bin) / BINS)
  const y = (count: number): number => round(HEIGHT - BOTTOM - ((HEIGHT - 14) * count) / most)
  const below = Array.from({ length: BINS }, () => 0)
  return html`<svg
    class="timeline"
    viewBox="0 0 ${width} ${HEIGHT}"
    role="img"
    aria-label="Attempts running at a time, by stage: at most ${most}"
  >
    ${stages.map((counts, index) => {
      const base = [...below]
      counts.forEach((count, bin) => (below[bin] = (below[bin] ?? 0) + count))
      const upper = below.map((count, bin) => `${x(bin)} ${y(count)}H${x(bin + 1)}`).join('L')
      const lower = base
        .map((count, bin) => `${x(bin + 1)} ${y(count)}H${x(bin)}`)
        .toReversed()
        .join('L')
      return html`<path class="bar stage-${pipelineStages[index]}" d="M${upper}L${lower}Z" />`
    })}
    <g class="ticks">
      <text x="${left - 8}" y="${y(most) + 4}" text-anchor="end">${most} at a time</text>
      <text x="${left - 8}" y="${y(0)}" text-anchor="end">0</text>
    </g>
  </svg>`
}

/** Mean number of attempts that ran in each bin. */
function running(attempts: readonly AttemptReport[], scale: Scale): number[] {
  const counts = Array.from({ length: BINS }, () => 0)
  const width = scale.total / BINS
  for (const { startedAt, endedAt } of attempts) {
    const [from, to] = [scale.seconds(startedAt) / width, scale.seconds(endedAt) / width]
    for (let bin = Math.floor(from); bin < Math.min(BINS, to); bin++)
      counts[bin] = (counts[bin] ?? 0) + Math.min(to, bin + 1) - Math.max(from, bin)
  }
  return counts
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
