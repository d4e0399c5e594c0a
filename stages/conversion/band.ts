import { subbandFrequencies } from './subband.ts'

/** The output grid: all expected subbands side by side, channels ascending. */
export interface Band {
  /** Expected subbands by ascending frequency: the slots of the grid. */
  subbands: number[]
  channelsPerSubband: number
  channelWidthHz: number
  /** (channels) */
  freqHz: Float64Array
}

/**
 * Lays out the grid. Present subbands keep the frequencies of their file; absent ones get those of the correlator, shifted
 * as the nearest present one is, so that the steps stay equal.
 * @param present channel centres of the file of each present subband, in any order
 */
export function outputBand(
  expected: readonly number[],
  present: ReadonlyMap<number, Float64Array>,
  { channels, channelWidthHz }: { channels: number; channelWidthHz: number },
): Band {
  const subbands = [...expected].sort((a, b) => b - a)
  const freqHz = new Float64Array(subbands.length * channels)
  subbands.forEach((subband, slot) => {
    const centres = present.get(subband)
    freqHz.set(
      centres === undefined ? absentFrequencies(subband, present, channels) : centres.toSorted(),
      slot * channels,
    )
  })
  return { subbands, channelsPerSubband: channels, channelWidthHz, freqHz }
}

function absentFrequencies(
  subband: number,
  present: ReadonlyMap<number, Float64Array>,
  channels: number,
): Float64Array {
  const nominal = subbandFrequencies(subband, channels)
  const [nearest] = [...present.keys()].sort((a, b) => Math.abs(a - subband) - Math.abs(b - subband))
  const centres = present.get(nearest)
  if (centres === undefined) return nominal
  const shiftHz = centres.toSorted()[0] - subbandFrequencies(nearest, channels)[0]
  return nominal.map((freqHz) => freqHz + shiftHz)
}
