import { html, type Html } from '#runtime/page/html.ts'

/** From `runs/<name>/report.html` to the data root. */
const UP = '../..'

/** The address of something below the data root, from a run's page. */
export function addressOf(path: string): string {
  return `${UP}/${encodeURI(path.toWellFormed()).replaceAll('#', '%23').replaceAll('?', '%3F')}`
}

/** A link to something below the data root; `about` completes the text for those who hear it out of its row. */
export function linkTo(path: string, text: string, about: string): Html {
  return html`<a href="${addressOf(path)}" aria-label="${`${text} of ${about}`}">${text}</a>`
}
