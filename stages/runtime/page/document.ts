import { html, type Html } from './html.ts'
import { baseStyle } from './style.ts'

export interface PageSection {
  /** Unique in the page; the navigation leads there. */
  id: string
  title: string
  body: Html
}

export interface PageSpec {
  title: string
  /** Styles of this page besides those that all pages share. */
  style: string
  /** Where pictures may come from besides the page itself, as sources of a content security policy. */
  pictures?: string
  /** Above the navigation: heading, verdict, facts. */
  banner: Html
  sections: readonly PageSection[]
  footer: Html
}

/** A whole page: one file, no script, nothing from a network. */
export function pageDocument({ title, style, pictures, banner, sections, footer }: PageSpec): string {
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta
          http-equiv="Content-Security-Policy"
          content="default-src 'none'; img-src data: ${pictures}; style-src 'unsafe-inline'"
        />
        <link rel="icon" href="data:," />
        <title>${title}</title>
        <style>
          ${{ markup: baseStyle + style }}
        </style>
      </head>
      <body>
        <a class="skip" href="#main">Skip to the content</a>
        <header class="banner">
          ${banner}
          <nav aria-label="Sections">
            <ul>
              ${sections.map((section) => html`<li><a href="#${section.id}">${section.title}</a></li>`)}
            </ul>
          </nav>
        </header>
        <main id="main" tabindex="-1">
          ${sections.map(
            ({ id, title: heading, body }) =>
              html`<section id="${id}" aria-labelledby="${id}-h">
                <h2 id="${id}-h">${heading}</h2>
                ${body}
              </section> `,
          )}
        </main>
        <footer>${footer}</footer>
      </body>
    </html> `
  // The indentation of the templates is for the reader of the code.
  return page.markup.replaceAll(/\n\s+/g, '\n')
}

/** A term with its value in a `dl.facts`; nothing for what is not known. */
export function fact(term: string, value: string | Html | undefined): Html | false {
  return (
    value !== undefined &&
    html`<div>
      <dt>${term}</dt>
      <dd>${value}</dd>
    </div>`
  )
}

/** A table that scrolls sideways by itself where the page is too narrow, also by keyboard. */
export function scrollTable(label: string, table: Html): Html {
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${`Table: ${label}`}">${table}</div>`
}

/** The caption of a table: it stays in sight and no wider than the screen where the table scrolls. */
export function caption(...text: readonly (string | Html)[]): Html {
  return html`<caption>
    <span>${text}</span>
  </caption>`
}
