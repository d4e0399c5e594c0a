/** Axes that a chunk copy handles; shorter shapes are padded with ones. */
export const MAX_RANK = 4

type Four = readonly [number, number, number, number]

/** A box of elements of equal size, copied between two C-order arrays. All numbers count elements. */
export interface BoxCopy {
  readonly count: Four
  readonly sourceStart: number
  readonly sourceStride: Four
  readonly targetStart: number
  readonly targetStride: Four
}

/** C-order strides, in elements, of a shape padded to four axes. */
export function strides4(shape: readonly number[]): [number, number, number, number] {
  const [, b, c, d] = padded4(shape)
  return [b * c * d, c * d, d, 1]
}

export function padded4(shape: readonly number[]): [number, number, number, number] {
  return [shape[0] ?? 1, shape[1] ?? 1, shape[2] ?? 1, shape[3] ?? 1]
}

/**
 * Copies a box of `elementBytes`-sized elements. Arrays whose element size and place are multiples of 4 are copied as
 * 32-bit words, which keeps every bit (a copy through floating-point views may change the payload of a NaN).
 */
export function copyBox(source: Uint8Array, target: Uint8Array, elementBytes: number, box: BoxCopy): void {
  const wide = elementBytes % 4 === 0 && source.byteOffset % 4 === 0 && target.byteOffset % 4 === 0
  const plan = inUnits(box, wide ? elementBytes / 4 : elementBytes)
  if (!wide) copyBytes(source, target, plan)
  else if (plan.unit === 2) copyPairs(words(source), words(target), plan)
  else copyWords(words(source), words(target), plan)
}

/** The box in units of bytes or words, its last axes merged where both arrays have them side by side. */
interface UnitCopy {
  /** Units that lie side by side in both arrays. */
  readonly unit: number
  readonly count: Four
  readonly source: number
  readonly sourceStride: Four
  readonly target: number
  readonly targetStride: Four
}

function inUnits(box: BoxCopy, unit: number): UnitCopy {
  const scaled = (stride: Four): Four => [stride[0] * unit, stride[1] * unit, stride[2] * unit, stride[3] * unit]
  const [n0, n1, n2, n3] = box.count
  const dense = n3 > 1
  return {
    unit: dense ? unit * n3 : unit,
    count: dense ? [n0, n1, n2, 1] : box.count,
    source: box.sourceStart * unit,
    sourceStride: scaled(box.sourceStride),
    target: box.targetStart * unit,
    targetStride: scaled(box.targetStride),
  }
}

function words(bytes: Uint8Array): Int32Array {
  return new Int32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >> 2)
}

// One loop for each kind of array and unit, so that the compiler sees a single type in it.

function copyPairs(
  from: Int32Array,
  to: Int32Array,
  { count, source, sourceStride, target, targetStride }: UnitCopy,
): void {
  const [n0, n1, n2] = count
  const [s0, s1, s2] = sourceStride
  const [t0, t1, t2] = targetStride
  for (let i0 = 0; i0 < n0; i0++) {
    for (let i1 = 0; i1 < n1; i1++) {
      let f = source + i0 * s0 + i1 * s1
      let t = target + i0 * t0 + i1 * t1
      for (let i2 = 0; i2 < n2; i2++, f += s2, t += t2) {
        to[t] = from[f]
        to[t + 1] = from[f + 1]
      }
    }
  }
}

function copyWords(
  from: Int32Array,
  to: Int32Array,
  { unit, count, source, sourceStride, target, targetStride }: UnitCopy,
): void {
  const [n0, n1, n2] = count
  const [s0, s1, s2] = sourceStride
  const [t0, t1, t2] = targetStride
  for (let i0 = 0; i0 < n0; i0++) {
    for (let i1 = 0; i1 < n1; i1++) {
      let f = source + i0 * s0 + i1 * s1
      let t = target + i0 * t0 + i1 * t1
      if (unit === 1) for (let i2 = 0; i2 < n2; i2++, f += s2, t += t2) to[t] = from[f]
      else for (let i2 = 0; i2 < n2; i2++, f += s2, t += t2) for (let k = 0; k < unit; k++) to[t + k] = from[f + k]
    }
  }
}

function copyBytes(
  from: Uint8Array,
  to: Uint8Array,
  { unit, count, source, sourceStride, target, targetStride }: UnitCopy,
): void {
  const [n0, n1, n2] = count
  const [s0, s1, s2] = sourceStride
  const [t0, t1, t2] = targetStride
  for (let i0 = 0; i0 < n0; i0++) {
    for (let i1 = 0; i1 < n1; i1++) {
      let f = source + i0 * s0 + i1 * s1
      let t = target + i0 * t0 + i1 * t1
      if (unit === 1) for (let i2 = 0; i2 < n2; i2++, f += s2, t += t2) to[t] = from[f]
      else for (let i2 = 0; i2 < n2; i2++, f += s2, t += t2) for (let k = 0; k < unit; k++) to[t + k] = from[f + k]
    }
  }
}
