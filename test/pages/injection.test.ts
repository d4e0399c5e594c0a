// Names, headers, histories and lines of logs come from outside: in a page they are text, whatever they hold.
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { foldEvents } from '../../orchestrator/pipeline/state.ts'
import { buildReport } from '../../orchestrator/report/model.ts'
import { reportPage } from '../../orchestrator/report/page.ts'
import { completeRun } from '../fuzz/targets/run-events.ts'
import { needsChromium, openBrowser } from './chromium.ts'
import { activeContent, textOf } from './markup.ts'

const attacks = [
  '<script>window.broken = 1</script>',
  '</title><script>window.broken = 1</script>',
  '</style><script>window.broken = 1</script>',
  '</svg><script>window.broken = 1</script>',
  '<svg onload=window.broken=1>',
  '<img src=x onerror=window.broken=1>',
  '" onload="window.broken=1" x="',
  "' onmouseover='window.broken=1' autofocus onfocus='window.broken=1",
  '"><iframe srcdoc="<script>parent.broken=1</script>">',
  'javascript:window.broken=1',
  ' \u0001java\nscript:window.broken=1',
  '--><script>window.broken = 1</script><!--',
  ']]><script>window.broken = 1</script>',
  '&lt;script&gt;window.broken = 1&lt;/script&gt;',
  '&#60;script&#62;',
  '\u001b]0;title\u0007\u001b[31m<b>',
]

function pageOf(text: string): string {
  const events = completeRun(text)
  const state = foldEvents(events)
  for (const { steps } of state.observations) {
    for (const { product } of steps) {
      if (product !== undefined) for (const name of Object.keys(product.outputs)) product.outputs[name] = text
    }
  }
  return reportPage(
    buildReport({
      root: `/data/${text}`,
      state,
      events,
      config: { run: { name: text, imaging: { preset: text, [text]: text } }, defaults: { imaging: { preset: null } } },
    }),
  )
}

for (const attack of attacks) {
  test(`${JSON.stringify(attack)} is text in the page of a run`, () => {
    const page = pageOf(attack)
    assert.deepEqual(activeContent(page), [])
    const plain = (text: string): string => text.replaceAll(/[^\u0020-\uD7FF]+|\s+/g, ' ').trim()
    assert.ok(plain(textOf(page)).includes(plain(attack).slice(0, 20)), 'it is not shown')
  })
}

test('what finds active content in a page finds it', () => {
  assert.deepEqual(
    activeContent('<p>a<script>b</script><img src="http://x" onerror=c><a href=" java\nscript:d">e</a>'),
    ['<script>', '<img src="http://x">', '<img onerror>', '<a href=" java\nscript:d">'],
  )
  assert.deepEqual(activeContent('<!doctype html><style>a < b</style><p title="<script>">&lt;script&gt;</p>'), [])
})

test('a browser makes nothing of them but text', { skip: needsChromium() }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'contimg-injection-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  mkdirSync(join(folder, 'runs', 'x'), { recursive: true })
  const path = join(folder, 'runs', 'x', 'report.html')
  // Without its policy, which would hold back what got through.
  writeFileSync(path, pageOf(attacks.join(' ')).replace(/<meta\s+http-equiv[^>]*>/, ''))
  const browser = await openBrowser()
  try {
    const page = await browser.open(path, { width: 1280 })
    const found = await page.evaluate<unknown>(`({
      broken: window.broken === undefined ? 'no' : 'yes',
      active: document.querySelectorAll('script, iframe, object, embed, form, base').length,
      handlers: [...document.querySelectorAll('*')].flatMap((element) => element.getAttributeNames().filter((name) => name.startsWith('on'))),
      addresses: [...document.querySelectorAll('a')].map((link) => link.protocol).filter((protocol) => protocol !== 'file:'),
    })`)
    assert.deepEqual(found, { broken: 'no', active: 0, handlers: [], addresses: [] })
  } finally {
    await browser.close()
  }
})
