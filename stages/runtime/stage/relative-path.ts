import { isAbsolute, normalize, sep } from 'node:path'

/** Whether a path, taken from some folder, stays in it: not absolute, and no `..` that leaves it. Links are not looked at. */
export function staysInside(path: string): boolean {
  return !isAbsolute(path) && !path.includes('\0') && normalize(path).split(sep)[0] !== '..'
}

/** A single name: of a file or folder in a folder, and no way out of it. */
export const plainName = /^(?!\.{1,2}$)[^/\0]+$/
