/** Full widths and position angle (north through east) of an ellipse on the sky, any one unit. */
export interface Ellipse {
  major: number
  minor: number
  paRad: number
}

/**
 * Takes the beam out of a fitted Gaussian (Wild 1970, Aust. J. Phys. 23, 113). Widths are 0 along an axis in which the
 * source is no larger than the beam.
 */
export function deconvolve(fit: Ellipse, beam: Ellipse): Ellipse {
  const sum = fit.major ** 2 + fit.minor ** 2 - (beam.major ** 2 + beam.minor ** 2)
  const cosine =
    (fit.major ** 2 - fit.minor ** 2) * Math.cos(2 * fit.paRad) -
    (beam.major ** 2 - beam.minor ** 2) * Math.cos(2 * beam.paRad)
  const sine =
    (fit.major ** 2 - fit.minor ** 2) * Math.sin(2 * fit.paRad) -
    (beam.major ** 2 - beam.minor ** 2) * Math.sin(2 * beam.paRad)
  const difference = Math.hypot(cosine, sine)
  return {
    major: Math.sqrt(Math.max(0, (sum + difference) / 2)),
    minor: Math.sqrt(Math.max(0, (sum - difference) / 2)),
    paRad: difference === 0 ? 0 : Math.atan2(sine, cosine) / 2,
  }
}

/** Response of a beam with peak 1 at an offset (east, north) from its centre, in the unit of its widths. */
export function beamResponse(beam: Ellipse, east: number, north: number): number {
  const along = east * Math.sin(beam.paRad) + north * Math.cos(beam.paRad)
  const across = east * Math.cos(beam.paRad) - north * Math.sin(beam.paRad)
  return Math.exp(-4 * Math.LN2 * ((along / beam.major) ** 2 + (across / beam.minor) ** 2))
}
