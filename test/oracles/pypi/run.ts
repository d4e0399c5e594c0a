// npm run test:oracle [-- <file or folder>...]: makes the virtual environment of the oracles from PyPI where it is not
// there yet, outside the checkout, then runs their tests.
import { spawnSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { COMPLETE, environmentFolder, environmentPython, requirementsPath } from './environment.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))
/** The pinned packages have wheels for these. */
const PYTHONS = ['python3.11', 'python3.12', 'python3.13', 'python3']
const SUPPORTED = 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))'
/** How pip says that it could not reach an index; any other failure of pip is one of ours. */
const NO_NETWORK =
  /NewConnectionError|ConnectTimeout|NameResolutionError|ProxyError|Max retries exceeded|unreachable|from versions: none/

const made = makeEnvironment()
if (made === 'failed') process.exit(1)
if (made !== 'ready') say(`skipped: ${made}; the tests that need the environment are listed as skipped`)
const wanted = process.argv.slice(2)
const { status } = spawnSync(
  process.execPath,
  [join(root, 'test/run.ts'), ...(wanted.length > 0 ? wanted : ['test/oracles/pypi'])],
  { cwd: root, stdio: 'inherit' },
)
process.exit(status ?? 1)

/** 'ready', 'failed', or why there can be none on this machine. */
function makeEnvironment(): string {
  const folder = environmentFolder()
  if (environmentPython() !== undefined) {
    say(`environment: ${folder}`)
    return 'ready'
  }
  const python = PYTHONS.find((name) => spawnSync(name, ['-c', SUPPORTED], { stdio: 'ignore' }).status === 0)
  if (python === undefined) return 'no Python 3.11 to 3.13 with venv on PATH'
  say(`making ${folder} with ${python}`)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const steps: [string, string[]][] = [
    [python, ['-m', 'venv', folder]],
    [join(folder, 'bin/python'), ['-m', 'pip', 'install', '--only-binary', ':all:', '-r', requirementsPath]],
  ]
  for (const [file, args] of steps) {
    const { status: code, stdout, stderr, error } = spawnSync(file, args, { encoding: 'utf8' })
    if (code === 0) continue
    rmSync(folder, { recursive: true, force: true })
    const output = `${stdout}${stderr}`
    if (NO_NETWORK.test(output)) return 'no package index can be reached'
    say(`${[file, ...args].join(' ')} failed: ${error?.message ?? output.slice(-2000)}`)
    return 'failed'
  }
  writeFileSync(join(folder, COMPLETE), '')
  return 'ready'
}

function say(text: string): void {
  process.stderr.write(`test:oracle: ${text}\n`)
}
