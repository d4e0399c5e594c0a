import type { MsLayout } from '#runtime/formats/measurement-set/layout.ts'
import { SAMPLES_PER_INTEGRATION } from '#runtime/sky/constants.ts'
import type { Band } from './band.ts'
import type { BlockJob } from './blocks.ts'
import type { Observation } from './observation.ts'
import type { PolarizationOrder } from './polarization.ts'
import type { Sources } from './sources.ts'

/** Rows of a tile, and of a block that one worker converts at a time: a block of one subband fits the L2 cache. */
export const TILE_ROWS = 64
const BLOCK_ROWS = 256

/** What the workers need to convert an observation: where each file goes, and how its rows are turned. */
export function blockJob(
  { members, header }: Sources,
  { rows: { swapped }, rotated }: Observation,
  { layout, band, order }: { layout: MsLayout; band: Band; order: PolarizationOrder },
): BlockJob {
  const { rows, polarizations } = layout
  const sources = members.map(({ path, file, freqHz }) => ({
    path,
    slot: band.subbands.indexOf(file.subband),
    descending: freqHz.length > 1 && freqHz[1] < freqHz[0],
    lowestHz: file.lowestHz,
  }))
  return {
    layout,
    sources: sources.sort((a, b) => a.slot - b.slot),
    absentSlots: band.subbands.flatMap((_, slot) => (sources.some((source) => source.slot === slot) ? [] : [slot])),
    stepHz: band.channelWidthHz,
    direct: order.direct,
    swappedOrder: order.swapped,
    swapped,
    pathM: rotated.pathM,
    samplesPerIntegration: header.dialect === 'dsa110' ? SAMPLES_PER_INTEGRATION : undefined,
    blockRows: BLOCK_ROWS,
    results: {
      badCount: new Uint32Array(new SharedArrayBuffer(4 * rows)),
      flagCount: new Uint32Array(new SharedArrayBuffer(4 * rows)),
      weight: new Float32Array(new SharedArrayBuffer(4 * rows * polarizations)),
      varying: new Uint8Array(new SharedArrayBuffer(Math.ceil(rows / BLOCK_ROWS))),
    },
  }
}
