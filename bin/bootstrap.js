// Plain JavaScript for any Node from 20: makes the checkout runnable and hands over to the bundled Node 24.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readFileSync, realpathSync } from 'node:fs'
import { constants } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

export const root = fileURLToPath(new URL('..', import.meta.url))
const EXIT_ENVIRONMENT = 2
const NEEDED_MAJOR = 24

/** Installs what is missing, or says what to install and ends with code 2 when it may not or cannot. */
export function bootstrap({ wsclean = false } = {}) {
  const missing = []
  if (!modulesCurrent()) missing.push({ what: 'npm packages', commands: [['npm', ['ci', '--loglevel=error']]] })
  if (wsclean && !onPath('wsclean')) missing.push({ what: 'WSClean', commands: aptCommands('wsclean') })
  if (missing.length === 0) return
  const manual = missing.filter(({ commands }) => commands === undefined)
  if (process.env.CONTIMG_NO_INSTALL === '1' || manual.length > 0) {
    for (const { what, commands } of missing) {
      const how = commands?.map(([file, args]) => [file, ...args].join(' ')).join(' && ')
      say(
        `${what} missing: ${how ?? 'install WSClean 3.1 or newer and put `wsclean` on PATH (https://wsclean.readthedocs.io)'}`,
      )
    }
    process.exit(EXIT_ENVIRONMENT)
  }
  for (const { what, commands } of missing) for (const [file, args] of commands) install(what, file, args)
}

/**
 * Runs a script of this checkout on Node 24 with the terminal of this process, and ends with its exit code: in this
 * process where that is the Node that is meant. Else a script that is `tied` gets a pipe as descriptor 3, nothing is ever written
 * to it, whose end tells it that this process has been killed.
 */
export async function handOver(script, args, { tied = false } = {}) {
  const [binary, path] = [nodeBinary(), join(root, script)]
  if (realpathSync(binary) === realpathSync(process.execPath)) {
    process.argv = [process.execPath, path, ...args]
    await import(pathToFileURL(path).href)
    return
  }
  const child = spawn(binary, [path, ...args], {
    stdio: ['inherit', 'inherit', 'inherit', ...(tied ? ['pipe'] : [])],
    env: tied ? { ...process.env, CONTIMG_LAUNCHER_FD: '3' } : process.env,
  })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('error', (error) => fail(`cannot start ${script}: ${error.message}`))
  child.on('exit', (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)))
}

/** Runs a command to its end on the terminal of this process; returns its exit code. */
export function run(file, args, options = {}) {
  const result = spawnSync(file, args, { stdio: 'inherit', cwd: root, ...options })
  if (result.error) fail(`cannot start ${file}: ${result.error.message}`)
  return result.status ?? 128 + (constants.signals[result.signal] ?? 0)
}

/** The Node 24 of node_modules, else this one where it is new enough (container images install without it). */
export function nodeBinary() {
  const bundled = join(root, 'node_modules/node/bin/node')
  if (existsSync(bundled)) return bundled
  if (Number(process.versions.node.split('.')[0]) >= NEEDED_MAJOR) return process.execPath
  return fail(`contimg needs Node ${NEEDED_MAJOR}; this is ${process.version} and node_modules has none: run npm ci`)
}

export function onPath(program) {
  return spawnSync('sh', ['-c', `command -v ${program}`], { stdio: 'ignore' }).status === 0
}

export function say(text) {
  process.stderr.write(`${text}\n`)
}

export function fail(text) {
  say(`contimg: ${text}`)
  process.exit(EXIT_ENVIRONMENT)
}

/** Whether node_modules holds every package of the lockfile in its version (npm keeps a copy of what it installed). */
function modulesCurrent() {
  const installed = readLock('node_modules/.package-lock.json')
  if (installed === undefined) return false
  const development = 'node_modules/typescript' in installed
  return Object.entries(readLock('package-lock.json') ?? {}).every(
    ([path, { version, optional, dev }]) =>
      path === '' || optional || (dev && !development) || installed[path]?.version === version,
  )
}

function readLock(path) {
  try {
    return JSON.parse(readFileSync(join(root, path), 'utf8')).packages
  } catch {
    return undefined
  }
}

function aptCommands(name) {
  if (!onPath('apt-get')) return undefined
  const prefix = process.getuid() === 0 ? [] : ['sudo']
  if (prefix.length > 0 && !onPath('sudo')) return undefined
  const command = (...args) => {
    const [file, ...rest] = [...prefix, 'apt-get', ...args]
    return [file, rest]
  }
  return [command('update'), command('install', '--yes', '--no-install-recommends', name)]
}

function install(what, file, args) {
  say(`contimg: installing ${what}: ${[file, ...args].join(' ')}`)
  // Standard output is the answer of the command that bootstraps; what installers print belongs to standard error.
  const status = run(file, args, {
    stdio: ['ignore', 2, 2],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  })
  if (status !== 0) fail(`could not install ${what}: "${[file, ...args].join(' ')}" ended with exit code ${status}`)
}
