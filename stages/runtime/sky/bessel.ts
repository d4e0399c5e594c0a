/** Up to here the power series loses no more than four digits to cancellation. */
const SERIES_LIMIT = 12

/**
 * J1(x) / x, whose value at 0 is 1/2. Power series (Abramowitz & Stegun 1964, 9.1.10) up to x = 12, beyond it Hankel's
 * asymptotic expansion (9.2.5); absolute error below 2e-13.
 */
export function besselJ1OverX(x: number): number {
  const size = Math.abs(x)
  return size <= SERIES_LIMIT ? besselSeries(size * size, 1) / 2 : besselJ1Asymptotic(size) / size
}

/**
 * The even power series sum_k (-x^2/4)^k n! / (k! (k+n)!), which is n! (2/x)^n J_n(x), as a function of x^2 <= 144.
 */
export function besselSeries(xSquared: number, order: 1 | 2): number {
  const step = -xSquared / 4
  let term = 1
  let sum = 1
  for (let k = 1; k < 60; k++) {
    term *= step / (k * (k + order))
    sum += term
    if (Math.abs(term) < 1e-17) break
  }
  return sum
}

/** J1(x) = sqrt(2 / (pi x)) (P cos(x - 3 pi/4) - Q sin(x - 3 pi/4)), for x > 12. */
function besselJ1Asymptotic(x: number): number {
  const inverse = 1 / (8 * x)
  let term = 1
  let p = 1
  let q = 0
  for (let k = 1; k <= 16; k++) {
    const odd = 2 * k - 1
    term *= ((4 - odd * odd) * inverse) / k
    if (k % 4 === 1) q += term
    else if (k % 4 === 2) p -= term
    else if (k % 4 === 3) q -= term
    else p += term
    if (Math.abs(term) < 1e-17) break
  }
  const phase = x - 0.75 * Math.PI
  return Math.sqrt(2 / (Math.PI * x)) * (p * Math.cos(phase) - q * Math.sin(phase))
}
