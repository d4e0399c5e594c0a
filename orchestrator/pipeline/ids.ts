/** What a shortened name or id means among those there are. */
export type Pick<T> = { kind: 'one'; found: T } | { kind: 'none' } | { kind: 'several'; found: T[] }

/** The one that is called so, else the one whose name begins so. */
export function pickByPrefix<T>(wanted: string, all: readonly T[], nameOf: (item: T) => string): Pick<T> {
  const exact = all.find((item) => nameOf(item) === wanted)
  if (exact !== undefined) return { kind: 'one', found: exact }
  const found = all.filter((item) => nameOf(item).startsWith(wanted))
  const [first] = found
  if (first === undefined || wanted === '') return { kind: 'none' }
  return found.length === 1 ? { kind: 'one', found: first } : { kind: 'several', found }
}
