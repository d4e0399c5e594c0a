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

/** Layers of the ziggurat, their common area and the start of its tail (Marsaglia & Tsang 2000, table for 128). */
const LAYERS = 128
const TAIL_START = 3.442619855899
const LAYER_AREA = 9.91256303526217e-3
const UNIT_32 = 2 ** -32
const UNIT_24 = 2 ** -24

/** Right edge of each layer, scaled for a 24-bit uniform, and the density there. */
const { edges, densities } = zigguratTables()

/**
 * xoshiro128** (Blackman & Vigna 2021) seeded from a hash of the text of the seed, so that 1 and '1' are the same.
 * Normal deviates by the ziggurat method (Marsaglia & Tsang 2000) with layer, sign and abscissa from separate bits of
 * one draw (the correlation of the original's shared bits: Doornik 2005).
 */
export function createRandom(seed: number | string): Random {
  const text = String(seed)
  const state = seedState(text)

  function draw(): number {
    const s1 = state[1]!
    const product = Math.imul(s1, 5)
    const result = Math.imul((product << 7) | (product >>> 25), 9)
    state[2]! ^= state[0]!
    state[3]! ^= s1
    state[1]! ^= state[2]!
    state[0]! ^= state[3]!
    state[2]! ^= s1 << 9
    state[3] = (state[3]! << 11) | (state[3]! >>> 21)
    return result
  }

  const next = (): number => (draw() >>> 0) * UNIT_32

  /** Finishes a draw that fell outside the certain part of its layer; undefined when it must be drawn anew. */
  function edgeOf(layer: number, x: number): number | undefined {
    if (layer === 0) return tail()
    const density = densities[layer]! + next() * (densities[layer - 1]! - densities[layer]!)
    return density < Math.exp(-0.5 * x * x) ? x : undefined
  }

  /** The tail beyond the last layer (Marsaglia 1964). */
  function tail(): number {
    for (;;) {
      const x = -Math.log(1 - next()) / TAIL_START
      if (-2 * Math.log(1 - next()) > x * x) return TAIL_START + x
    }
  }

  function normal(): number {
    for (;;) {
      const bits = draw()
      const layer = bits & 127
      const x = (bits >>> 8) * edges[layer]!
      const accepted = x < edges[layer + LAYERS]! ? x : edgeOf(layer, x)
      if (accepted !== undefined) return bits & 128 ? -accepted : accepted
    }
  }

  function fillNormal(out: Float32Array | Float64Array, sigma: number): void {
    let s0 = state[0]!
    let s1 = state[1]!
    let s2 = state[2]!
    let s3 = state[3]!
    for (let i = 0; i < out.length;) {
      const product = Math.imul(s1, 5)
      const bits = Math.imul((product << 7) | (product >>> 25), 9)
      const shifted = s1 << 9
      s2 ^= s0
      s3 ^= s1
      s1 ^= s2
      s0 ^= s3
      s2 ^= shifted
      s3 = (s3 << 11) | (s3 >>> 21)
      const layer = bits & 127
      const x = (bits >>> 8) * edges[layer]!
      let accepted: number | undefined = x
      if (x >= edges[layer + LAYERS]!) {
        state[0] = s0
        state[1] = s1
        state[2] = s2
        state[3] = s3
        accepted = edgeOf(layer, x)
        s0 = state[0]!
        s1 = state[1]!
        s2 = state[2]!
        s3 = state[3]!
        if (accepted === undefined) continue
      }
      out[i++] = bits & 128 ? -accepted * sigma : accepted * sigma
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
 * `edges[i]`: width of layer i per unit of a 24-bit uniform; `edges[i + LAYERS]`: below it a point surely lies under the
 * curve. Layer 0 is the base with the tail, its width the area over the density where the tail starts.
 */
function zigguratTables(): { edges: Float64Array; densities: Float64Array } {
  const density = (x: number): number => Math.exp(-0.5 * x * x)
  const x = new Float64Array(LAYERS + 1)
  x[0] = LAYER_AREA / density(TAIL_START)
  x[1] = TAIL_START
  for (let i = 2; i < LAYERS; i++) x[i] = Math.sqrt(-2 * Math.log(LAYER_AREA / x[i - 1]! + density(x[i - 1]!)))
  x[LAYERS] = 0
  const result = { edges: new Float64Array(2 * LAYERS), densities: new Float64Array(LAYERS) }
  for (let i = 0; i < LAYERS; i++) {
    result.edges[i] = x[i]! * UNIT_24
    result.edges[i + LAYERS] = x[i + 1]!
    result.densities[i] = density(x[i]!)
  }
  return result
}
