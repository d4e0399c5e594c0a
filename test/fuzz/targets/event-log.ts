import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { foldEvents } from '../../../orchestrator/pipeline/state.ts'
import { buildReport } from '../../../orchestrator/report/model.ts'
import { reportPage } from '../../../orchestrator/report/page.ts'
import { findRun, readRun } from '../../../orchestrator/runs/run-directory.ts'
import { openEventLog, readEvents } from '../../../orchestrator/runs/event-log.ts'
import { runDocument } from '../../../orchestrator/view/document.ts'
import { treeLines } from '../../../orchestrator/view/tree.ts'
import { changes, damageJson, damageText, pick } from '../damage.ts'
import { MiB, type FuzzTarget } from '../target.ts'
import { completeRun } from './run-events.ts'

/** Event logs of runs: read, folded, drawn as a tree, a document and a page, and opened for more. */
export const eventLog: FuzzTarget = {
  codes: ['RUN_UNREADABLE', 'RUN_NOT_FOUND'],
  memoryBytes: 64 * MiB,
  prepare(folder) {
    const run = join(folder, 'runs', 'brave-quasar')
    const path = join(run, 'events.ndjson')
    mkdirSync(run, { recursive: true })
    const lines = completeRun('a message').map((event) => JSON.stringify(event))
    return {
      seeds: [{ name: 'run', bytes: Buffer.from(`${lines.join('\n')}\n`) }],
      mutate({ bytes }, random) {
        if (random.int(4) === 0) return damageText(bytes, random, lines)
        const damaged = [...lines]
        for (let change = changes(random); change > 0; change--) {
          const at = random.int(damaged.length)
          try {
            damaged[at] = damageJson(Buffer.from(pick(random, [damaged[at], lines[at]])), random).toString('utf8')
          } catch {
            damaged[at] = lines[random.int(lines.length)]
          }
        }
        return Buffer.from(`${damaged.join('\n')}${random.int(4) === 0 ? '' : '\n'}`)
      },
      async read({ bytes }) {
        writeFileSync(path, bytes)
        const name = await findRun(folder, '@latest')
        const state = await readRun(folder, name)
        treeLines(state, { root: folder, rootFlag: '', wide: true, utf8: true })
        JSON.stringify(runDocument(state, folder))
        reportPage(buildReport({ root: folder, state, events: readEvents(path) }))
        const log = openEventLog(path, () => new Date(0))
        log.append({ type: 'run.note', level: 'info', message: 'more' })
        log.close()
        foldEvents(readEvents(path))
        return true
      },
    }
  },
}
