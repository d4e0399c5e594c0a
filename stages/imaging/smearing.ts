/**
 * Loss of peak of a point source whose image is drawn out by `smearRad` along a beam of FWHM `beamRad`: a Gaussian convolved
 * with a box, 1 - sqrt(pi) / (2 sqrt(ln 2) b) erf(sqrt(ln 2) b) with b = smear / beam (Bridle & Schwab 1999).
 */
export function smearLoss(smearRad: number, beamRad: number): number {
  const b = Math.sqrt(Math.LN2) * (smearRad / beamRad)
  const b2 = b * b
  // Power series of the same, where the difference from 1 would lose its digits.
  if (b < 0.3) return b2 * (1 / 3 - b2 * (1 / 10 - b2 * (1 / 42 - b2 / 216)))
  return 1 - (Math.sqrt(Math.PI) / (2 * b)) * erf(b)
}

/** Rotation of the sky in radians per second of UTC. */
const skyRotationRadS = (2 * Math.PI) / 86_164.0905

/** Bandwidth and time smearing at a distance from the phase centre, and the peak loss of both along the minor axis. */
export function smearing(input: {
  radiusRad: number
  channelWidthHz: number
  freqHz: number
  integrationS: number
  beamMinorRad: number
}): { bandwidthRad: number; timeRad: number; loss: number } {
  const bandwidthRad = (input.radiusRad * input.channelWidthHz) / input.freqHz
  const timeRad = input.radiusRad * skyRotationRadS * input.integrationS
  const keep = (1 - smearLoss(bandwidthRad, input.beamMinorRad)) * (1 - smearLoss(timeRad, input.beamMinorRad))
  return { bandwidthRad, timeRad, loss: 1 - keep }
}

/** Error function (Abramowitz & Stegun 1964, 7.1.26; absolute error below 1.5e-7). */
function erf(x: number): number {
  const t = 1 / (1 + 0.3275911 * Math.abs(x))
  const poly = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t
  return Math.sign(x) * (1 - poly * Math.exp(-x * x))
}
