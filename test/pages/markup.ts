/** Elements that a page may have; none of them runs, frames or submits anything. */
const passive = new Set(
  `a b body br caption circle clippath code dd defs desc details div dl dt ellipse em figcaption figure footer g g h1 h2 h3 h4
  head header html image img input label li line lineargradient link main mark meta nav ol p path pattern polygon polyline pre rect
  section small span stop strong style sub summary sup svg table tbody td text tfoot th thead time title tr tspan tt ul use`.split(
    /\s+/,
  ),
)

/** Attributes whose value is an address. */
const addresses = new Set(['action', 'data', 'formaction', 'href', 'poster', 'src', 'srcset', 'xlink:href'])

/**
 * Everything in a page that is not at rest: elements that are not passive, attributes that run something, addresses that are
 * neither of this page, nor below its data root, nor data of a picture. Reads it as the tokenizer of a browser does.
 */
export function activeContent(page: string): string[] {
  const found: string[] = []
  for (const { name, attributes } of tagsOf(page)) {
    if (!passive.has(name) && name !== '!doctype') found.push(`<${name}>`)
    for (const [attribute, value] of attributes) {
      if (attribute.startsWith('on') || attribute === 'srcdoc') found.push(`<${name} ${attribute}>`)
      if (addresses.has(attribute) && !isHarmless(value)) found.push(`<${name} ${attribute}="${value}">`)
      if (/[<>"'`=]/.test(attribute)) found.push(`<${name} ${attribute}>`)
      if (attribute === 'style' && /url|expression|import/i.test(value)) found.push(`<${name} style="${value}">`)
    }
  }
  return found
}

/** The text of a page as a reader sees it. */
export function textOf(page: string): string {
  const body = page.slice(page.indexOf('<body'))
  return decode(body.replaceAll(/<[^>]*>/g, ''))
}

function isHarmless(value: string): boolean {
  // What a browser leaves out of an address before it looks at it.
  const address = [...value].filter((character) => character > ' ').join('')
  return /^(#|\.\.\/\.\.\/|data:image\/png;|data:,$|[\w-]+(\.[\w-]+)+$)/.test(address)
}

interface Tag {
  name: string
  attributes: [string, string][]
}

/** Opening tags. The text of `style` is no markup. */
function tagsOf(page: string): Tag[] {
  const tags: Tag[] = []
  const opening = /<([a-z!][^\s/>]*)((?:[^"'>]|"[^"]*"|'[^']*')*)>/gi
  for (let match = opening.exec(page); match !== null; match = opening.exec(page)) {
    const name = match[1].toLowerCase()
    const attributes = [...match[2].matchAll(/([^\s"'>/=]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?/g)].map(
      ([, attribute, double, single, bare]): [string, string] => [
        attribute.toLowerCase(),
        decode(double ?? single ?? bare ?? ''),
      ],
    )
    tags.push({ name, attributes })
    if (name === 'style') opening.lastIndex = page.indexOf('</style', opening.lastIndex)
  }
  return tags
}

function decode(text: string): string {
  const named: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"' }
  return text.replaceAll(/&(?:#(\d+)|(\w+));/g, (whole, code: string | undefined, name: string | undefined) =>
    code === undefined ? (named[name ?? ''] ?? whole) : String.fromCodePoint(Number(code)),
  )
}
