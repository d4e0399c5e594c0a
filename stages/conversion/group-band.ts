import type { MemberFile } from './raw-file.ts'
import { CHANNEL_STEP_TOLERANCE_HZ } from './plausibility.ts'

/**
 * Numbers files of any telescope by their place in one band of equal steps: 0 is the highest in frequency, and numbers
 * are left out where files are missing between others.
 * @param files that agree in channel width and number of channels
 * @returns one a file; undefined when they do not lie side by side in one band, or when more are missing than there are
 */
export function subbandsOfGroup(files: readonly MemberFile[]): number[] | undefined {
  const top = Math.max(...files.map(({ highestHz }) => highestHz))
  const [{ channels, channelWidthHz }] = files
  const widthHz = channels * channelWidthHz
  const subbands = files.map(({ highestHz }) => Math.round((top - highestHz) / widthHz))
  const fits = files.every(
    ({ highestHz }, index) => Math.abs(top - highestHz - subbands[index] * widthHz) <= CHANNEL_STEP_TOLERANCE_HZ,
  )
  return fits && Math.max(...subbands) + 1 <= 2 * files.length ? subbands : undefined
}
