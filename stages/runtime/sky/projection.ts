import type { Direction } from './frames.ts'

const TWO_PI = 2 * Math.PI

/** Geometry of an image: SIN projection, square pixels, north up and east (RA increasing) to the left. */
export interface ImageWcs {
  /** ICRS direction of the reference pixel. */
  centre: Direction
  width: number
  height: number
  cellRad: number
  /** 0-based pixel of the centre; WSClean puts it at width / 2, height / 2. */
  referenceX: number
  referenceY: number
}

export interface DirectionCosines {
  l: number
  m: number
  n: number
}

/**
 * Direction cosines of a direction about a phase centre: l to the east, m to the north, n towards the centre
 * (Thompson, Moran & Swenson 2017, eq. 3.6). `n` is negative for the far hemisphere.
 */
export function sinProject(direction: Direction, centre: Direction): DirectionCosines {
  const sinDec = Math.sin(direction.decRad)
  const cosDec = Math.cos(direction.decRad)
  const sin0 = Math.sin(centre.decRad)
  const cos0 = Math.cos(centre.decRad)
  const deltaRa = direction.raRad - centre.raRad
  const cosRa = Math.cos(deltaRa)
  return {
    l: cosDec * Math.sin(deltaRa),
    m: sinDec * cos0 - cosDec * sin0 * cosRa,
    n: sinDec * sin0 + cosDec * cos0 * cosRa,
  }
}

/** The direction of direction cosines in the near hemisphere. Throws a RangeError outside the unit circle. */
export function sinDeproject(l: number, m: number, centre: Direction): Direction {
  const n2 = 1 - l * l - m * m
  if (!(n2 >= 0)) throw new RangeError(`l ${l}, m ${m} lie outside the celestial sphere`)
  const n = Math.sqrt(n2)
  const sin0 = Math.sin(centre.decRad)
  const cos0 = Math.cos(centre.decRad)
  const towards = n * cos0 - m * sin0
  return {
    raRad: wrapRa(centre.raRad + Math.atan2(l, towards)),
    decRad: Math.atan2(n * sin0 + m * cos0, Math.hypot(l, towards)),
  }
}

/** ICRS direction of a pixel: 0-based x to the right, y upwards (FITS row order), pixel centres at integers. */
export function pixelToSky(wcs: ImageWcs, x: number, y: number): Direction {
  return sinDeproject((wcs.referenceX - x) * wcs.cellRad, (y - wcs.referenceY) * wcs.cellRad, wcs.centre)
}

/** Pixel of an ICRS direction; NaN for the far hemisphere, which the projection does not show. */
export function skyToPixel(wcs: ImageWcs, direction: Direction): { x: number; y: number } {
  const { l, m, n } = sinProject(direction, wcs.centre)
  if (n < 0) return { x: Number.NaN, y: Number.NaN }
  return { x: wcs.referenceX - l / wcs.cellRad, y: wcs.referenceY + m / wcs.cellRad }
}

/** The same angle in [0, 2 pi). */
export function wrapRa(angleRad: number): number {
  let wrapped = angleRad - TWO_PI * Math.floor(angleRad / TWO_PI)
  // Rounding of the quotient can leave a hair on the wrong side of either end.
  if (wrapped < 0) wrapped += TWO_PI
  return wrapped >= TWO_PI ? 0 : wrapped
}

/** The same angle in [-pi, pi). */
export function wrapPi(angleRad: number): number {
  return wrapRa(angleRad + Math.PI) - Math.PI
}
