import assert from 'node:assert/strict'
import { globSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { stageNames } from '#runtime/stage/contract.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const files = globSync(['stages/**/*.ts', 'orchestrator/**/*.ts'], { cwd: root }).sort()

interface Import {
  file: string
  target: string
  typeOnly: boolean
}

const imports: Import[] = files.flatMap((file) => {
  const text = readFileSync(join(root, file), 'utf8')
  const pattern =
    /^\s*(?:import|export)\s+(type\s+)?[^'"]*?from\s+'([^']+)'|^\s*import\s+'([^']+)'|\bimport\('([^']+)'\)/gm
  return [...text.matchAll(pattern)].map(([, type, from, bare, dynamic]) => ({
    file,
    target: resolveTarget(file, from ?? bare ?? dynamic),
    typeOnly: type !== undefined,
  }))
})

function resolveTarget(file: string, specifier: string): string {
  if (specifier.startsWith('#runtime/')) return specifier.replace('#runtime/', 'stages/runtime/')
  if (specifier.startsWith('.')) return normalize(join(dirname(file), specifier))
  return specifier
}

/** Fails with every import of files matching `from` whose target matches `to`, but for the excepted. */
function forbid(from: RegExp, to: RegExp, except: (found: Import) => boolean = () => false): void {
  const found = imports.filter((entry) => from.test(entry.file) && to.test(entry.target) && !except(entry))
  assert.deepEqual(
    found.map(({ file, target }) => `${file} -> ${target}`),
    [],
  )
}

test('every folder of stages/ is a registered stage or the runtime', () => {
  const folders = readdirSync(join(root, 'stages'))
  assert.deepEqual(folders.sort(), ['runtime', ...stageNames].sort())
})

test('numeric kernels import nothing but numeric kernels', () => {
  forbid(/^stages\/runtime\/numeric\//, /^(?!stages\/runtime\/numeric\/)/)
})

test('sky maths imports only numeric kernels and sky maths', () => {
  forbid(/^stages\/runtime\/sky\//, /^(?!stages\/runtime\/(numeric|sky)\/)/)
})

test('pages are drawn from nothing but their arguments', () => {
  forbid(/^stages\/runtime\/page\//, /^(?!stages\/runtime\/page\/)/)
})

test('the runtime knows no stage and no orchestrator', () => {
  forbid(/^stages\/runtime\//, /^(orchestrator|stages\/(?!runtime\/))/)
})

test('a stage imports no other stage and nothing of the orchestrator', () => {
  for (const stage of stageNames) {
    forbid(new RegExp(`^stages/${stage}/`), new RegExp(`^(orchestrator/|stages/(?!runtime/|${stage}/))`))
  }
})

test('the orchestrator imports only contracts, the stage runtime and what draws pages of the stages', () => {
  forbid(/^orchestrator\//, /^stages\//, ({ target }) =>
    /^stages\/(runtime\/(stage|page)\/.*|[a-z]+\/contract|conversion\/scan-schema)\.ts$/.test(target),
  )
})

test('nothing the orchestrator loads holds science or formats', () => {
  const seen = new Set<string>()
  const pending = files.filter((file) => file.startsWith('orchestrator/'))
  for (let file = pending.pop(); file !== undefined; file = pending.pop()) {
    if (seen.has(file)) continue
    seen.add(file)
    pending.push(...imports.filter((entry) => entry.file === file && !entry.typeOnly).map(({ target }) => target))
  }
  const science = [...seen].filter((file) => /^stages\/runtime\/(formats|sky|numeric)\/|^h5wasm/.test(file))
  assert.deepEqual(science, [])
})

test('HDF5 and image codecs live in formats only', () => {
  forbid(/^(?!stages\/runtime\/formats\/)/, /^(h5wasm|fast-png)/)
})

test('the command-line library lives in cli and main only', () => {
  forbid(/^(?!orchestrator\/(cli\/|main\.ts))/, /^commander$/)
})

test('child processes are started by exec.ts and the local executor only', () => {
  forbid(/^(?!stages\/runtime\/stage\/exec\.ts|orchestrator\/executors\/local\/)/, /^(node:child_process|execa)$/)
})

test('pure rooms import no file system, process, client or clock', () => {
  const pure = /^(stages\/runtime\/(sky|numeric|page)\/|orchestrator\/(pipeline|view)\/)/
  forbid(pure, /^node:(?!util)|^(pino|execa|h5wasm|commander)/, ({ target }) => target === 'node:crypto')
})

test('the environment and the exit code are read and set in mains, the harness and the usage meter only', () => {
  const allowed = /(\/main\.ts|runtime\/stage\/(harness|usage|exec)\.ts|orchestrator\/cli\/environment\.ts)$/
  const found = files.filter((file) => {
    const text = readFileSync(join(root, file), 'utf8')
    return !allowed.test(file) && /process\.(env|exit|exitCode)\b/.test(text)
  })
  assert.deepEqual(found, [])
})

test('pure rooms use no clock and no unseeded random', () => {
  const found = files.filter((file) => {
    if (!/^(stages\/runtime\/(sky|numeric)\/|orchestrator\/pipeline\/)/.test(file)) return false
    return /Math\.random|Date\.now|new Date\(\)|performance\.now/.test(readFileSync(join(root, file), 'utf8'))
  })
  assert.deepEqual(found, [])
})
