import { styleText } from 'node:util'

type Colour = Parameters<typeof styleText>[0]

/** What stands at the beginning of a line or of its second column, and its colour. */
const marks: readonly (readonly [pattern: RegExp, colour: Colour])[] = [
  [/^(\s*(?:\d+:\d\d(?::\d\d)?  )?)(✔|ok(?= ))/, 'green'],
  [/^(\s*(?:\d+:\d\d(?::\d\d)?  )?)(✖|FAILED)/, 'red'],
  [/^(\s*(?:\d+:\d\d(?::\d\d)?  )?)(●|\.\.(?= ))/, 'cyan'],
  [/^(\s*(?:\d+:\d\d(?::\d\d)?  )?)(◷|–|waiting(?= )|skipped(?= ))/, 'gray'],
  [/^(\s*(?:\d+:\d\d(?::\d\d)?  )?)(!|note:)(?= )/, 'yellow'],
]
const words: readonly (readonly [pattern: RegExp, colour: Colour])[] = [
  [/( (?:verdict )?)(good)$/, 'green'],
  [/( (?:verdict )?)(uncertain)$/, 'yellow'],
  [/( (?:verdict )?)(bad)$/, 'red'],
  [/(^\s+)(why|last|fix|kept|logs)(?= )/, 'bold'],
  [/()(\[[A-Z][A-Z_]+\])/, 'dim'],
]

/** Lines with colours: their content is the same, so that whoever sees none misses nothing. */
export function paint(lines: readonly string[]): string[] {
  return lines.map((line) =>
    [...marks, ...words].reduce(
      (text, [pattern, colour]) =>
        text.replace(pattern, (_, before: string, word: string) => before + coloured(word, colour)),
      line,
    ),
  )
}

function coloured(text: string, colour: Colour): string {
  // Whether there are colours has been decided: not again by the environment.
  return styleText(colour, text, { validateStream: false })
}

/** Lines whose paths of products are links to the files. */
export function linked(lines: readonly string[]): string[] {
  return lines.map((line) =>
    line.replace(
      /^(\s*(?:image|quick-look|catalogue|report) +)(\/.+)$/,
      (_, label: string, path: string) =>
        `${label}\u001b]8;;file://${path.split('/').map(encodeURIComponent).join('/')}\u001b\\${path}\u001b]8;;\u001b\\`,
    ),
  )
}
