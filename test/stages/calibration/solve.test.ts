import assert from 'node:assert/strict'
import { test } from 'node:test'
import { conjugated, solveInMemory, totalGain, type SolveOutcome } from './in-memory.ts'
import { synthesize, type Synthetic } from './synthetic.ts'

/** Largest |g_i conj(g_j) - truth| / |truth| over baselines, channels, polarisations, at the integrations `at`. */
function worstError(s: Synthetic, outcome: SolveOutcome): number {
  let worst = 0
  for (let bin = 0; bin + 1 < outcome.bins.length; bin++) {
    const t = (outcome.bins[bin] + outcome.bins[bin + 1] - 1) >> 1
    for (let p = 0; p < s.polarizations; p++) {
      for (let c = 0; c < s.channels; c++) {
        const got = Array.from({ length: s.antennas }, (_, a) => totalGain(outcome, { a, c, p, bin }))
        for (let i = 0; i < s.antennas; i++) {
          for (let j = 0; j < i; j++) {
            const [tr, ti] = conjugated(truth(s, i, { c, p, t }), truth(s, j, { c, p, t }))
            const [gr, gi] = conjugated(got[i], got[j])
            const error = Math.hypot(gr - tr, gi - ti) / Math.hypot(tr, ti)
            if (!(error <= worst)) worst = error
          }
        }
      }
    }
  }
  return worst
}

function truth(s: Synthetic, a: number, { c, p, t }: { c: number; p: number; t: number }): [number, number] {
  const k = 2 * ((a * s.channels + c) * s.polarizations + p)
  const phase = s.drift[a * s.integrations + t]
  const [cos, sin] = [Math.cos(phase), Math.sin(phase)]
  return [s.gain[k] * cos - s.gain[k + 1] * sin, s.gain[k] * sin + s.gain[k + 1] * cos]
}

test('noiseless gains and bandpasses come back to 1e-6 in float32 data and 1e-10 in float64', () => {
  const single = synthesize({ others: 5, gainScatter: 1.1 })
  assert.ok(worstError(single, solveInMemory(single)) < 1e-6)
  const double = synthesize({ others: 5, gainScatter: 1.1, double: true })
  const error = worstError(double, solveInMemory(double, { tolerance: 1e-13 }))
  assert.ok(error < 1e-10, `float64: ${error}`)
})
