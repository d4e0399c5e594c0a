export interface GaussianErrors {
  /** Relative errors. */
  peak: number
  integrated: number
  major: number
  minor: number
  /** Errors of the position along the axes, in the unit of the widths. */
  alongMajor: number
  alongMinor: number
  paRad: number
}

const FWHM_TO_SIGMA = Math.sqrt(8 * Math.LN2)

/**
 * Errors of an elliptical Gaussian fitted to an image whose noise is correlated like its beam (Condon 1997, PASP 109,
 * 166, eqs. 20, 21, 30, 36, 41-43):
 *
 *   rho^2(a, b) = (M m / 4 N^2) [1 + (N/M)^2]^a [1 + (N/m)^2]^b (S/N)^2
 *
 * with N^2 = beam major x minor, the correlation along each axis being that of the beam. For a point source they are
 * the familiar sigma(S) = rms and sigma(x) = 0.425 FWHM / (S/N).
 *
 * @param fit full widths of the fit, in any unit, and its signal-to-noise ratio
 * @param beam full widths of the beam in the same unit
 */
export function gaussianErrors(
  fit: { major: number; minor: number; snr: number },
  beam: { major: number; minor: number },
): GaussianErrors {
  const { major, minor, snr } = fit
  const beamArea = beam.major * beam.minor
  const rho = (a: number, b: number): number =>
    Math.sqrt((major * minor) / (4 * beamArea)) *
    (1 + (beam.major / major) ** 2) ** (a / 2) *
    (1 + (beam.minor / minor) ** 2) ** (b / 2) *
    snr
  const peak = Math.SQRT2 / rho(1.5, 1.5)
  const relativeMajor = Math.SQRT2 / rho(2.5, 0.5)
  const relativeMinor = Math.SQRT2 / rho(0.5, 2.5)
  const integrated = Math.sqrt(peak ** 2 + (beamArea / (major * minor)) * (relativeMajor ** 2 + relativeMinor ** 2))
  // A circle has no position angle: its error saturates at that of a uniform distribution.
  const elongation = (major * minor) / Math.max(1e-12, major ** 2 - minor ** 2)
  const paRad = Math.min(Math.PI / Math.sqrt(12), (2 * elongation) / rho(0.5, 2.5))
  return {
    peak,
    integrated,
    major: relativeMajor,
    minor: relativeMinor,
    alongMajor: (relativeMajor * major) / FWHM_TO_SIGMA,
    alongMinor: (relativeMinor * minor) / FWHM_TO_SIGMA,
    paRad,
  }
}

/** Errors of peak and position when the shape is fixed to the beam; the integrated flux density is the peak. */
export function pointErrors(fit: { snr: number }, beam: { major: number; minor: number }): GaussianErrors {
  return {
    peak: 1 / fit.snr,
    integrated: 1 / fit.snr,
    major: 0,
    minor: 0,
    alongMajor: beam.major / (FWHM_TO_SIGMA * fit.snr),
    alongMinor: beam.minor / (FWHM_TO_SIGMA * fit.snr),
    paRad: 0,
  }
}
