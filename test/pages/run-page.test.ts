// The page of a run, as a reader opens it: from a disk, in a browser.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { encodePng } from '#runtime/formats/png.ts'
import { foldEvents } from '../../orchestrator/pipeline/state.ts'
import { buildReport } from '../../orchestrator/report/model.ts'
import { reportPage } from '../../orchestrator/report/page.ts'
import { campaignEvents } from './campaign.ts'
import { needsChromium } from './chromium.ts'
import { assertSound } from './sound.ts'

test(
  'the page of an interrupted and continued run with hostile texts is sound',
  { skip: needsChromium() },
  async (t) => {
    const root = mkdtempSync(join(tmpdir(), 'contimg-page-'))
    t.after(() => rmSync(root, { recursive: true, force: true }))
    const events = campaignEvents({
      observations: 12,
      interrupted: true,
      text: ` <script>alert(1)</script><img src=x onerror=alert(2)> "'&`,
    })
    const report = buildReport({
      root,
      state: foldEvents(events),
      events,
      config: {
        run: { imaging: { preset: 'standard', sizePixels: 2400 } },
        defaults: { imaging: { preset: 'standard', sizePixels: null } },
      },
    })
    const picture = encodePng({ width: 2, height: 2, grey: Uint8Array.of(0, 90, 180, 255) })
    for (const { outputs } of report.observations) {
      if (outputs['quicklook'] === undefined) continue
      mkdirSync(dirname(join(root, outputs['quicklook'])), { recursive: true })
      writeFileSync(join(root, outputs['quicklook']), picture)
    }
    const path = join(root, 'runs', 'brave-quasar', 'report.html')
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, reportPage(report))
    await assertSound(path, { pictures: /^file:.*\/quicklook\.png$/ })
  },
)
