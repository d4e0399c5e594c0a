// npm test [-- <file or folder>...]: says which oracles it found, then runs the test files.
import { spawnSync } from 'node:child_process'
import { existsSync, globSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { hasOracle, needsSamples, oracleNames } from './oracles/oracle.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const wanted = process.argv.slice(2)

const found = oracleNames.filter((name) => hasOracle(name))
const missing = oracleNames.filter((name) => !hasOracle(name))
console.log(`oracles found: ${found.join(', ') || 'none'}`)
console.log(`oracles missing, their tests are skipped: ${missing.join(', ') || 'none'}`)
console.log(`sample observations: ${needsSamples() || process.env['CONTIMG_SAMPLES']}`)

const absent = wanted.find((path) => !existsSync(join(root, path)))
if (absent !== undefined) {
  console.error(`there is no test file or folder ${absent}`)
  process.exit(2)
}
const files = (wanted.length === 0 ? ['test'] : wanted).flatMap((path) =>
  statSync(join(root, path)).isDirectory() ? globSync(`${path}/**/*.test.ts`, { cwd: root }) : [path],
)
const { status } = spawnSync(process.execPath, ['--test', '--test-concurrency=2', ...files.sort()], {
  cwd: root,
  stdio: 'inherit',
  // The tests start many stages: without it each compiles its modules anew.
  env: { ...process.env, NODE_COMPILE_CACHE: join(root, 'node_modules/.cache/contimg') },
})
process.exit(status ?? 1)
