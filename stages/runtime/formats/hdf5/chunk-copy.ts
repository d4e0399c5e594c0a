/** Axes beyond the first that a chunk copy handles; shorter shapes are padded with ones. */
export const MAX_RANK = 4

/** A box of elements of equal size, copied between two C-order arrays. All numbers count elements. */
export interface BoxCopy {
  readonly count: readonly [number, number, number, number]
  readonly sourceStart: number
  readonly sourceStride: readonly [number, number, number, number]
  readonly targetStart: number
  readonly targetStride: readonly [number, number, number, number]
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
  const unit = wide ? elementBytes / 4 : elementBytes
  const from = wide ? words(source) : source
  const to = wide ? words(target) : target
  const [n0, n1, n2, n3] = box.count
  const [s0, s1, s2, s3] = box.sourceStride
  const [t0, t1, t2, t3] = box.targetStride
  const dense = s3 === 1 && t3 === 1
  for (let i0 = 0; i0 < n0; i0++) {
    for (let i1 = 0; i1 < n1; i1++) {
      const sourceRow = (box.sourceStart + i0 * s0 + i1 * s1) * unit
      const targetRow = (box.targetStart + i0 * t0 + i1 * t1) * unit
      if (dense) copyRuns(from, sourceRow, s2 * unit, to, targetRow, t2 * unit, n2, n3 * unit)
      else if (n3 === 1) copyElements(from, sourceRow, s2 * unit, to, targetRow, t2 * unit, n2, unit)
      else {
        for (let i2 = 0; i2 < n2; i2++) {
          copyElements(from, sourceRow + i2 * s2 * unit, s3 * unit, to, targetRow + i2 * t2 * unit, t3 * unit, n3, unit)
        }
      }
    }
  }
}

type Words = Uint8Array | Int32Array

function words(bytes: Uint8Array): Int32Array {
  return new Int32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >> 2)
}

function copyRuns(from: Words, f0: number, fStep: number, to: Words, t0: number, tStep: number, runs: number, length: number): void {
  if (length <= 4) {
    copyElements(from, f0, fStep, to, t0, tStep, runs, length)
    return
  }
  for (let run = 0, f = f0, t = t0; run < runs; run++, f += fStep, t += tStep) {
    for (let i = 0; i < length; i++) to[t + i] = from[f + i]
  }
}

function copyElements(from: Words, f0: number, fStep: number, to: Words, t0: number, tStep: number, n: number, unit: number): void {
  if (unit === 1) {
    for (let i = 0, f = f0, t = t0; i < n; i++, f += fStep, t += tStep) to[t] = from[f]
  } else if (unit === 2) {
    for (let i = 0, f = f0, t = t0; i < n; i++, f += fStep, t += tStep) {
      to[t] = from[f]
      to[t + 1] = from[f + 1]
    }
  } else {
    for (let i = 0, f = f0, t = t0; i < n; i++, f += fStep, t += tStep) {
      for (let k = 0; k < unit; k++) to[t + k] = from[f + k]
    }
  }
}
