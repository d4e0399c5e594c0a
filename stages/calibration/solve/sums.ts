import { createCellSums, type CellSums } from './stefcal.ts'

/** Sum over the bins with each bin's phases (n, re/im) taken out: A_ij conj(p_i) p_j. */
export function sumOfParts(parts: readonly CellSums[], phases: readonly Float64Array[]): CellSums {
  const capacity = parts[0].baseline.length
  const out = createCellSums(parts[0].antennas, capacity)
  const edgeOf = new Int32Array(capacity).fill(-1)
  parts.forEach((part, bin) => {
    for (let e = 0; e < part.edges; e++) {
      const b = part.baseline[e]
      let edge = edgeOf[b]
      if (edge < 0) {
        edge = edgeOf[b] = out.edges++
        out.baseline[edge] = b
        out.i[edge] = part.i[e]
        out.j[edge] = part.j[e]
      }
      const [re, im] = conjugateProduct(phases[bin], part.i[e], part.j[e])
      out.aRe[edge] += part.aRe[e] * re - part.aIm[e] * im
      out.aIm[edge] += part.aRe[e] * im + part.aIm[e] * re
      out.w[edge] += part.w[e]
      out.q[edge] += part.q[e]
      out.samples[edge] += part.samples[e]
    }
  })
  return out
}

/** Sums with known gains (n, re/im) taken into the model: A conj(P_i) P_j, W |P_i|^2 |P_j|^2. */
export function withPrior(part: CellSums, prior: Float64Array): CellSums {
  const out = createCellSums(part.antennas, part.baseline.length)
  for (let e = 0; e < part.edges; e++) {
    const [re, im] = conjugateProduct(prior, part.i[e], part.j[e])
    const power = re * re + im * im
    if (power === 0) continue
    const edge = out.edges++
    out.baseline[edge] = part.baseline[e]
    out.i[edge] = part.i[e]
    out.j[edge] = part.j[e]
    out.aRe[edge] = part.aRe[e] * re - part.aIm[e] * im
    out.aIm[edge] = part.aRe[e] * im + part.aIm[e] * re
    out.w[edge] = part.w[e] * power
    out.q[edge] = part.q[e]
    out.samples[edge] = part.samples[e]
  }
  return out
}

/** conj(g_i) g_j */
function conjugateProduct(gains: Float64Array, i: number, j: number): [number, number] {
  const [a, b] = [gains[2 * i], gains[2 * i + 1]]
  const [c, d] = [gains[2 * j], gains[2 * j + 1]]
  return [a * c + b * d, a * d - b * c]
}
