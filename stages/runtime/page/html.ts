/** Markup that is safe to put into a page as it is. Only `html` makes it. */
export interface Html {
  readonly markup: string
}

type Piece = Html | string | number | undefined | false | readonly Piece[]

/** Markup from a template: everything put in is escaped, except other markup. Lists are joined, undefined and false are nothing. */
export function html(strings: TemplateStringsArray, ...pieces: readonly Piece[]): Html {
  return { markup: strings.reduce((text, part, i) => text + render(pieces[i - 1]) + part) }
}

function render(piece: Piece): string {
  if (piece === undefined || piece === false) return ''
  if (typeof piece === 'string') return escapeText(piece)
  if (typeof piece === 'number') return escapeText(String(piece))
  if ('markup' in piece) return piece.markup
  return piece.map(render).join('')
}

/** Text for element content and quoted attributes; control characters become visible replacement characters. */
function escapeText(text: string): string {
  return text
    .replaceAll(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, '\uFFFD')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;')
}
