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

/** A thread holds about five times this: a block as stored, with padding, converted, and its flags and weights. */
const MAX_BLOCK_BYTES = 2 * 1024 * 1024

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
  const blockRows = rowsOfBlock(members, layout)
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
    blockRows,
    results: {
      badCount: new Uint32Array(new SharedArrayBuffer(4 * rows)),
      flagCount: new Uint32Array(new SharedArrayBuffer(4 * rows)),
      weight: new Float32Array(new SharedArrayBuffer(4 * rows * polarizations)),
      varying: new Uint8Array(new SharedArrayBuffer(Math.ceil(rows / blockRows))),
    },
  }
}

/**
 * The HDF5 library decodes every chunk of a block whole. A block of twice the rows of the longest chunk touches three of
 * them, where many short blocks would decode each of them again and again.
 */
function rowsOfBlock(members: Sources['members'], { tileChannels, polarizations }: MsLayout): number {
  const longest = Math.max(0, ...members.map(({ read }) => (read.method === 'direct' ? 0 : read.chunkRows)))
  const most = Math.floor(MAX_BLOCK_BYTES / (8 * tileChannels * polarizations))
  const tiles = Math.floor(Math.min(Math.max(BLOCK_ROWS, 2 * longest), most) / TILE_ROWS)
  return Math.max(1, tiles) * TILE_ROWS
}
