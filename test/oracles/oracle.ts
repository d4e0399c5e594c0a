import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { environmentPython } from './pypi/environment.ts'

const python = process.env['CONTIMG_PYTHON'] ?? '/usr/bin/python3'
/** The Python of the environment that `npm run test:oracle` makes; a name that no program has while there is none. */
const pypiPython = environmentPython() ?? 'contimg-oracles-python'

/** What must be importable or on PATH for each oracle. */
const probes: Record<string, [string, string[]]> = {
  casacore: [python, ['-c', 'import casacore.tables, numpy']],
  astropy: [python, ['-c', 'import astropy.wcs, numpy']],
  h5py: [python, ['-c', 'import h5py, numpy']],
  wsclean: ['wsclean', ['-version']],
  fitsverify: ['fitsverify', ['-h']],
  pyuvdata: [pypiPython, ['-c', 'import pyuvdata, casacore.tables']],
}

/** How to get an oracle that is not there. */
const hints: Record<string, string> = { pyuvdata: ' (npm run test:oracle installs it)' }

export const oracleNames = Object.keys(probes)

const found = new Map<string, boolean>()

/** Whether an oracle can be used on this machine. */
export function hasOracle(name: string): boolean {
  const probe = probes[name]
  if (probe === undefined) throw new Error(`unknown oracle ${name}`)
  if (!found.has(name)) {
    const result = spawnSync(probe[0], probe[1], {
      stdio: 'ignore',
      env: { ...process.env, OPENBLAS_NUM_THREADS: '1' },
    })
    found.set(name, result.error === undefined && (result.status === 0 || name === 'fitsverify'))
  }
  return found.get(name) === true
}

/** For `test(name, { skip: needs('casacore') }, ...)`: false when all are there, else the reason for the skip. */
export function needs(...names: string[]): string | false {
  const missing = names.filter((name) => !hasOracle(name))
  return missing.length === 0
    ? false
    : `oracle not installed: ${missing.map((name) => name + (hints[name] ?? '')).join(', ')}`
}

/** For tests on the sample observations: false when `CONTIMG_SAMPLES` names their folder, else the reason to skip. */
export function needsSamples(): string | false {
  return process.env['CONTIMG_SAMPLES'] ? false : 'CONTIMG_SAMPLES is not set'
}

/** Runs a Python script of this folder, one of `pypi/` in its own environment; its standard output parsed as JSON. */
export function runPython(script: string, args: readonly string[] = []): unknown {
  const path = fileURLToPath(new URL(script, import.meta.url))
  const result = spawnSync(script.startsWith('pypi/') ? pypiPython : python, [path, ...args], {
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
    env: { ...process.env, OPENBLAS_NUM_THREADS: '1', PYTHONWARNINGS: 'ignore' },
  })
  if (result.status !== 0) throw new Error(`${script} failed: ${result.stderr.slice(-2000)}`)
  return JSON.parse(result.stdout)
}
