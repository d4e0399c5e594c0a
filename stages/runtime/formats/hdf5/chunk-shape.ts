/** h5py's constants (h5py/_hl/filters.py): the aim for a chunk of a 1 MiB dataset, and its limits, in bytes. */
const CHUNK_BASE_BYTES = 16 * 1024
const CHUNK_MIN_BYTES = 8 * 1024
const CHUNK_MAX_BYTES = 1024 * 1024
/** h5py takes this length for an axis that starts empty. */
const EMPTY_AXIS_LENGTH = 1024

/**
 * The chunk shape that h5py chooses for a resizable dataset (`guess_chunk`, h5py 2.x-3.x): axes are halved in turn
 * until a chunk has about the target size, which grows with the logarithm of the dataset's size.
 * @param shape initial shape; axes of length 0 count as 1024
 */
export function guessChunkShape(shape: readonly number[], elementBytes: number): number[] {
  const chunk = shape.map((length) => (length === 0 ? EMPTY_AXIS_LENGTH : length))
  const datasetBytes = product(chunk) * elementBytes
  const wanted = CHUNK_BASE_BYTES * 2 ** Math.log10(datasetBytes / (1024 * 1024))
  const target = Math.min(Math.max(wanted, CHUNK_MIN_BYTES), CHUNK_MAX_BYTES)
  for (let axis = 0; ; axis = (axis + 1) % chunk.length) {
    const bytes = product(chunk) * elementBytes
    const near = bytes < target || Math.abs(bytes - target) / target < 0.5
    if ((near && bytes < CHUNK_MAX_BYTES) || product(chunk) === 1) return chunk
    chunk[axis] = Math.ceil(chunk[axis] / 2)
  }
}

function product(values: readonly number[]): number {
  return values.reduce((total, value) => total * value, 1)
}
