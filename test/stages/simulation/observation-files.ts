import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { resolveParams } from '../../../stages/simulation/contract.ts'
import { simulateObservation, type SimulationResult } from '../../../stages/simulation/run.ts'
import { decodeGains, type Truth } from '../../../stages/simulation/truth.ts'

/** A folder of its own for a test file; removed by the caller's `after`. */
export function temporaryFolder(): { path: string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), 'contimg-test-'))
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}

/** Parameters of a very small observation: 8 antennas, 4 channels, 3 integrations, 2 subbands. */
export const smallParams = {
  antennas: 8,
  channels: 4,
  integrations: 3,
  subbands: [0, 5],
  sources: 4,
  catalogue: false,
} as const

/** Writes an observation and returns the absolute paths of its files. */
export async function simulate(
  dir: string,
  params: Record<string, unknown> = {},
  cpu = 1,
): Promise<SimulationResult & { paths: string[] }> {
  const result = await simulateObservation(resolveParams({ ...smallParams, ...params }), dir, {
    cpu,
    signal: new AbortController().signal,
    progress: () => undefined,
    nowMs: Date.now,
  })
  return { ...result, paths: result.files.map((file) => join(dir, file)) }
}

/** The truth of an observation with its arrays of (re, im) pairs. */
export function readTruth(dir: string): Truth & { arrays: ReturnType<typeof decodeGains> } {
  const truth = JSON.parse(readFileSync(join(dir, 'truth.json'), 'utf8')) as Truth
  return { ...truth, arrays: decodeGains(truth, readFileSync(join(dir, 'truth-gains.bin'))) }
}

/** The UVH5 files of a folder, sorted by subband. */
export function uvh5Files(dir: string): string[] {
  return readdirSync(dir)
    .filter((name) => name.endsWith('.hdf5'))
    .sort((a, b) => a.slice(-9).localeCompare(b.slice(-9)))
    .map((name) => join(dir, name))
}
