/**
 * A line for a terminal. Control characters in names and messages would move its cursor, change its colours or title, or
 * begin a line that looks like one of ours: what a file or a program says is shown, not obeyed.
 */
export function printableLine(text: string): string {
  return printableText(text).replaceAll('\n', '\\n').replaceAll('\t', '\\t')
}

/** As `printableLine`, for text of several lines: line ends and tabs stay. */
export function printableText(text: string): string {
  // Controls of ASCII and Latin-1, and what turns the direction of writing.
  // oxlint-disable-next-line no-control-regex -- they are what is sought
  return text
    .toWellFormed()
    .replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, (character) => {
      const code = character.charCodeAt(0)
      return code < 256 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16)}`
    })
}
