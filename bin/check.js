// All that must hold without running the pipeline: lint, format, types, dead code, dependency direction.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { bootstrap, nodeBinary, root, run, say } from './bootstrap.js'

bootstrap()
const tool = (name) => join(root, 'node_modules/.bin', name)
const steps = [
  ['oxlint', tool('oxlint'), ['--type-aware', '--deny-warnings']],
  ['oxfmt', tool('oxfmt'), ['--check', '.']],
  ['tsc', tool('tsc'), ['--project', '.']],
  ['knip', tool('knip'), []],
  ['kernels built from their text', nodeBinary(), ['scripts/build-kernels.ts', '--check']],
  ['generated pages', nodeBinary(), ['scripts/generate-docs.ts', '--check']],
  ['dependency direction', nodeBinary(), ['--test', 'test/architecture.test.ts']],
]
// The tools are scripts with a shebang: the bundled Node comes first for all of them.
const path = `${join(root, 'node_modules/.bin')}:${process.env.PATH}`
let failed = false
for (const [name, file, args] of steps) {
  say(`\n== ${name}`)
  if (!existsSync(file) || run(file, args, { env: { ...process.env, PATH: path } }) !== 0) {
    say(`check: ${name} failed`)
    failed = true
  }
}
process.exit(failed ? 1 : 0)
