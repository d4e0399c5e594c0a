/** What a terminal of so many columns shows after this output: its lines, those that have left it at the top too. */
export function screenOf(output: string, columns: number): string[] {
  const lines: string[] = ['']
  let [row, column] = [0, 0]
  for (const [token, , parameter, command] of output.matchAll(
    // oxlint-disable-next-line no-control-regex -- escapes are what a terminal obeys
    /(\u001b\[([\d;?]*)([A-Za-z])|\u001b\][^\u001b]*\u001b\\)|[\s\S]/gu,
  )) {
    if (command === 'A') row = Math.max(0, row - Number(parameter || 1))
    else if (command === 'J') {
      lines.length = row + 1
      lines[row] = lines[row]?.slice(0, column) ?? ''
    } else if (command === 'K') lines[row] = lines[row]?.slice(0, column) ?? ''
    else if (token === '\r') column = 0
    else if (token === '\n') row++
    else if (!token.startsWith('\u001b')) {
      if (column === columns) [row, column] = [row + 1, 0]
      const line = (lines[row] ?? '').padEnd(column)
      lines[row] = line.slice(0, column) + token + line.slice(column + 1)
      column++
    }
    while (lines.length <= row) lines.push('')
  }
  return lines.filter((line) => line !== '')
}
