/**
 * A line for a terminal. Control characters in names and messages would move its cursor, change its colours or title, or
 * begin a line that looks like one of ours: what a file or a program says is shown, not obeyed.
 */
export function printableLine(text: string): string {
  return printableText(text).replaceAll('\n', '\\n').replaceAll('\t', '\\t')
}

/** As `printableLine`, for text of several lines: line ends and tabs stay. */
export function printableText(text: string): string {
  // Controls, and what turns the direction of writing.
  return text.toWellFormed().replace(/(?![\n\t])\p{Cc}|[\u202a-\u202e\u2066-\u2069]/gu, (character) => {
    const code = character.charCodeAt(0)
    return code < 256 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16)}`
  })
}
