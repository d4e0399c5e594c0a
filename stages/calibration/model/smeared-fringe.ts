import { SPEED_OF_LIGHT_M_S } from '#runtime/sky/constants.ts'
import type { ChannelRun } from '#runtime/sky/predict.ts'

export interface SmearedFringe {
  /** Mean path over the integrations, and its step from one to the next, metres. */
  pathM: number
  stepM: number
  /** Integrations averaged. */
  count: number
  amplitudes: Float64Array
  /** Position of channel 0 in `amplitudes`. */
  from: number
}

/** Channels over which one smearing factor holds: its phase changes by 3e-3 of itself. */
const SMEAR_CHANNELS = 16

/**
 * sum[c] += amplitude[c] f(nu_c) exp(2 pi i nu_c path / c), f the mean of `count` phasors that turn by x = 2 pi nu step / c
 * each: sin(count x / 2) / (count sin(x / 2)). Four interleaved recurrences over the channels of a run.
 */
export function addSmearedFringe(
  sum: Float64Array,
  run: ChannelRun,
  { pathM, stepM, count, amplitudes, from }: SmearedFringe,
): void {
  const turns = pathM / SPEED_OF_LIGHT_M_S
  const first = run.firstHz * turns
  const phase = 2 * Math.PI * (first - Math.floor(first))
  const step = 2 * Math.PI * run.stepHz * turns
  const c4 = Math.cos(4 * step)
  const s4 = Math.sin(4 * step)
  let r0 = Math.cos(phase)
  let i0 = Math.sin(phase)
  let r1 = Math.cos(phase + step)
  let i1 = Math.sin(phase + step)
  let r2 = Math.cos(phase + 2 * step)
  let i2 = Math.sin(phase + 2 * step)
  let r3 = Math.cos(phase + 3 * step)
  let i3 = Math.sin(phase + 3 * step)
  const end = run.start + run.count
  // Half of the turn at the middle of a block, and count times it, advance evenly from block to block.
  const half = (Math.PI * (run.firstHz + 0.5 * (SMEAR_CHANNELS - 1) * run.stepHz) * stepM) / SPEED_OF_LIGHT_M_S
  const advance = (Math.PI * SMEAR_CHANNELS * run.stepHz * stepM) / SPEED_OF_LIGHT_M_S
  let sine = Math.sin(half)
  let cosine = Math.cos(half)
  let sineN = Math.sin(count * half)
  let cosineN = Math.cos(count * half)
  const [sa, ca, sna, cna] = [
    Math.sin(advance),
    Math.cos(advance),
    Math.sin(count * advance),
    Math.cos(count * advance),
  ]
  for (let block = run.start; block < end; block += SMEAR_CHANNELS) {
    const blockEnd = Math.min(end, block + SMEAR_CHANNELS)
    const factor = Math.abs(sine) < 1e-9 ? 1 : sineN / (count * sine)
    let turned = sine * ca + cosine * sa
    cosine = cosine * ca - sine * sa
    sine = turned
    turned = sineN * cna + cosineN * sna
    cosineN = cosineN * cna - sineN * sna
    sineN = turned
    let c = block
    for (; c + 4 <= blockEnd; c += 4) {
      const a = from + c
      const k = 2 * c
      const a0 = factor * amplitudes[a]
      const a1 = factor * amplitudes[a + 1]
      const a2 = factor * amplitudes[a + 2]
      const a3 = factor * amplitudes[a + 3]
      sum[k] += a0 * r0
      sum[k + 1] += a0 * i0
      sum[k + 2] += a1 * r1
      sum[k + 3] += a1 * i1
      sum[k + 4] += a2 * r2
      sum[k + 5] += a2 * i2
      sum[k + 6] += a3 * r3
      sum[k + 7] += a3 * i3
      let t = r0 * c4 - i0 * s4
      i0 = r0 * s4 + i0 * c4
      r0 = t
      t = r1 * c4 - i1 * s4
      i1 = r1 * s4 + i1 * c4
      r1 = t
      t = r2 * c4 - i2 * s4
      i2 = r2 * s4 + i2 * c4
      r2 = t
      t = r3 * c4 - i3 * s4
      i3 = r3 * s4 + i3 * c4
      r3 = t
    }
    // Fewer than four channels are left only at the end of a run.
    for (; c < blockEnd; c++) {
      const angle = phase + (c - run.start) * step
      const amplitude = factor * amplitudes[from + c]
      sum[2 * c] += amplitude * Math.cos(angle)
      sum[2 * c + 1] += amplitude * Math.sin(angle)
    }
  }
}
