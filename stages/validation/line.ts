/** Straight line y = a + b x by least squares with weights 1/sigma^2; the error of b from the scatter or the sigmas, whichever is larger. */
export function fitLine(
  x: readonly number[],
  y: readonly number[],
  sigma: readonly number[],
): { intercept: number; slope: number; eSlope: number } {
  let [s, sx, sy] = [0, 0, 0]
  for (let i = 0; i < x.length; i++) {
    const weight = 1 / sigma[i] ** 2
    s += weight
    sx += weight * x[i]
    sy += weight * y[i]
  }
  const meanX = sx / s
  const meanY = sy / s
  let [sxx, sxy] = [0, 0]
  for (let i = 0; i < x.length; i++) {
    const weight = 1 / sigma[i] ** 2
    sxx += weight * (x[i] - meanX) ** 2
    sxy += weight * (x[i] - meanX) * (y[i] - meanY)
  }
  const slope = sxy / sxx
  const intercept = meanY - slope * meanX
  let chi2 = 0
  for (let i = 0; i < x.length; i++) chi2 += ((y[i] - intercept - slope * x[i]) / sigma[i]) ** 2
  const excess = Math.sqrt(Math.max(1, chi2 / Math.max(1, x.length - 2)))
  return { intercept, slope, eSlope: excess / Math.sqrt(sxx) }
}

/**
 * The significance in sigma that the largest of `trials` independent normal deviates must have been, seen alone
 * (Sidak 1967): the chance of a largest deviate is 1 - (1 - p)^trials.
 */
export function largestOf(sigmas: readonly number[]): number {
  const largest = Math.max(...sigmas.map(Math.abs))
  const single = twoSidedChance(largest)
  const chance = -Math.expm1(sigmas.length * Math.log1p(-single))
  // Beyond 8 sigma the chance is below what doubles resolve well, and the correction no longer matters.
  if (largest > 8) return largest
  let [low, high] = [0, 8]
  for (let step = 0; step < 50; step++) {
    const middle = (low + high) / 2
    if (twoSidedChance(middle) > chance) low = middle
    else high = middle
  }
  return (low + high) / 2
}

/** Chance of a normal deviate beyond +-z: erfc(z / sqrt 2), to 1.2e-7 relative (Press et al. 2007, section 6.2.2). */
export function twoSidedChance(z: number): number {
  const x = Math.abs(z) / Math.SQRT2
  const t = 2 / (2 + x)
  const coefficients = [-1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806, 0.27886807, -1.13520398, 1.48851587, -0.82215223, 0.17087277] // prettier-ignore
  return t * Math.exp(-x * x + coefficients.reduceRight((sum, c) => sum * t + c, 0))
}
