import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const python = process.env['CONTIMG_PYTHON'] ?? '/usr/bin/python3'

/** What must be importable or on PATH for each oracle. */
const probes: Record<string, [string, string[]]> = {
  casacore: [python, ['-c', 'import casacore.tables, numpy']],
  astropy: [python, ['-c', 'import astropy.wcs, numpy']],
  h5py: [python, ['-c', 'import h5py, numpy']],
  wsclean: ['wsclean', ['-version']],
  fitsverify: ['fitsverify', ['-h']],
}

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
  return missing.length === 0 ? false : `oracle not installed: ${missing.join(', ')}`
}

/** For tests on the sample observations: false when `CONTIMG_SAMPLES` names their folder, else the reason to skip. */
export function needsSamples(): string | false {
  return process.env['CONTIMG_SAMPLES'] ? false : 'CONTIMG_SAMPLES is not set'
}

/** Runs a Python script of this folder and returns its standard output parsed as JSON. */
export function runPython(script: string, args: readonly string[] = []): unknown {
  const path = fileURLToPath(new URL(script, import.meta.url))
  const result = spawnSync(python, [path, ...args], {
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
    env: { ...process.env, OPENBLAS_NUM_THREADS: '1' },
  })
  if (result.status !== 0) throw new Error(`${script} failed: ${result.stderr.slice(-2000)}`)
  return JSON.parse(result.stdout)
}
