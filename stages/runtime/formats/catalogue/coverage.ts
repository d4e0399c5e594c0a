import type { CatalogueInfo } from './info.ts'
import { separation, type Direction } from '#runtime/sky/frames.ts'

/** Files cut out around a field cover a cone; catalogues wider than this are taken to cover all right ascensions. */
const LARGEST_CONE_DEG = 20

/**
 * Where a catalogue has sources: the cone that encloses all positions if it is small, else their range of declination.
 *
 * @param positions called for each walk over all positions
 */
export function coverageOf(
  positions: () => Iterable<{ raDeg: number; decDeg: number }>,
  declinations: { minDeg: number; maxDeg: number },
): CatalogueInfo['coverage'] {
  const whole = { kind: 'declinations', ...declinations } as const
  if (declinations.maxDeg - declinations.minDeg > 2 * LARGEST_CONE_DEG) return whole
  const sum = [0, 0, 0]
  for (const { raDeg, decDeg } of positions()) {
    const { raRad, decRad } = radians({ raDeg, decDeg })
    sum[0] += Math.cos(decRad) * Math.cos(raRad)
    sum[1] += Math.cos(decRad) * Math.sin(raRad)
    sum[2] += Math.sin(decRad)
  }
  const centre = { raRad: Math.atan2(sum[1], sum[0]), decRad: Math.atan2(sum[2], Math.hypot(sum[0], sum[1])) }
  let radiusRad = 0
  for (const position of positions()) radiusRad = Math.max(radiusRad, separation(centre, radians(position)))
  const radiusDeg = (radiusRad * 180) / Math.PI
  if (radiusDeg > LARGEST_CONE_DEG) return whole
  return {
    kind: 'cone',
    raDeg: roundDeg((centre.raRad * 180) / Math.PI + 360) % 360,
    decDeg: roundDeg((centre.decRad * 180) / Math.PI),
    // Rounded up, so that the farthest row stays inside.
    radiusDeg: roundDeg(radiusDeg) + 2e-6,
  }
}

function radians({ raDeg, decDeg }: { raDeg: number; decDeg: number }): Direction {
  return { raRad: (raDeg * Math.PI) / 180, decRad: (decDeg * Math.PI) / 180 }
}

/** To a millionth of a degree: the last bits depend on the order of the rows. */
function roundDeg(angleDeg: number): number {
  return Math.round(angleDeg * 1e6) / 1e6
}
