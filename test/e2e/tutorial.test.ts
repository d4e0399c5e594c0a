// The tutorial, line by line, with the real stages.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { commandBlocks, OWN_DATA, runLine } from '../command-lines.ts'
import { needs } from '../oracles/oracle.ts'

const page = fileURLToPath(new URL('../../docs/tutorial.md', import.meta.url))

describe('the tutorial, from simulated raw files to the report', { skip: needs('wsclean') }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'contimg-tutorial-'))
  after(() => rmSync(folder, { recursive: true, force: true }))
  const lines = commandBlocks(page).flatMap((block) => (block.heading === OWN_DATA ? [] : block.lines))
  for (const line of lines) {
    test(line, async () => {
      const { exitCode, out, err } = await runLine(line, folder, { science: true })
      // The machine that runs the tests may lack room for a full observation.
      const codes = /doctor/.test(line) ? [0, 2] : [0]
      assert.ok(codes.includes(exitCode), `exit code ${exitCode}\n${out}${err}`)
      if (/--name first-light/.test(line)) assert.match(out, /^first-light {2}done .*verdict good\n/s)
      if (line.endsWith('--name quick'))
        assert.match(out, /^quick {2}done .*2 steps run, 2 reused.*verdict uncertain\n/s)
      if (line.startsWith('contimg scan')) assert.match(out, / complete\n/)
      if (/^contimg plan .*quicklook/.test(line))
        assert.match(out, /calibration .* reuse .*\n.* params\.preset standard -> quicklook\n/)
    })
  }
})
