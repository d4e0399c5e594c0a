import { closeSync, readFileSync } from 'node:fs'
import { availableParallelism, loadavg } from 'node:os'
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
 * Time for a call: damaged structures make libhdf5 run in circles now and then. Calls that go through much data get more
 * (inflating alone takes a second for 64 MB), and so do all on a machine that has more to do than processors, or whose
 * storage keeps many waiting.
 */
const CALL_LIMIT_MS = 1000
const SLOWEST_BYTES_PER_MS = 10_000
const LONGEST_CALL_MS = 8_000

/** A call that was neither at work nor in line for a processor for this part of its time has waited for its storage. */
const WAITED = 0.5

const PLUGINS = fileURLToPath(new URL('plugins', import.meta.resolve('h5wasm-plugins')))
/** Where the C library keeps the text of an error until it is reported. */
const TEMPORARY = '/tmp/tmpfile_'
/** No such file, in the numbers of WebAssembly's system interface. */
const ENOENT = 44

/** One instance of libhdf5 compiled to WebAssembly. */
export interface H5wasm {
  readonly module: H5Module
  /**
   * Runs a call into libhdf5. What libhdf5 reports as an error is raised here, after it has cleaned up; whatever is
   * thrown out of it leaves it in an unknown state, so that the instance then refuses all further calls.
   * @param bytes that the call reads and decodes: it may take longer for many
   * @throws StageError DATA_UNREADABLE; STORAGE_FAILED when time ran out while it waited
   */
  run<T>(path: string, call: (module: H5Module) => T, bytes?: number): T
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
  let reading = ''
  const module = await instantiate({
    report: (text) => reported.push(text),
    mayOpen: (path) => path === reading || path.startsWith(PLUGINS) || path.startsWith(TEMPORARY),
  })
  module.activate_throwing_error_handler()
  // Folders of the machine that built it.
  while (module.get_plugin_search_paths().length > 0) module.remove_plugin_search_path(0)
  let dead = false
  let plugins = false
  const timer = createTimer()

  const abandon = (): void => {
    dead = true
    abandoned()
    closeFiles(module)
  }
  return {
    module,
    run(path, call, bytes = 0) {
      if (dead) throw unreadable(path, 'the HDF5 library stopped while it read another file')
      reported.length = 0
      reading = path
      const limitMs = callLimitMs(bytes)
      let result
      try {
        result = timer.run(limitMs, () => call(module))
      } catch (error) {
        if (error instanceof StageError) throw error
        if (reported.length === 0 || isTrap(error)) abandon()
        if (isTimeout(error)) throw late(path, limitMs, timer.busyMs())
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
      module.insert_plugin_search_path(PLUGINS, 0)
      plugins = true
    },
  }
}

/**
 * Instantiates libhdf5 with three changes that h5wasm has no option for, made while its WebAssembly is instantiated:
 * an error is reported to us and libhdf5 goes on to clean up (h5wasm throws through the C code, which then leaves its
 * stack, its handles and the descriptor of the file behind), the memory grows to our limit only, and no file is opened
 * but the one that is read: data, links and virtual datasets may name any other.
 */
async function instantiate({ report, mayOpen }: Surroundings): Promise<H5Module> {
  const factory = (await import(new URL('hdf5_util.js', import.meta.resolve('h5wasm/node')).href)) as {
    default(options: object): Promise<H5Module>
  }
  const { instantiate: original } = engine
  let module: H5Module | undefined
  engine.instantiate = async (bytes, imports) => {
    const env = imports?.['env']
    const ours = env !== undefined && 'throw_error' in env
    if (ours) {
      env['throw_error'] = (pointer: number) => report(module?.UTF8ToString(pointer) ?? 'unknown error')
      const openAt = env['__syscall_openat'] as (folder: number, path: number, ...rest: number[]) => number
      env['__syscall_openat'] = (folder: number, path: number, ...rest: number[]) =>
        module !== undefined && mayOpen(module.UTF8ToString(path)) ? openAt(folder, path, ...rest) : -ENOENT
    }
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

interface Surroundings {
  report: (text: string) => void
  mayOpen: (path: string) => boolean
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

function callLimitMs(bytes: number): number {
  const [load = 0] = loadavg()
  const share = Math.max(1, load / availableParallelism())
  return Math.ceil(Math.min(LONGEST_CALL_MS, share * (CALL_LIMIT_MS + bytes / SLOWEST_BYTES_PER_MS)))
}

interface Timer {
  run<T>(limitMs: number, call: () => T): T
  /** Time that the thread was at work, or in line for a processor, since the call began. */
  busyMs(): number
}

/** Runs a function and ends it, whatever it does, after the time for one call: only a script of Node's can be ended. */
function createTimer(): Timer {
  const context = createContext({ call: undefined })
  const script = new Script('call()')
  let running = false
  let before = 0
  return {
    run<T>(limitMs: number, call: () => T): T {
      // A call within another one shares its time: the clock costs 0.1 ms.
      if (running) return call()
      context['call'] = call
      running = true
      before = busyMs()
      try {
        return script.runInContext(context, { timeout: limitMs }) as T
      } finally {
        running = false
      }
    },
    busyMs: () => busyMs() - before,
  }
}

function late(path: string, limitMs: number, busy: number): StageError {
  const seconds = (limitMs / 1000).toFixed(1)
  if (limitMs - busy < WAITED * limitMs) return unreadable(path, `the HDF5 library did not end within ${seconds} s`)
  return new StageError('STORAGE_FAILED', `${path} cannot be read: its storage did not answer within ${seconds} s`, {
    hint: 'look at the disk or the network that holds it, then run the same command again',
  })
}

/** Of this thread, since it started; only Linux tells the time in line. */
function busyMs(): number {
  try {
    const [workNs = 0, lineNs = 0] = readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ').map(Number)
    return (workNs + lineNs) / 1e6
  } catch {
    const { user, system } = process.threadCpuUsage()
    return (user + system) / 1000
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
