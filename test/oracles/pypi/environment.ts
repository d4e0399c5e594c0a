import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The pinned packages of the environment. */
export const requirementsPath = fileURLToPath(new URL('requirements.txt', import.meta.url))

/** Written last: an environment without it was left half made. */
export const COMPLETE = 'complete'

/** Folder of the virtual environment for the packages as pinned now; other pins have a folder of their own. */
export function environmentFolder(): string {
  const hash = createHash('sha256').update(readFileSync(requirementsPath)).digest('hex').slice(0, 12)
  const cache = process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache')
  return join(cache, 'contimg', `oracles-${hash}`)
}

/** The environment's Python, or undefined as long as `npm run test:oracle` has not made it. */
export function environmentPython(): string | undefined {
  const folder = environmentFolder()
  return existsSync(join(folder, COMPLETE)) ? join(folder, 'bin/python') : undefined
}
