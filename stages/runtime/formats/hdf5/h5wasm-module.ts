import { closeSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { createContext, Script } from 'node:vm'
import { StageError } from '#runtime/stage/errors.ts'
import type { Module as moduleValue } from 'h5wasm/node'

export type { Metadata } from 'h5wasm/node'
type H5Module = typeof moduleValue

/**
 * Memory that libhdf5 may take in one thread. It starts with 18 MiB, needs three times the largest chunk and the rows
 * of one read, and never gives back what it once had. Beyond the limit an allocation fails inside libhdf5.
 */
export const H5WASM_HEAP_BYTES = 192 * 1024 * 1024

/**
 * Time for one call. Damaged structures make libhdf5 run in circles now and then (4 of 100,000 damaged files); the
 * largest read that is allowed, one row of gzip chunks of 32 MiB, takes half a second.
 */
const CALL_LIMIT_MS = 5000

/** One instance of libhdf5 compiled to WebAssembly. */
export interface H5wasm {
  readonly module: H5Module
  /**
   * Runs a call into libhdf5. What libhdf5 reports as an error is raised here, after it has cleaned up; whatever is
   * thrown out of it leaves it in an unknown state, so that the instance then refuses all further calls.
   * @throws StageError DATA_UNREADABLE
   */
  run<T>(path: string, call: (module: H5Module) => T): T
  /** Lets libhdf5 find the plugins for LZF and bitshuffle, from now on. */
  usePlugins(): void
}

let current: Promise<H5wasm> | undefined

/**
 * The instance of this thread: made when a file first needs it (30-250 ms, about 80 MB), and replaced by a new one
 * after an abort inside WebAssembly, which leaves an instance unusable.
 */
export function loadH5wasm(): Promise<H5wasm> {
  current ??= createH5wasm(() => (current = undefined))
  return current
}

/** Makes an instance of its own. @param abandoned called when it has become unusable */
export async function createH5wasm(abandoned: () => void = () => undefined): Promise<H5wasm> {
  const reported: string[] = []
  const module = await instantiate((text) => reported.push(text))
  module.activate_throwing_error_handler()
  let dead = false
  let plugins = false
  const timed = createTimer()

  const abandon = (): void => {
    dead = true
    abandoned()
    closeFiles(module)
  }
  return {
    module,
    run(path, call) {
      if (dead) throw unreadable(path, 'the HDF5 library stopped while it read another file')
      reported.length = 0
      let result
      try {
        result = timed(() => call(module))
      } catch (error) {
        if (error instanceof StageError) throw error
        if (reported.length === 0 || isTrap(error)) abandon()
        if (isTimeout(error)) throw unreadable(path, `the HDF5 library did not end within ${CALL_LIMIT_MS / 1000} s`)
        throw unreadable(
          path,
          reported[0] === undefined ? `the HDF5 library stopped (${briefly(error)})` : why(reported[0]),
        )
      }
      if (reported.length > 0) throw unreadable(path, why(reported[0]))
      return result
    },
    usePlugins() {
      if (plugins) return
      module.insert_plugin_search_path(fileURLToPath(new URL('plugins', import.meta.resolve('h5wasm-plugins'))), 0)
      plugins = true
    },
  }
}

/**
 * Instantiates libhdf5 with two changes that h5wasm has no option for, made while its WebAssembly is instantiated:
 * an error is reported to us and libhdf5 goes on to clean up (h5wasm throws through the C code, which then leaves its
 * stack, its handles and the descriptor of the file behind), and the memory grows to our limit only.
 */
async function instantiate(report: (text: string) => void): Promise<H5Module> {
  const factory = (await import(new URL('hdf5_util.js', import.meta.resolve('h5wasm/node')).href)) as {
    default(options: object): Promise<H5Module>
  }
  const { instantiate: original } = engine
  let module: H5Module | undefined
  engine.instantiate = async (bytes, imports) => {
    const env = imports?.['env']
    const ours = env !== undefined && 'throw_error' in env
    if (ours) env['throw_error'] = (pointer: number) => report(module?.UTF8ToString(pointer) ?? 'unknown error')
    const result = await original(bytes, imports)
    if (ours) limitGrowth(result.instance.exports['memory'] as Memory)
    return result
  }
  try {
    // What it prints are the attempts to grow its memory beyond the limit.
    module = await factory.default({ noInitialRun: true, print: () => undefined, printErr: () => undefined })
  } finally {
    engine.instantiate = original
  }
  return module
}

interface Memory {
  readonly buffer: ArrayBuffer
  grow(pages: number): number
}

/** What is used of the WebAssembly of the JavaScript engine. */
const engine = (globalThis as unknown as { WebAssembly: Engine }).WebAssembly
interface Engine {
  instantiate: (
    this: void,
    bytes: Uint8Array,
    imports?: Record<string, Record<string, unknown>>,
  ) => Promise<{ instance: { exports: Record<string, unknown> } }>
  readonly RuntimeError: new () => Error
}

const PAGE_BYTES = 65_536

function limitGrowth(memory: Memory): void {
  const grow = memory.grow.bind(memory)
  memory.grow = (pages) => {
    if (memory.buffer.byteLength + pages * PAGE_BYTES > H5WASM_HEAP_BYTES) throw new RangeError('memory limit reached')
    return grow(pages)
  }
}

/** Closes the descriptors that an instance leaves open; the first three are the standard streams. */
function closeFiles(module: H5Module): void {
  const { streams } = module.FS as unknown as { streams: ({ nfd?: number } | null)[] }
  for (const stream of streams.slice(3)) {
    if (stream?.nfd === undefined) continue
    try {
      closeSync(stream.nfd)
    } catch {
      // Closed already by libhdf5, before it stopped.
    }
  }
}

/** Runs a function and ends it, whatever it does, after the time for one call: only a script of Node's can be ended. */
function createTimer(): <T>(call: () => T) => T {
  const context = createContext({ call: undefined })
  const script = new Script('call()')
  let running = false
  return <T>(call: () => T): T => {
    // A call within another one shares its time: the clock costs 0.1 ms.
    if (running) return call()
    context['call'] = call
    running = true
    try {
      return script.runInContext(context, { timeout: CALL_LIMIT_MS }) as T
    } finally {
      running = false
    }
  }
}

function isTimeout(error: unknown): boolean {
  return (error as { code?: unknown } | undefined)?.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT'
}

function isTrap(error: unknown): boolean {
  return isTimeout(error) || error instanceof engine.RuntimeError || error instanceof RangeError
}

function briefly(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0].slice(0, 200)
}

/** The first and the last message of libhdf5's stack of errors: what failed, and the cause. */
function why(text: string): string {
  const messages = [...text.matchAll(/^ +#\d+: .*?\(\): (.*)$/gm)].map(([, message]) => message)
  const [first] = messages
  const last = messages.at(-1)
  if (first === undefined || last === undefined) return briefly(text)
  return (first === last ? first : `${first}: ${last}`).slice(0, 300)
}

function unreadable(path: string, reason: string): StageError {
  return new StageError('DATA_UNREADABLE', `${path} cannot be read: ${reason}`, {
    hint: 'check the file with h5dump; copy it again from its source',
  })
}
