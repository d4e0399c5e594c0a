import { subbandFrequencies, subbandOf } from './subband.ts'

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
 * Lays out the grid. Present subbands keep the frequencies of their file; absent ones lie beside the nearest present one
 * at equal steps: at those of the correlator, shifted as its file is, or at multiples of the channel width where the files
 * are not of the correlator.
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
      centres === undefined ? absentFrequencies(subband, present, { channels, channelWidthHz }) : centres.toSorted(),
      slot * channels,
    )
  })
  return { subbands, channelsPerSubband: channels, channelWidthHz, freqHz }
}

function absentFrequencies(
  subband: number,
  present: ReadonlyMap<number, Float64Array>,
  { channels, channelWidthHz }: { channels: number; channelWidthHz: number },
): Float64Array {
  const nominal = subbandFrequencies(subband, channels)
  const [nearest] = [...present.keys()].sort((a, b) => Math.abs(a - subband) - Math.abs(b - subband))
  const centres = present.get(nearest)
  if (centres === undefined) return nominal
  if (subbandOf(centres, channelWidthHz) !== nearest) {
    const apartHz = (nearest - subband) * channels * channelWidthHz
    return centres.toSorted().map((freqHz) => freqHz + apartHz)
  }
  const shiftHz = centres.toSorted()[0] - subbandFrequencies(nearest, channels)[0]
  return nominal.map((freqHz) => freqHz + shiftHz)
}
