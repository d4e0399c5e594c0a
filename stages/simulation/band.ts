import { BAND_TOP_HZ, CHANNEL_WIDTH_HZ, CHANNELS_PER_SUBBAND, RAW_CHANNEL_HZ } from '#runtime/sky/constants.ts'

/** First raw channel of subband 0, raw channels in a subband, raw channels in a channel of the files. */
const FIRST_RAW_CHANNEL = 1024
const RAW_CHANNELS_PER_SUBBAND = 384
const RAW_CHANNELS_PER_CHANNEL = 8

/** Width of each of `channels` channels that share a subband of 11.71875 MHz. */
export function channelWidthHz(channels: number): number {
  return (CHANNEL_WIDTH_HZ * CHANNELS_PER_SUBBAND) / channels
}

/**
 * Channel centres of a subband, descending: f = 1530 MHz - 30.517578125 kHz (1024 + 384 s + n j + (n - 1)/2), with n raw
 * channels in a channel (8 as the telescope writes; more where a subband is averaged further).
 */
export function subbandFrequencies(subband: number, channels: number): Float64Array {
  const raw = (RAW_CHANNELS_PER_CHANNEL * CHANNELS_PER_SUBBAND) / channels
  const first = FIRST_RAW_CHANNEL + RAW_CHANNELS_PER_SUBBAND * subband + (raw - 1) / 2
  return Float64Array.from({ length: channels }, (_, channel) => BAND_TOP_HZ - RAW_CHANNEL_HZ * (first + raw * channel))
}
