/**
 * How many peaks above `u` sigma Gaussian noise alone shows, from the roughness of the noise itself:
 *
 *   N(u) = pixels (2 pi)^(-3/2) sqrt(det L) u exp(-u^2 / 2)      (Bardeen et al. 1986, Adler 1981; high u, two dimensions)
 *
 * with L the covariance of the gradient of the normalised noise, measured from differences of neighbouring pixels. The
 * tail probability of single beams, 2.9e-7 at 5 sigma, counts twenty times too few: peaks lie between pixels of a grid of
 * beams as well.
 *
 * @param plane residual image, height x width; `rms` its local noise
 */
export function expectedFalsePeaks(
  planes: { plane: Float32Array; rms: Float32Array; covered: Uint8Array; width: number },
  seedSigma: number,
): number {
  const { plane, rms, covered, width } = planes
  let pixels = 0
  let [n, sum2, dx2, dy2, dd2] = [0, 0, 0, 0, 0]
  for (let i = 0; i + width + 1 < plane.length; i++) {
    pixels += covered[i]
    if (covered[i] === 0 || covered[i + 1] === 0 || covered[i + width] === 0 || covered[i + width + 1] === 0) continue
    const here = plane[i] / rms[i]
    const right = plane[i + 1] / rms[i + 1]
    const up = plane[i + width] / rms[i + width]
    const diagonal = plane[i + width + 1] / rms[i + width + 1]
    // Sources and artefacts have gradients of their own.
    if (
      !(
        Math.abs(here) < QUIET_SIGMA &&
        Math.abs(right) < QUIET_SIGMA &&
        Math.abs(up) < QUIET_SIGMA &&
        Math.abs(diagonal) < QUIET_SIGMA
      )
    )
      continue
    n++
    sum2 += here * here
    dx2 += (right - here) ** 2
    dy2 += (up - here) ** 2
    dd2 += (diagonal - here) ** 2
  }
  if (n === 0) return 0
  // From the mean square difference at one pixel to the curvature of the correlation at zero.
  const curvature = (difference2: number): number => -2 * Math.log(Math.max(1e-6, 1 - difference2 / (2 * sum2)))
  const [xx, yy, dd] = [curvature(dx2), curvature(dy2), curvature(dd2)]
  const xy = (dd - xx - yy) / 2
  const roughness = Math.sqrt(Math.max(0, xx * yy - xy * xy))
  return (pixels * roughness * seedSigma * Math.exp((-seedSigma * seedSigma) / 2)) / (2 * Math.PI) ** 1.5
}

const QUIET_SIGMA = 4
