import { globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'

/** That files of one room import files of another; `types`: nothing but types. */
export interface Edge {
  from: string
  to: string
  types: boolean
}

/** Declarations that others may import of a stage, with what only they consist of. */
const DECLARATIONS = /^stages\/(?!runtime\/)[a-z]+\/(contract|scan-schema)\.ts$/

/** The rooms of the source and who imports whom, as it is and not as it is meant to be. */
export function readImports(root: string): { rooms: string[]; edges: Edge[] } {
  const files = globSync(['stages/**/*.ts', 'orchestrator/**/*.ts'], { cwd: root }).sort()
  const imports = new Map(
    files.map((file) => [
      file,
      importsOf(readFileSync(join(root, file), 'utf8')).flatMap(({ target, types }) => {
        const found = targetOf(file, target)
        return files.includes(found) ? [{ target: found, types }] : []
      }),
    ]),
  )
  const declared = closure(
    files.filter((file) => DECLARATIONS.test(file)),
    (file) =>
      (imports.get(file) ?? []).map(({ target }) => target).filter((target) => !target.startsWith('stages/runtime/')),
  )
  const roomOf = (file: string): string => (declared.has(file) ? 'contracts' : roomByPath(file))
  const edges = new Map<string, Edge>()
  for (const [file, targets] of imports) {
    for (const { target, types } of targets) {
      const [from, to] = [roomOf(file), roomOf(target)]
      if (from === to) continue
      const name = `${from} ${to}`
      edges.set(name, { from, to, types: types && (edges.get(name)?.types ?? true) })
    }
  }
  return {
    rooms: [...new Set(files.map(roomOf))].sort(),
    edges: [...edges.values()].sort((a, b) => (`${a.from} ${a.to}` < `${b.from} ${b.to}` ? -1 : 1)),
  }
}

function closure(first: readonly string[], next: (item: string) => readonly string[]): Set<string> {
  const seen = new Set<string>()
  const pending = [...first]
  for (let item = pending.pop(); item !== undefined; item = pending.pop()) {
    if (seen.has(item)) continue
    seen.add(item)
    pending.push(...next(item))
  }
  return seen
}

function importsOf(text: string): { target: string; types: boolean }[] {
  const pattern =
    /^\s*(?:import|export)\s+(type\s+)?[^'"]*?from\s+'([^']+)'|^\s*import\s+'([^']+)'|\bimport\('([^']+)'\)/gm
  return [...text.matchAll(pattern)].map(([, type, from, bare, dynamic]) => ({
    target: from ?? bare ?? dynamic ?? '',
    types: type !== undefined,
  }))
}

function targetOf(file: string, specifier: string): string {
  if (specifier.startsWith('#runtime/')) return specifier.replace('#runtime/', 'stages/runtime/')
  return specifier.startsWith('.') ? normalize(join(dirname(file), specifier)) : ''
}

/** `stages/runtime/sky` and `orchestrator/view` are rooms of their own. */
function roomByPath(file: string): string {
  const [top, second = '', third = ''] = file.split('/')
  if (top === 'orchestrator') return second.endsWith('.ts') ? 'orchestrator/main' : `orchestrator/${second}`
  return second === 'runtime' ? `runtime/${third}` : `stages/${second}`
}
