import { chunkOrder, LARGEST_SQUARE, type KernelBlock, type KernelSetup } from './kernel.ts'

/** Bytes of a vector, of a complex float32, and of a page of WebAssembly memory. */
const VECTOR_BYTES = 16
const COMPLEX_BYTES = 8
const PAGE_BYTES = 65536

/** The sign bit of a float32. */
const SIGN_BIT = 0x80000000

/**
 * The kernel for two correlations that keep their places, in chunks of an even number of channels, which is what the
 * telescope writes. It works in a memory of its own: blocks are read into `vis`, and its outputs lie there too.
 */
export interface PairKernel {
  readonly vis: Uint8Array
  readonly phase: Float64Array
  readonly step: Float64Array
  readonly data: Float32Array
  readonly bad: Uint8Array
  readonly badCount: Uint32Array
  /** Whether it is made for such a block: every array in its own memory, too. */
  takes(setup: KernelSetup, block: KernelBlock): boolean
  /** Does what `convertBlock` does, with the same bits. */
  convert(setup: KernelSetup, block: KernelBlock): void
}

type Convert = (...parameters: number[]) => void

/** The part of the WebAssembly interface that is used here; TypeScript declares it for browsers only. */
interface WasmEngine {
  Memory: new (size: { initial: number }) => { readonly buffer: ArrayBuffer }
  Module: new (binary: Uint8Array<ArrayBuffer>) => object
  Instance: new (module: object, imports: object) => { readonly exports: Record<string, unknown> }
}

/**
 * @param binary what `pair-kernel.wat` assembles to
 * @param size.visBytes room for a stored block: more than its samples where chunks are padded
 */
export function createPairKernel(
  binary: Uint8Array<ArrayBuffer>,
  { blockRows, channels, visBytes }: { blockRows: number; channels: number; visBytes: number },
): PairKernel {
  const samples = blockRows * channels * 2
  const sizes = {
    vis: visBytes,
    data: COMPLEX_BYTES * samples,
    bad: samples,
    sign: 4 * blockRows,
    phase: 2 * VECTOR_BYTES * blockRows,
    step: VECTOR_BYTES * blockRows,
    count: 4 * blockRows,
  }
  const { at, bytes } = places(sizes)
  const engine = (globalThis as unknown as { WebAssembly: WasmEngine }).WebAssembly
  const memory = new engine.Memory({ initial: Math.ceil(bytes / PAGE_BYTES) })
  const { exports } = new engine.Instance(new engine.Module(binary), { kernel: { memory } })
  const run = exports['convert'] as Convert
  const { buffer } = memory
  const signs = new Uint32Array(buffer, at.sign, blockRows)
  const badCount = new Uint32Array(buffer, at.count, blockRows)
  const bad = new Uint8Array(buffer, at.bad, samples)

  const startRows = ({ swapped }: KernelSetup, { row0, rows }: KernelBlock): void => {
    for (let row = 0; row < rows; row++) signs[row] = swapped[row0 + row] === 1 ? 0 : SIGN_BIT
    badCount.fill(0, 0, rows)
    bad.fill(0, 0, rows * channels * 2)
  }

  return {
    vis: new Uint8Array(buffer, at.vis, visBytes),
    phase: new Float64Array(buffer, at.phase, 4 * blockRows),
    step: new Float64Array(buffer, at.step, 2 * blockRows),
    data: new Float32Array(buffer, at.data, 2 * samples),
    bad,
    badCount,
    takes: (setup, { vis, data }) =>
      vis.values.buffer === buffer &&
      data.buffer === buffer &&
      vis.chunkChannels % 2 === 0 &&
      setup.channels % 2 === 0 &&
      [setup.direct, setup.swappedOrder].every((order) => order.join() === '0,1'),
    convert(setup, block) {
      const { values, rowStride, chunkChannels, chunkPolarizations, bands } = block.vis
      const { segments, polarizationChunks, next } = chunkOrder(setup, block.vis)
      startRows(setup, block)
      for (const { row, rows, start, chunkStride } of bands) {
        const second = chunkPolarizations > 1 ? 1 : chunkStride
        let done = row * channels
        for (const segment of segments) {
          const length = Math.min(chunkChannels, channels - segment * chunkChannels)
          const from = start + segment * polarizationChunks * chunkStride + (next < 0 ? (1 - length) * next : 0)
          run(
            values.byteOffset + COMPLEX_BYTES * from,
            COMPLEX_BYTES * second,
            COMPLEX_BYTES * next,
            COMPLEX_BYTES * rowStride,
            rows,
            length / 2,
            at.data + 2 * COMPLEX_BYTES * done,
            2 * COMPLEX_BYTES * channels,
            at.bad + 2 * done,
            2 * channels,
            at.sign + 4 * row,
            at.phase + 2 * VECTOR_BYTES * row,
            at.step + VECTOR_BYTES * row,
            at.count + 4 * row,
            LARGEST_SQUARE,
          )
          done += length
        }
      }
    },
  }
}

/** Places one after the other, each at a multiple of a vector. */
function places<N extends string>(sizes: Record<N, number>): { at: Record<N, number>; bytes: number } {
  let bytes = 0
  const at = {} as Record<N, number>
  for (const name of Object.keys(sizes) as N[]) {
    at[name] = bytes
    bytes += Math.ceil(sizes[name] / VECTOR_BYTES) * VECTOR_BYTES
  }
  return { at, bytes }
}
