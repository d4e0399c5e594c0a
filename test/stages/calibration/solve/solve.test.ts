import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRandom } from '#runtime/numeric/random.ts'
import { cellAt } from '../../../../stages/calibration/solve/cube.ts'
import { addPairErrors, createPairErrors, cramerRao } from '../cramer-rao.ts'
import { conjugated, solveInMemory, totalGain, type SolveOutcome } from '../in-memory.ts'
import { synthesize, type Synthetic } from '../synthetic.ts'

interface Cell {
  c: number
  p: number
  bin: number
}

function truth(s: Synthetic, a: number, { c, p, t }: { c: number; p: number; t: number }): [number, number] {
  const k = 2 * ((a * s.channels + c) * s.polarizations + p)
  const phase = s.drift[a * s.integrations + t]
  const [cos, sin] = [Math.cos(phase), Math.sin(phase)]
  return [s.gain[k] * cos - s.gain[k + 1] * sin, s.gain[k] * sin + s.gain[k + 1] * cos]
}

/** Largest relative error of g_i conj(g_j) over baselines, channels, polarisations and bins (drift: at their middle). */
function worstError(s: Synthetic, outcome: SolveOutcome, skip: (cell: Cell) => boolean = () => false): number {
  let worst = 0
  for (let bin = 0; bin + 1 < outcome.bins.length; bin++) {
    const t = (outcome.bins[bin] + outcome.bins[bin + 1] - 1) >> 1
    for (let p = 0; p < s.polarizations; p++) {
      for (let c = 0; c < s.channels; c++) {
        if (skip({ c, p, bin })) continue
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

test('noiseless gains and bandpasses come back to 1e-6 in float32 data and 1e-10 in float64', () => {
  const single = synthesize({ others: 5, gainScatter: 1.1 })
  const error32 = worstError(single, solveInMemory(single))
  assert.ok(error32 < 1e-6, `float32: ${error32}`)
  const double = synthesize({ others: 5, gainScatter: 1.1, double: true })
  const error64 = worstError(double, solveInMemory(double, { tolerance: 1e-13 }))
  assert.ok(error64 < 1e-10, `float64: ${error64}`)
})

test('a calibrator one degree off the centre of the beam gives the on-axis flux scale', () => {
  const s = synthesize({ offset: Math.PI / 180, channels: 12 })
  assert.ok(worstError(s, solveInMemory(s)) < 1e-6)
})

test('other sources averaged over a bin cost the gains less than a part in a thousand', () => {
  // Two wavelengths and a degree away the sources turn by a whole cycle in a bin: their mean is what the data hold.
  const s = synthesize({ others: 8, channels: 24, integrations: 8, antennas: 24 })
  const exact = worstError(s, solveInMemory(s, { step: 1, perBin: 4 }))
  assert.ok(exact < 1e-6, `exact model: ${exact}`)
  const averaged = rmsError(s, solveInMemory(s, { step: 4, perBin: 4 }))
  const without = rmsError(
    { ...s, sources: s.sources },
    solveInMemory({ ...s, sources: s.sources.slice(0, 1) }, { step: 1, perBin: 4 }),
  )
  assert.ok(averaged < without / 4, `averaged ${averaged}, without ${without}`)
})

function rmsError(s: Synthetic, outcome: SolveOutcome): number {
  let sum = 0
  let count = 0
  for (let c = 0; c < s.channels; c++) {
    const ratio = ratios(s, outcome, { c, p: 0, bin: 0 })
    for (let i = 0; i < s.antennas; i++) {
      for (let j = 0; j < i; j++) {
        const [re, im] = conjugated([ratio[2 * i], ratio[2 * i + 1]], [ratio[2 * j], ratio[2 * j + 1]])
        sum += (re - 1) ** 2 + im ** 2
        count++
      }
    }
  }
  return Math.sqrt(sum / count)
}

/** Measured over true gain of each antenna: (antennas, re/im). */
function ratios(s: Synthetic, outcome: SolveOutcome, { c, p, bin }: Cell): Float64Array {
  const ratio = new Float64Array(2 * s.antennas)
  const t = (outcome.bins[bin] + outcome.bins[bin + 1] - 1) >> 1
  for (let a = 0; a < s.antennas; a++) {
    const [re, im] = truth(s, a, { c, p, t })
    const found = totalGain(outcome, { a, c, p, bin })
    const [xr, xi] = conjugated(found, [re, im])
    const norm = re * re + im * im
    ratio[2 * a] = xr / norm
    ratio[2 * a + 1] = xi / norm
  }
  return ratio
}

for (const noiseInJy of [true, false]) {
  test(`the error of the gains is the Cramer-Rao bound with noise ${noiseInJy ? 'before' : 'after'} the gains`, () => {
    const sigma = 2
    const s = synthesize({
      sigma,
      noiseInJy,
      antennas: 24,
      channels: 48,
      perSubband: 12,
      integrations: 4,
      gainScatter: 0.4,
      seed: 5,
    })
    // Weights as an exact noise measurement would give them: equal in Jy means e_i = sigma |g_i|^2 in raw units.
    const subbands = s.channels / s.perSubband
    const noise = new Float64Array(subbands * s.polarizations * s.antennas).fill(sigma)
    if (noiseInJy) {
      for (let cell = 0; cell < subbands * s.polarizations; cell++) {
        const [band, p] = [Math.floor(cell / s.polarizations), cell % s.polarizations]
        for (let a = 0; a < s.antennas; a++) {
          const middle = band * s.perSubband + s.perSubband / 2
          noise[cell * s.antennas + a] =
            sigma * (truth(s, a, { c: middle, p, t: 0 })[0] ** 2 + truth(s, a, { c: middle, p, t: 0 })[1] ** 2)
        }
      }
    }
    const outcome = solveInMemory(s, { noise, perBin: 4 })
    const errors = createPairErrors()
    for (let p = 0; p < s.polarizations; p++) {
      for (let c = 0; c < s.channels; c++) {
        const x = new Float64Array(s.antennas * s.antennas)
        for (let b = 0; b < outcome.index.baselines; b++) {
          const [i, j] = [outcome.index.antenna1[b], outcome.index.antenna2[b]]
          const w = outcome.bandpassCube.w[cellAt(outcome.bandpassCube, b, c * s.polarizations + p)]
          const [weight] = [w * noiseFactor(noise, { s, c, p, i, j })]
          const gains = noiseInJy ? 1 : power(truth(s, i, { c, p, t: 0 })) * power(truth(s, j, { c, p, t: 0 }))
          x[i * s.antennas + j] = x[j * s.antennas + i] = (weight * gains) / sigma ** 2
        }
        addPairErrors(errors, ratios(s, outcome, { c, p, bin: 0 }), cramerRao(x, s.antennas))
      }
    }
    // 96 cells of 24 antennas: the mean squares are known to about 3 %, so 1.5 % in the ratio.
    const [amplitude, phase] = [Math.sqrt(errors.amplitude / errors.pairs), Math.sqrt(errors.phase / errors.pairs)]
    assert.ok(amplitude > 0.95 && amplitude < 1.05, `amplitude ${amplitude}`)
    assert.ok(phase > 0.95 && phase < 1.05, `phase ${phase}`)
  })
}

function power([re, im]: [number, number]): number {
  return re * re + im * im
}

/** e_i e_j: undoes the weight in a cube. */
function noiseFactor(
  noise: Float64Array,
  { s, c, p, i, j }: { s: Synthetic; c: number; p: number; i: number; j: number },
): number {
  const at = (Math.floor(c / s.perSubband) * s.polarizations + p) * s.antennas
  return noise[at + i] * noise[at + j]
}

test('the signal-to-noise ratio that a solution states is that of its error', () => {
  const s = synthesize({ sigma: 3, antennas: 24, channels: 48, integrations: 4, gainScatter: 0, seed: 8 })
  const { bandpass } = solveInMemory(s, { perBin: 4 })
  let sum = 0
  let count = 0
  // Amplitude errors: the gauge does not touch them.
  for (let a = 0; a < s.antennas; a++) {
    for (let c = 0; c < s.channels; c++) {
      for (let p = 0; p < 2; p++) {
        const k = (a * s.channels + c) * 2 + p
        const t = truth(s, a, { c, p, t: 0 })
        const level = meanLevel(s, a, p)
        const error = Math.hypot(bandpass.value[2 * k], bandpass.value[2 * k + 1]) - Math.hypot(...t) / level
        sum += (error / bandpass.sigma[k]) ** 2
        count++
      }
    }
  }
  const ratio = Math.sqrt(sum / count)
  assert.ok(Math.abs(ratio - 1) < 0.05, `errors are ${ratio} of what is stated`)
})

function meanLevel(s: Synthetic, a: number, p: number): number {
  let sum = 0
  for (let c = 0; c < s.channels; c++) sum += Math.hypot(...truth(s, a, { c, p, t: 0 }))
  return sum / s.channels
}

test('a drift of phases during the observation goes into G2 and costs no amplitude', () => {
  const s = synthesize({ integrations: 8, channels: 12, drift: 0 })
  for (let a = 0; a < s.antennas; a++)
    for (let t = 0; t < 8; t++) s.drift[a * 8 + t] = 0.6 * Math.sin(a) * (t < 4 ? -1 : 1)
  const stepped = synthesize({ integrations: 8, channels: 12, drift: 0, phases: s.drift })
  const outcome = solveInMemory(stepped, { perBin: 4, refine: true })
  assert.ok(worstError(stepped, outcome) < 1e-6)
})

test('the reference antenna and reversed pairs do not change what is corrected', () => {
  const s = synthesize({ sigma: 0.3, channels: 12, integrations: 3, antennas: 16 })
  const first = solveInMemory(s, { perBin: 3 })
  const reordered = solveInMemory(s, { perBin: 3, order: [7, 3, 0, 1, 2, 4, 5, 6, 8, 9, 10, 11, 12, 13, 14, 15] })
  const reversed = solveInMemory(reversePairs(s), { perBin: 3 })
  for (const other of [reordered, reversed]) {
    for (let c = 0; c < s.channels; c++) {
      for (let i = 0; i < s.antennas; i++) {
        for (let j = 0; j < i; j++) {
          const at = (a: number): { a: number; c: number; p: number; bin: number } => ({ a, c, p: 1, bin: 0 })
          const x = conjugated(totalGain(first, at(i)), totalGain(first, at(j)))
          const y = conjugated(totalGain(other, at(i)), totalGain(other, at(j)))
          // Both stop at a relative change of 1e-8.
          const change = Math.hypot(x[0] - y[0], x[1] - y[1]) / Math.hypot(...x)
          assert.ok(change < 1e-7, `changed by ${change}`)
        }
      }
    }
  }
})

/** Every second baseline the other way round: labels swapped, visibility conjugated, UVW negated. */
function reversePairs(s: Synthetic): Synthetic {
  const out = {
    ...s,
    antenna1: s.antenna1.slice(),
    antenna2: s.antenna2.slice(),
    uvwM: s.uvwM.slice(),
    data: s.data.slice(),
  }
  const cell = s.channels * s.polarizations
  for (let row = 0; row < s.timeMjdS.length; row++) {
    if ((s.antenna1[row] + s.antenna2[row]) % 2 === 0) continue
    out.antenna1[row] = s.antenna2[row]
    out.antenna2[row] = s.antenna1[row]
    for (let axis = 0; axis < 3; axis++) out.uvwM[3 * row + axis] = -s.uvwM[3 * row + axis]
    for (let k = row * cell; k < (row + 1) * cell; k++) out.data[2 * k + 1] = -s.data[2 * k + 1]
  }
  return out
}

test('flagged samples influence nothing, whatever they hold', () => {
  const s = synthesize({ sigma: 1, antennas: 16, channels: 24, integrations: 4 })
  const random = createRandom(4)
  const rows = s.timeMjdS.length
  const flags = new Uint8Array(rows * s.channels)
  for (let k = 0; k < flags.length; k++) flags[k] = random.next() < 0.05 ? 1 + random.int(3) : 0
  for (let row = 0; row < rows; row++) {
    for (let c = 0; c < s.channels; c++) {
      if (c === 5 || s.antenna1[row] === 9 || s.antenna2[row] === 9) flags[row * s.channels + c] = 3
    }
  }
  const poisoned = { ...s, data: s.data.slice() }
  for (let k = 0; k < flags.length; k++) {
    for (let p = 0; p < 2; p++) {
      if ((flags[k] & (1 << p)) === 0) continue
      poisoned.data[2 * (2 * k + p)] = 1e30
      poisoned.data[2 * (2 * k + p) + 1] = Number.NaN
    }
  }
  const clean = solveInMemory(s, { flags, perBin: 4 })
  const dirty = solveInMemory(poisoned, { flags, perBin: 4 })
  assert.deepEqual(dirty.bandpass, clean.bandpass)
  assert.deepEqual(dirty.gains, clean.gains)
  // The dead antenna has no solution; the dead channel is filled from its neighbours.
  assert.ok(clean.gains.flags[9 * 2] !== 0 && clean.gains.flags[8 * 2] === 0)
  assert.equal(clean.bandpass.flags[(8 * s.channels + 5) * 2], 16)
  const noise = rmsOf(s, clean, { without: 9, channel: 5 })
  assert.ok(noise < 0.1, `rms error ${noise}`)
})

function rmsOf(
  s: Synthetic,
  outcome: SolveOutcome,
  { without, channel }: { without: number; channel: number },
): number {
  let sum = 0
  let count = 0
  for (let c = 0; c < s.channels; c++) {
    if (c === channel) continue
    const ratio = ratios(s, outcome, { c, p: 0, bin: 0 })
    for (let i = 0; i < s.antennas; i++) {
      for (let j = 0; j < i; j++) {
        if (i === without || j === without) continue
        const [re, im] = conjugated([ratio[2 * i], ratio[2 * i + 1]], [ratio[2 * j], ratio[2 * j + 1]])
        sum += (re - 1) ** 2 + im ** 2
        count++
      }
    }
  }
  return Math.sqrt(sum / count)
}
