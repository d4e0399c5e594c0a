import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { basename, dirname, join, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Notices when a path is used that leads outside of what an input may reach, by `..`, absolute or through a link. */
export interface FileGuard {
  /** Watches from here on. */
  watch(allowed: readonly string[]): void
  /** Stops watching: the first path outside, if there was one. */
  release(): string | undefined
}

/** Functions that use what a path leads to; looking where it leads is allowed. */
const onePath = [
  'access',
  'appendFile',
  'createReadStream',
  'createWriteStream',
  'exists',
  'mkdir',
  'mkdtemp',
  'open',
  'opendir',
  'readFile',
  'readdir',
  'rm',
  'rmdir',
  'stat',
  'truncate',
  'unlink',
  'utimes',
  'writeFile',
]
const twoPaths = ['copyFile', 'cp', 'link', 'rename', 'symlink']

/** Stands before the file functions of this thread; `always` are folders that may be reached at any time. */
export function guardFiles(always: readonly string[]): FileGuard {
  const real = fs.realpathSync.native
  let roots: string[] = []
  // Paths that were found inside: links do not change while inputs are read.
  const inside = new Set<string>()
  let watching = false
  let outside: string | undefined
  const check = (given: unknown): void => {
    if (!watching || (typeof given !== 'string' && !(given instanceof URL) && !Buffer.isBuffer(given))) return
    const path = resolve(given instanceof URL ? fileURLToPath(given) : given.toString())
    if (inside.has(path)) return
    const place = realPath(path, real)
    if (roots.some((root) => place === root || place.startsWith(root.endsWith('*') ? root.slice(0, -1) : root + sep))) {
      inside.add(path)
      return
    }
    outside ??= path
    throw Object.assign(new Error(`a path outside was used: ${path}`), { code: 'EOUTSIDE' })
  }
  type Functions = Record<string, unknown>
  const wrap = (functions: Functions, name: string, paths: number): void => {
    const original = functions[name]
    if (typeof original !== 'function') return
    const wrapped = function (this: unknown, ...args: unknown[]): unknown {
      for (const path of args.slice(0, paths)) check(path)
      return Reflect.apply(original, this, args) as unknown
    }
    functions[name] = Object.assign(wrapped, original)
  }
  const promises = fs.promises as unknown as Functions
  for (const [names, paths] of [
    [onePath, 1],
    [twoPaths, 2],
  ] as const) {
    for (const name of names) {
      wrap(fs as unknown as Functions, name, paths)
      wrap(fs as unknown as Functions, `${name}Sync`, paths)
      // A promise that is refused, not an error at once.
      const original = promises[name]
      if (typeof original !== 'function') continue
      promises[name] = async (...args: unknown[]): Promise<unknown> => {
        for (const path of args.slice(0, paths)) check(path)
        return (await Reflect.apply(original, promises, args)) as unknown
      }
    }
  }
  syncBuiltinESMExports()
  return {
    watch(allowed) {
      if (roots.length === 0) roots = [...always, ...allowed].map((path) => realPath(path, real))
      watching = true
      outside = undefined
    },
    release() {
      watching = false
      return outside
    },
  }
}

/** Where a path leads through all links; of one that does not exist, where it would be made. */
function realPath(path: string, real: (path: string) => string): string {
  try {
    return real(path)
  } catch {
    const parent = dirname(path)
    return parent === path ? path : join(realPath(parent, real), basename(path))
  }
}
