import { BAND_TOP_HZ, RAW_CHANNEL_HZ } from '#runtime/sky/constants.ts'

/** First raw channel of subband 0 and raw channels of one subband; raw channels are numbered downwards from 1530 MHz. */
const FIRST_RAW_CHANNEL = 1024
const RAW_CHANNELS = 384

/** Width of one subband, Hz: 11.71875 MHz. */
export const SUBBAND_WIDTH_HZ = RAW_CHANNELS * RAW_CHANNEL_HZ

/** How far the upper edge of a file's band may lie from that of a subband. */
const EDGE_TOLERANCE_HZ = 1000

/** Upper edge of a subband: half a raw channel above the centre of its first one. 1498.765259 MHz for subband 0. */
export function upperEdgeHz(subband: number): number {
  return BAND_TOP_HZ - RAW_CHANNEL_HZ * (FIRST_RAW_CHANNEL + RAW_CHANNELS * subband - 0.5)
}

/**
 * The subband of a file, from its frequencies and not from its name: the index whose upper edge lies within 1 kHz of
 * the file's and whose width is that of the file's channels together; undefined when there is none.
 */
export function subbandOf(freqHz: ArrayLike<number>, channelWidthHz: number): number | undefined {
  let highest = -Infinity
  for (let channel = 0; channel < freqHz.length; channel++) highest = Math.max(highest, freqHz[channel])
  const edgeHz = highest + channelWidthHz / 2
  const subband = Math.round((upperEdgeHz(0) - edgeHz) / SUBBAND_WIDTH_HZ)
  const fits =
    Math.abs(edgeHz - upperEdgeHz(subband)) <= EDGE_TOLERANCE_HZ &&
    Math.abs(freqHz.length * channelWidthHz - SUBBAND_WIDTH_HZ) <= EDGE_TOLERANCE_HZ
  return fits && subband >= 0 ? subband : undefined
}

/** Channel centres of a subband divided into equal channels, ascending, Hz. */
export function subbandFrequencies(subband: number, channels: number): Float64Array {
  const widthHz = SUBBAND_WIDTH_HZ / channels
  const lowerEdgeHz = upperEdgeHz(subband) - SUBBAND_WIDTH_HZ
  return Float64Array.from({ length: channels }, (_, channel) => lowerEdgeHz + (channel + 0.5) * widthHz)
}
