import { isMap, isScalar, LineCounter, parseDocument } from 'yaml'
import type { Override } from './config.ts'

/** One value of a complete configuration and who set it. */
export interface Setting {
  /** Dotted path. */
  path: string
  value: unknown
  /** `default`, `demo.yaml:14:3`, `CONTIMG_ROOT`, `--set imaging.cellArcsec=3`. */
  origin: string
}

interface Sources {
  file?: { path: string; text: string }
  /** In order of strength, the strongest last. */
  overrides: readonly Override[]
}

/** Every value of a configuration, in its own order, with the place it comes from. */
export function settingsOf(config: Readonly<Record<string, unknown>>, { file, overrides }: Sources): Setting[] {
  const lineCounter = new LineCounter()
  const contents = file === undefined ? undefined : parseDocument(file.text, { lineCounter }).contents
  const placeInFile = (path: readonly string[]): string | undefined => {
    let node: unknown = contents
    let offset: number | undefined
    for (const part of path) {
      if (!isMap(node)) break
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === part)
      if (pair === undefined) return undefined
      offset = (pair.key as { range?: [number, number, number] }).range?.[0]
      node = pair.value
    }
    if (offset === undefined) return undefined
    const { line, col } = lineCounter.linePos(offset)
    return `${file?.path}:${line}:${col}`
  }
  return leaves(config, []).map(({ path, value }) => {
    const override = overrides.findLast((candidate) => isPrefix(candidate.path, path))
    return { path: path.join('.'), value, origin: override?.origin ?? placeInFile(path) ?? 'default' }
  })
}

function leaves(value: unknown, path: readonly string[]): { path: readonly string[]; value: unknown }[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [{ path, value }]
  const members = Object.entries(value).filter(([, member]) => member !== undefined)
  return members.flatMap(([name, member]) => leaves(member, [...path, name]))
}

function isPrefix(short: readonly string[], long: readonly string[]): boolean {
  return short.length <= long.length && short.every((part, index) => part === long[index])
}
