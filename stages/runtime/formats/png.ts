import { encode } from 'fast-png'

/** Effort of the compressor, 0 to 9: a quick-look is written once and read often. */
const compressionLevel = 9

/** Pixels of a PNG, rows from the top: grey levels, red-green-blue triples, or indices into a palette. */
export interface PngPixels {
  width: number
  height: number
  grey?: Uint8Array
  rgb?: Uint8Array
  indexed?: { pixels: Uint8Array; palette: readonly (readonly [number, number, number])[] }
  /** tEXt chunks: keyword to Latin-1 text. */
  text?: Record<string, string>
}

/** The bytes of an 8-bit PNG. Equal pixels and texts give equal bytes. */
export function encodePng({ width, height, grey, rgb, indexed, text }: PngPixels): Uint8Array {
  const data = indexed?.pixels ?? rgb ?? grey
  if (data === undefined) throw new RangeError('a PNG needs grey, rgb or indexed pixels')
  return encode(
    {
      width,
      height,
      data,
      depth: 8,
      channels: indexed === undefined && rgb !== undefined ? 3 : 1,
      ...(indexed === undefined ? {} : { palette: indexed.palette.map((colour) => [...colour]) }),
      ...(text === undefined ? {} : { text }),
    },
    { zlib: { level: compressionLevel } },
  )
}
