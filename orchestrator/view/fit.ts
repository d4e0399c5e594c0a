import type { Style } from './format.ts'

/** A part of a line: where it is narrow, those of the highest number go first. */
export interface Part {
  text: string
  rank: number
}

const GAP = '  '

/** As many parts as fit the width, the most important ones, in their order; the first in rank is cut rather than left out. */
export function fit(parts: readonly Part[], width: number, style: Style): string {
  const byRank = parts.filter(({ text }) => text !== '').sort((a, b) => a.rank - b.rank)
  const kept = new Set<Part>()
  let room = width
  for (const part of byRank) {
    const needed = part.text.length + (kept.size === 0 ? 0 : GAP.length)
    if (needed > room && kept.size > 0) continue
    kept.add(part)
    room -= needed
  }
  return cut(
    parts
      .filter((part) => kept.has(part))
      .map(({ text }) => text)
      .join(GAP),
    width,
    style,
  )
}

/** A text that is no longer than the width; what is cut off is marked. */
export function cut(text: string, width: number, { utf8 }: Style): string {
  if (text.length <= width) return text
  const mark = utf8 ? '…' : '...'
  return width <= mark.length ? text.slice(0, Math.max(0, width)) : `${text.slice(0, width - mark.length)}${mark}`
}

/** Two texts at the ends of a line; the right one goes when there is no room. */
export function ends(left: string, right: string, { width, ...style }: Style & { width: number }): string {
  const gap = width - left.length - right.length
  return gap < GAP.length
    ? fit(
        [
          { text: left, rank: 0 },
          { text: right, rank: 1 },
        ],
        width,
        style,
      )
    : left + ' '.repeat(gap) + right
}

/** Part of the whole as a bar of so many cells. */
export function bar(part: number, cells: number, { utf8 }: Style): string {
  const full = Math.floor(Math.min(1, Math.max(0, part)) * cells)
  return (utf8 ? '▇' : '#').repeat(full) + (utf8 ? '▁' : '.').repeat(cells - full)
}
