/**
 * Row-indexed header arrays hold a hundred thousand numbers a file that say little. Looked at one by one they are what a
 * scan spends most of its time on; hence these comparisons of their bytes with themselves, some rows further on.
 */

/** Whether rows say in every integration of `period` rows what they say in the first. */
export function hasPeriod(rows: Int32Array | Float64Array, period: number): boolean {
  const skipped = period * rows.BYTES_PER_ELEMENT
  if (!(skipped > 0 && skipped <= rows.byteLength)) return false
  const all = Buffer.from(rows.buffer, rows.byteOffset, rows.byteLength)
  return all.subarray(skipped).equals(all.subarray(0, rows.byteLength - skipped))
}

/** Whether all rows are the same, bit for bit. */
export function isConstant(rows: Float64Array): boolean {
  return hasPeriod(rows, 1)
}

/** Whether rows change from integration to integration of `period` rows only. */
export function isStepwise(rows: Float64Array, period: number): boolean {
  for (let start = 0; start < rows.length; start += period)
    if (!isConstant(rows.subarray(start, start + period))) return false
  return true
}

/** The first row of every integration. */
export function firstRows(rows: Float64Array, period: number): Float64Array {
  return Float64Array.from({ length: Math.ceil(rows.length / period) }, (_, step) => rows[step * period])
}

/** Whether all values are numbers that are not infinite. */
export function isFinite(values: Float64Array | Float32Array): boolean {
  // One call a value takes ten times as long.
  for (let index = 0; index < values.length; index++) if (!Number.isFinite(values[index])) return false
  return true
}
