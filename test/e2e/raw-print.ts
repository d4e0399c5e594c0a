import { createHash } from 'node:crypto'
import { lstatSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** What must not change of a folder of raw files: names, sizes, times, modes, inodes and content of all that is in it. */
export function rawPrint(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .map((entry) => {
      const path = join(entry.parentPath, entry.name)
      const { size, mtimeNs, ctimeNs, mode, ino } = lstatSync(path, { bigint: true })
      const content = entry.isFile() ? createHash('sha256').update(readFileSync(path)).digest('hex') : ''
      return [path, size, mtimeNs, ctimeNs, mode, ino, content].join(' ')
    })
    .sort()
}
