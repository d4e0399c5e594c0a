// node test/fuzz/main.ts [--count 1000000] [--seed 1] [--target NAME]... [--jobs 1] [--keep FOLDER]
// Shares damaged inputs among the parsers that meet bytes from outside, or gives those named their part of them; exit 1
// when one of them fails.
import { parseArgs } from 'node:util'
import { fuzz } from './run.ts'
import { targets } from './targets.ts'

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: '1' },
    target: { type: 'string', multiple: true, default: Object.keys(targets) },
    jobs: { type: 'string', default: '1' },
    keep: { type: 'string' },
  },
})
const chosen = values.target
const waiting = chosen.map((name) => ({ name, count: Math.round((Number(values.count) * targets[name].share) / 1000) }))
let failed = false
await Promise.all(Array.from({ length: Number(values.jobs) }, work))
process.exitCode = failed ? 1 : 0

async function work(): Promise<void> {
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    const started = performance.now()
    const { failures, ...result } = await fuzz(next.name, next.count, values.seed, {
      log: (line) => console.error(line),
      ...(values.keep === undefined ? {} : { keepIn: values.keep }),
    })
    failed ||= failures.length > 0
    const seconds = (performance.now() - started) / 1000
    console.log(JSON.stringify({ target: next.name, ...result, failures: failures.length, seconds }))
  }
}
