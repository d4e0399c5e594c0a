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
 * Lays out the grid. Present subbands keep the frequencies of their file, absent ones get those of the correlator.
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
    freqHz.set(centres === undefined ? subbandFrequencies(subband, channels) : centres.toSorted(), slot * channels)
  })
  return { subbands, channelsPerSubband: channels, channelWidthHz, freqHz }
}
