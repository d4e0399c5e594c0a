import { copyBox, padded4, strides4 } from './chunk-copy.ts'

/**
 * Rows of a dataset as they lie in its chunks, so that whoever uses them can pick elements up without copying them into
 * C order first. A C-order array is the special case of one band and one chunk. Numbers count elements unless they say
 * bytes.
 */
export interface StoredRows {
  /** Lies in the scratch memory that was given to the reader: valid until the next read into it. */
  readonly bytes: Uint8Array
  /** Axes of the dataset after the first, and of its chunks. Chunks at the end of an axis are stored whole. */
  readonly shape: readonly number[]
  readonly chunkShape: readonly number[]
  readonly bands: readonly RowBand[]
  /** Whether every element of `bytes` belongs to these rows: no padding, no rows of neighbours. */
  readonly dense: boolean
}

/** Rows next to each other in the same chunks. */
export interface RowBand {
  /** First row, counted from the first row that was read. */
  readonly row: number
  readonly rows: number
  /** Place of the first element of the first row in the first chunk. */
  readonly start: number
  /** From one chunk to the next one of the same rows, in C order of the grid of chunks. */
  readonly chunkStride: number
}

/** Copies stored rows into a C-order array. @param elementBytes size of an element */
export function unpackRows(stored: StoredRows, elementBytes: number, out: Uint8Array): void {
  const { bytes, shape, chunkShape, bands } = stored
  const [l1, l2, l3] = padded3(shape)
  const [c1, c2, c3] = padded3(chunkShape)
  const sourceStride = strides4([1, ...chunkShape])
  const targetStride = strides4([1, ...shape])
  const grid = [Math.ceil(l1 / c1), Math.ceil(l2 / c2), Math.ceil(l3 / c3)]
  for (const { row, rows, start, chunkStride } of bands) {
    let chunk = 0
    for (let o1 = 0; o1 < grid[0] * c1; o1 += c1) {
      for (let o2 = 0; o2 < grid[1] * c2; o2 += c2) {
        for (let o3 = 0; o3 < grid[2] * c3; o3 += c3, chunk++) {
          copyBox(bytes, out, elementBytes, {
            count: [rows, Math.min(c1, l1 - o1), Math.min(c2, l2 - o2), Math.min(c3, l3 - o3)],
            sourceStart: start + chunk * chunkStride,
            sourceStride,
            targetStart: row * targetStride[0] + o1 * targetStride[1] + o2 * targetStride[2] + o3,
            targetStride,
          })
        }
      }
    }
  }
}

function padded3(shape: readonly number[]): [number, number, number] {
  const [, ...rest] = padded4([1, ...shape])
  return rest
}
