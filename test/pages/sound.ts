// What holds of every page, found out in a browser.
import assert from 'node:assert/strict'
import { openBrowser, type View } from './chromium.ts'

const views: readonly Required<Omit<View, 'height'>>[] = [
  { width: 1280, scheme: 'light' },
  { width: 390, scheme: 'dark' },
]

/**
 * Opens a page wide and light, narrow and dark, and asserts that axe-core finds nothing, that its console is silent, that
 * it asks for no more than the pictures named, that nothing sticks out, that the keyboard reaches everything, that it prints.
 */
export async function assertSound(path: string, { pictures = /^$/ }: { pictures?: RegExp } = {}): Promise<void> {
  const browser = await openBrowser()
  try {
    for (const view of views) {
      const page = await browser.open(path, view)
      const where = `at ${view.width} px, ${view.scheme}`
      await page.evaluate(`document.querySelectorAll('details').forEach((details) => { details.open = true })`)
      assert.deepEqual(await page.axe(), [], `axe-core ${where}`)
      const [content, visible] = await page.evaluate<[number, number]>(
        `[document.documentElement.scrollWidth, document.documentElement.clientWidth]`,
      )
      assert.ok(content <= visible, `the page is ${content} px wide ${where}`)
      assert.deepEqual(await page.evaluate(tinyText), [], `text too small to read ${where}`)
      if (view.width > 1000) await assertKeyboard(page)
      assert.deepEqual(
        page.requests().filter((address) => !pictures.test(address)),
        [],
      )
      assert.deepEqual(page.complaints(), [], `console ${where}`)
      if (view.width > 1000) assert.equal((await page.pdf()).subarray(0, 5).toString(), '%PDF-')
      await page.close()
    }
  } finally {
    await browser.close()
  }
}

/** Texts that are drawn with less than 9 px in what the reader sees without scrolling sideways. */
const tinyText = `[...document.querySelectorAll('svg text, p, td, th, dd, dt, li, figcaption')].flatMap((element) => {
  const svg = element.closest('svg')
  const scale = svg === null ? 1 : svg.getBoundingClientRect().width / svg.viewBox.baseVal.width
  const size = parseFloat(getComputedStyle(element).fontSize) * scale
  return element.textContent.trim() !== '' && size < 9 ? [element.textContent.trim().slice(0, 30) + ': ' + size.toFixed(1) + ' px'] : []
}).slice(0, 5)`

async function assertKeyboard(
  page: Awaited<ReturnType<Awaited<ReturnType<typeof openBrowser>>['open']>>,
): Promise<void> {
  await page.press('Tab')
  assert.equal(
    await page.evaluate(`document.activeElement.getAttribute('href')`),
    '#main',
    'the first stop skips to the content',
  )
  await page.press('Enter')
  assert.equal(await page.evaluate(`document.activeElement.id`), 'main')
  const links = await page.evaluate<number>(
    `document.querySelectorAll('main a[href], main summary, main [tabindex="0"]').length`,
  )
  const stops = new Set<string>()
  for (let press = 0; press < Math.min(links, 40); press++) {
    await page.press('Tab')
    const [name, outline] = await page.evaluate<[string, number]>(`(() => {
      const all = [...document.querySelectorAll('a, summary, [tabindex="0"]')]
      const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement)
      return [String(all.indexOf(document.activeElement)), outlineStyle === 'none' ? 0 : parseFloat(outlineWidth)]
    })()`)
    stops.add(name)
    assert.ok(outline >= 1, `the keyboard's place is seen at stop ${press + 1}`)
  }
  assert.equal(stops.size, Math.min(links, 40), 'every stop is another one')
}
