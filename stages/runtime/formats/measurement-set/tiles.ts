import { closeSync, openSync, readSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { tileBytes, tiledColumns, tileFile, tileGrid, type MsLayout, type TiledColumn } from './layout.ts'

/**
 * The tiled columns of a MeasurementSet, read and written in blocks of rows and channels. Arrays are in C order
 * (row, channel, polarization), visibilities as pairs (re, im), flags one byte (0 or 1) an element. Synchronous and
 * without shared state: any number of workers may write distinct tiles of one set at the same time.
 */
export interface MsTiles {
  readonly layout: MsLayout
  readData(row0: number, rows: number, channel0: number, channels: number, out: Float32Array): void
  /** Blocks that are written start on tile borders and end on them or at the end of the axis. */
  writeData(row0: number, rows: number, channel0: number, channels: number, data: Float32Array): void
  readFlags(row0: number, rows: number, channel0: number, channels: number, out: Uint8Array): void
  writeFlags(row0: number, rows: number, channel0: number, channels: number, flags: Uint8Array): void
  readWeights(row0: number, rows: number, channel0: number, channels: number, out: Float32Array): void
  writeWeights(row0: number, rows: number, channel0: number, channels: number, weights: Float32Array): void
  close(): void
}

/** Opens the tile files of a set that `createMeasurementSet` made. Close it. */
export function openTiles(layout: MsLayout, mode: 'read' | 'write'): MsTiles {
  const files = new Map<TiledColumn, number>()
  const close = (): void => {
    for (const file of files.values()) closeSync(file)
    files.clear()
  }
  try {
    for (const column of tiledColumns(layout)) {
      files.set(column, openSync(join(layout.path, tileFile(column)), mode === 'read' ? 'r' : 'r+'))
    }
  } catch (error) {
    close()
    throw error
  }
  const file = (column: TiledColumn): number => {
    const open = files.get(column)
    if (open === undefined) throw new Error(`${layout.path} has no open column ${column}`)
    return open
  }
  const floatsPerCell = { DATA: 2 * layout.polarizations, WEIGHT_SPECTRUM: layout.polarizations }
  const floats = new Float32Array(layout.tileRows * layout.tileChannels * floatsPerCell.DATA)
  const packed = new Uint8Array(tileBytes(layout, 'FLAG'))
  const bits = new Uint8Array(8 * packed.length)

  const readFloats = (column: 'DATA' | 'WEIGHT_SPECTRUM', block: Block, out: Float32Array): void => {
    const width = floatsPerCell[column]
    checkBlock(layout, block, out.length / width)
    const bytes = tileBytes(layout, column)
    for (const part of tileParts(layout, block)) {
      const at = part.tile * bytes + 4 * width * part.tileRow * layout.tileChannels
      const whole = part.channels === layout.tileChannels && block.channels === part.channels
      const count = part.rows * layout.tileChannels * width
      const target = whole
        ? out.subarray(part.outRow * block.channels * width).subarray(0, count)
        : floats.subarray(0, count)
      readFully(file(column), target, at)
      if (whole) continue
      for (let row = 0; row < part.rows; row++) {
        const from = (row * layout.tileChannels + part.tileChannel) * width
        const to = ((part.outRow + row) * block.channels + part.outChannel) * width
        out.set(floats.subarray(from, from + part.channels * width), to)
      }
    }
  }

  const writeFloats = (column: 'DATA' | 'WEIGHT_SPECTRUM', block: Block, data: Float32Array): void => {
    const width = floatsPerCell[column]
    checkBlock(layout, block, data.length / width)
    checkBorders(layout, block)
    const bytes = tileBytes(layout, column)
    for (const part of tileParts(layout, block)) {
      if (block.channels === layout.tileChannels && part.rows === layout.tileRows) {
        const from = part.outRow * block.channels * width
        writeFully(file(column), data.subarray(from, from + part.rows * block.channels * width), part.tile * bytes)
        continue
      }
      const used = floats.subarray(0, bytes / 4).fill(0)
      for (let row = 0; row < part.rows; row++) {
        const from = ((part.outRow + row) * block.channels + part.outChannel) * width
        used.set(data.subarray(from, from + part.channels * width), row * layout.tileChannels * width)
      }
      writeFully(file(column), used, part.tile * bytes)
    }
  }

  const width = layout.polarizations
  return {
    layout,
    readData: (row0, rows, channel0, channels, out) => readFloats('DATA', { row0, rows, channel0, channels }, out),
    writeData: (row0, rows, channel0, channels, data) => writeFloats('DATA', { row0, rows, channel0, channels }, data),
    readWeights: (row0, rows, channel0, channels, out) =>
      readFloats('WEIGHT_SPECTRUM', { row0, rows, channel0, channels }, out),
    writeWeights: (row0, rows, channel0, channels, weights) =>
      writeFloats('WEIGHT_SPECTRUM', { row0, rows, channel0, channels }, weights),
    readFlags(row0, rows, channel0, channels, out) {
      const block = { row0, rows, channel0, channels }
      checkBlock(layout, block, out.length / width)
      for (const part of tileParts(layout, block)) {
        readFully(file('FLAG'), packed, part.tile * packed.length)
        unpackBits(packed, bits)
        for (let row = 0; row < part.rows; row++) {
          const from = ((part.tileRow + row) * layout.tileChannels + part.tileChannel) * width
          out.set(
            bits.subarray(from, from + part.channels * width),
            ((part.outRow + row) * channels + part.outChannel) * width,
          )
        }
      }
    },
    writeFlags(row0, rows, channel0, channels, flags) {
      const block = { row0, rows, channel0, channels }
      checkBlock(layout, block, flags.length / width)
      checkBorders(layout, block)
      for (const part of tileParts(layout, block)) {
        bits.fill(0)
        for (let row = 0; row < part.rows; row++) {
          const from = ((part.outRow + row) * channels + part.outChannel) * width
          bits.set(flags.subarray(from, from + part.channels * width), row * layout.tileChannels * width)
        }
        packBits(bits, packed)
        writeFully(file('FLAG'), packed, part.tile * packed.length)
      }
    },
    close,
  }
}

interface Block {
  row0: number
  rows: number
  channel0: number
  channels: number
}

/** The part of one tile that lies in a block. */
interface TilePart {
  /** Index of the tile in its file: the channel axis varies faster than the row axis. */
  tile: number
  tileRow: number
  tileChannel: number
  rows: number
  channels: number
  outRow: number
  outChannel: number
}

function* tileParts(layout: MsLayout, block: Block): Generator<TilePart> {
  const { tileRows, tileChannels } = layout
  const { acrossChannels } = tileGrid(layout)
  const rowEnd = block.row0 + block.rows
  const channelEnd = block.channel0 + block.channels
  for (let row = block.row0; row < rowEnd; row = (Math.floor(row / tileRows) + 1) * tileRows) {
    const tileRow = row % tileRows
    for (
      let channel = block.channel0;
      channel < channelEnd;
      channel = (Math.floor(channel / tileChannels) + 1) * tileChannels
    ) {
      const tileChannel = channel % tileChannels
      yield {
        tile: Math.floor(row / tileRows) * acrossChannels + Math.floor(channel / tileChannels),
        tileRow,
        tileChannel,
        rows: Math.min(tileRows - tileRow, rowEnd - row),
        channels: Math.min(tileChannels - tileChannel, channelEnd - channel),
        outRow: row - block.row0,
        outChannel: channel - block.channel0,
      }
    }
  }
}

function checkBlock(layout: MsLayout, block: Block, cells: number): void {
  const { row0, rows, channel0, channels } = block
  if (row0 < 0 || channel0 < 0 || row0 + rows > layout.rows || channel0 + channels > layout.channels) {
    throw new RangeError(`rows ${row0}+${rows}, channels ${channel0}+${channels} lie outside of the set`)
  }
  if (cells < rows * channels) throw new RangeError(`array of ${cells} cells for ${rows} x ${channels}`)
}

function checkBorders(layout: MsLayout, { row0, rows, channel0, channels }: Block): void {
  const ends =
    onBorder(row0 + rows, layout.tileRows, layout.rows) &&
    onBorder(channel0 + channels, layout.tileChannels, layout.channels)
  if (row0 % layout.tileRows !== 0 || channel0 % layout.tileChannels !== 0 || !ends) {
    throw new RangeError(`rows ${row0}+${rows}, channels ${channel0}+${channels} do not end on tile borders`)
  }
}

function onBorder(at: number, tile: number, end: number): boolean {
  return at % tile === 0 || at === end
}

/** Bits, least significant first, into one byte each. */
function unpackBits(packed: Uint8Array, out: Uint8Array): void {
  out.fill(0)
  for (let i = 0; i < packed.length; i++) {
    const byte = packed[i]
    if (byte === 0) continue
    for (let bit = 0; bit < 8; bit++) out[8 * i + bit] = (byte >> bit) & 1
  }
}

function packBits(bits: Uint8Array, out: Uint8Array): void {
  for (let i = 0; i < out.length; i++) {
    let byte = 0
    for (let bit = 0; bit < 8; bit++) if (bits[8 * i + bit] !== 0) byte |= 1 << bit
    out[i] = byte
  }
}

function readFully(file: number, into: Uint8Array | Float32Array, position: number): void {
  const bytes = new Uint8Array(into.buffer, into.byteOffset, into.byteLength)
  let done = 0
  while (done < bytes.length) {
    const count = readSync(file, bytes, done, bytes.length - done, position + done)
    if (count === 0) throw new Error('tile file of a MeasurementSet ends early')
    done += count
  }
}

function writeFully(file: number, from: Uint8Array | Float32Array, position: number): void {
  const bytes = new Uint8Array(from.buffer, from.byteOffset, from.byteLength)
  let done = 0
  while (done < bytes.length) done += writeSync(file, bytes, done, bytes.length - done, position + done)
}
