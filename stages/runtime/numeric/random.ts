/** A deterministic stream of random numbers: the same seed gives the same numbers on every machine. */
export interface Random {
  /** Uniform in [0, 1), 32 bits deep. */
  next(): number
  /** Standard normal deviate. */
  normal(): number
  /** Fills an array with normal deviates of mean 0; much faster than calling `normal`. */
  fillNormal(out: Float32Array | Float64Array, sigma: number): void
  /** Uniform integer in [0, n). */
  int(n: number): number
  /** An independent stream named by a label; it does not depend on what has been drawn from this one. */
  fork(label: string): Random
}

/** Layers of the ziggurat, their common area and the start of its tail (Marsaglia & Tsang 2000, table for 256). */
const LAYERS = 256
const TAIL_START = 3.6541528853610088
const LAYER_AREA = 4.92867323399e-3
const UNIT_32 = 2 ** -32
/** The abscissa comes from 24 signed bits. */
const ABSCISSA_SCALE = 2 ** 23

const { widths, insides, densities } = zigguratTables()

/**
 * xoshiro128** (Blackman & Vigna 2021) seeded from a hash of the text of the seed, so that 1 and '1' are the same.
 * Normal deviates by the ziggurat method (Marsaglia & Tsang 2000), layer and signed abscissa from separate bits of one
 * draw (their sharing of bits was the fault of the original: Doornik 2005).
 */
export function createRandom(seed: number | string): Random {
  const text = String(seed)
  const state = seedState(text)

  function draw(): number {
    const s1 = state[1]
    const product = Math.imul(s1, 5)
    const result = Math.imul((product << 7) | (product >>> 25), 9)
    state[2] ^= state[0]
    state[3] ^= s1
    state[1] ^= state[2]
    state[0] ^= state[3]
    state[2] ^= s1 << 9
    state[3] = (state[3] << 11) | (state[3] >>> 21)
    return result
  }

  const next = (): number => (draw() >>> 0) * UNIT_32

  /** Decides a draw outside the certain part of its layer; NaN when it must be drawn anew. */
  function edgeOf(layer: number, x: number): number {
    if (layer === 0) return x < 0 ? -tail() : tail()
    const height = densities[layer] + next() * (densities[layer + 1] - densities[layer])
    return height < density(x) ? x : Number.NaN
  }

  /** A deviate beyond the base layer (Marsaglia 1964). */
  function tail(): number {
    for (;;) {
      const x = -Math.log(1 - next()) / TAIL_START
      if (-2 * Math.log(1 - next()) > x * x) return TAIL_START + x
    }
  }

  function normal(): number {
    for (;;) {
      const bits = draw()
      const layer = bits & 255
      const abscissa = bits >> 8
      const x = abscissa * widths[layer]
      if (Math.abs(abscissa) < insides[layer]) return x
      const decided = edgeOf(layer, x)
      if (decided === decided) return decided
    }
  }

  function fillNormal(out: Float32Array | Float64Array, sigma: number): void {
    // The state lives in local variables: four typed-array stores a draw would double the time.
    let s0 = state[0]
    let s1 = state[1]
    let s2 = state[2]
    let s3 = state[3]
    const n = out.length
    for (let i = 0; i < n;) {
      const product = Math.imul(s1, 5)
      const bits = Math.imul((product << 7) | (product >>> 25), 9)
      const shifted = s1 << 9
      s2 ^= s0
      s3 ^= s1
      s1 ^= s2
      s0 ^= s3
      s2 ^= shifted
      s3 = (s3 << 11) | (s3 >>> 21)
      const layer = bits & 255
      const abscissa = bits >> 8
      const x = abscissa * widths[layer]
      if (Math.abs(abscissa) < insides[layer]) {
        out[i++] = x * sigma
        continue
      }
      state[0] = s0
      state[1] = s1
      state[2] = s2
      state[3] = s3
      const decided = edgeOf(layer, x)
      s0 = state[0]!
      s1 = state[1]!
      s2 = state[2]!
      s3 = state[3]!
      if (decided === decided) out[i++] = decided * sigma
    }
    state[0] = s0
    state[1] = s1
    state[2] = s2
    state[3] = s3
  }

  return {
    next,
    normal,
    fillNormal,
    int(n) {
      if (!(Number.isInteger(n) && n > 0 && n <= 2 ** 32)) throw new RangeError(`int(n) needs 1 <= n <= 2^32, got ${n}`)
      const limit = 2 ** 32 - (2 ** 32 % n)
      for (;;) {
        const bits = draw() >>> 0
        if (bits < limit) return bits % n
      }
    },
    fork: (label) => createRandom(`${text}/${label}`),
  }
}

/** Four 32-bit words from the FNV-1a hashes of a text, stirred by splitmix32. Never all zero. */
function seedState(text: string): Int32Array {
  let a = 0x811c9dc5
  let b = 0x9747b28c
  for (let i = 0; i < text.length; i++) {
    a = Math.imul(a ^ text.charCodeAt(i), 0x01000193)
    b = Math.imul(b ^ text.charCodeAt(i), 0x85ebca6b) + 0x6b43a9b5
    b ^= b >>> 15
  }
  const state = new Int32Array(4)
  for (let i = 0; i < 4; i++) {
    a = (a + 0x9e3779b9) | 0
    let z = a ^ (i % 2 === 0 ? b : (b << 16) | (b >>> 16))
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad)
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97)
    state[i] = z ^ (z >>> 15)
  }
  if (state.every((word) => word === 0)) state[0] = 1
  return state
}

/**
 * Layer i reaches to `widths[i]` times 2^23; an abscissa below `insides[i]` surely lies under the curve; `densities[i]`
 * is the curve at the layer's edge. Layer 0 is the base with the tail: its width is its area over its height.
 */
function zigguratTables(): { widths: Float64Array; insides: Int32Array; densities: Float64Array } {
  const x = new Float64Array(LAYERS + 1)
  x[0] = LAYER_AREA / density(TAIL_START)
  x[1] = TAIL_START
  for (let i = 2; i < LAYERS; i++) x[i] = Math.sqrt(-2 * Math.log(LAYER_AREA / x[i - 1] + density(x[i - 1])))
  return {
    widths: x.map((value) => value / ABSCISSA_SCALE),
    insides: Int32Array.from({ length: LAYERS }, (_, i) => Math.floor((x[i + 1] / x[i]) * ABSCISSA_SCALE)),
    densities: x.map(density),
  }
}

function density(x: number): number {
  return Math.exp(-0.5 * x * x)
}
