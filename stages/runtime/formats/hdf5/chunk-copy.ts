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
  if (box.count.includes(0)) return
  const wide = elementBytes % 4 === 0 && source.byteOffset % 4 === 0 && target.byteOffset % 4 === 0
  const plan = inRuns(box, wide ? elementBytes / 4 : elementBytes)
  const from = wide ? words(source) : source
  const to = wide ? words(target) : target
  if (plan.run >= LONG_RUN) copyLongRuns(from, to, plan)
  else if (from instanceof Uint8Array || to instanceof Uint8Array) copyBytes(source, target, plan)
  else if (plan.run === 2) copyPairs(from, to, plan)
  else copyWords(from, to, plan)
}

/** Runs from this length on are copied by the engine's own block copy. */
const LONG_RUN = 32

/** Loops over runs of bytes or words that lie side by side in both arrays. */
interface RunCopy {
  readonly run: number
  readonly count: readonly [number, number, number]
  readonly source: number
  readonly sourceStride: readonly [number, number, number]
  readonly target: number
  readonly targetStride: readonly [number, number, number]
}

/** Drops axes of length 1 and merges the last axes into the run while both arrays have them side by side. */
function inRuns(box: BoxCopy, unit: number): RunCopy {
  const axes = [0, 1, 2, 3]
    .map((axis) => ({
      count: box.count[axis],
      source: box.sourceStride[axis] * unit,
      target: box.targetStride[axis] * unit,
    }))
    .filter(({ count }) => count > 1)
  let run = unit
  for (let last = axes.at(-1); last !== undefined && last.source === run && last.target === run; last = axes.at(-1)) {
    run *= last.count
    axes.pop()
  }
  // The last axis lies side by side in any C-order array and has merged, so that at most three are left.
  while (axes.length < 3) axes.unshift({ count: 1, source: 0, target: 0 })
  const [a, b, c] = axes
  return {
    run,
    count: [a.count, b.count, c.count],
    source: box.sourceStart * unit,
    sourceStride: [a.source, b.source, c.source],
    target: box.targetStart * unit,
    targetStride: [a.target, b.target, c.target],
  }
}

function words(bytes: Uint8Array): Int32Array {
  return new Int32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >> 2)
}

function copyLongRuns(
  from: Uint8Array | Int32Array,
  to: Uint8Array | Int32Array,
  { run, count, source, sourceStride, target, targetStride }: RunCopy,
): void {
  const [n0, n1, n2] = count
  for (let i0 = 0; i0 < n0; i0++) {
    for (let i1 = 0; i1 < n1; i1++) {
      for (let i2 = 0; i2 < n2; i2++) {
        const f = source + i0 * sourceStride[0] + i1 * sourceStride[1] + i2 * sourceStride[2]
        to.set(from.subarray(f, f + run), target + i0 * targetStride[0] + i1 * targetStride[1] + i2 * targetStride[2])
      }
    }
  }
}

// One loop for each kind of array and run, so that the compiler sees a single type in it.

function copyPairs(
  from: Int32Array,
  to: Int32Array,
  { count, source, sourceStride, target, targetStride }: RunCopy,
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
  { run, count, source, sourceStride, target, targetStride }: RunCopy,
): void {
  const [n0, n1, n2] = count
  const [s0, s1, s2] = sourceStride
  const [t0, t1, t2] = targetStride
  for (let i0 = 0; i0 < n0; i0++) {
    for (let i1 = 0; i1 < n1; i1++) {
      let f = source + i0 * s0 + i1 * s1
      let t = target + i0 * t0 + i1 * t1
      if (run === 1) for (let i2 = 0; i2 < n2; i2++, f += s2, t += t2) to[t] = from[f]
      else for (let i2 = 0; i2 < n2; i2++, f += s2, t += t2) for (let k = 0; k < run; k++) to[t + k] = from[f + k]
    }
  }
}

function copyBytes(
  from: Uint8Array,
  to: Uint8Array,
  { run, count, source, sourceStride, target, targetStride }: RunCopy,
): void {
  const [n0, n1, n2] = count
  const [s0, s1, s2] = sourceStride
  const [t0, t1, t2] = targetStride
  for (let i0 = 0; i0 < n0; i0++) {
    for (let i1 = 0; i1 < n1; i1++) {
      let f = source + i0 * s0 + i1 * s1
      let t = target + i0 * t0 + i1 * t1
      if (run === 1) for (let i2 = 0; i2 < n2; i2++, f += s2, t += t2) to[t] = from[f]
      else for (let i2 = 0; i2 < n2; i2++, f += s2, t += t2) for (let k = 0; k < run; k++) to[t + k] = from[f + k]
    }
  }
}
