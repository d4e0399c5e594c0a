import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { readdirSync } from 'node:fs'
import { fingerprint } from '#runtime/formats/uvh5/fingerprint.ts'
import type { Run, StageContract, StageInput, StageOutcome, StageRun } from '#runtime/stage/contract.ts'
import { calibration } from '../../../stages/calibration/contract.ts'
import { run as runCalibration } from '../../../stages/calibration/run.ts'
import { conversion } from '../../../stages/conversion/contract.ts'
import { run as runConversion } from '../../../stages/conversion/run.ts'

/** A folder that is gone after the test. */
export function scratch(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'contimg-calibration-'))
  t.after(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

export interface StageOptions {
  params?: Record<string, unknown>
  inputs: Record<string, StageInput | StageInput[]>
  outputDir: string
  cpu?: number
  memoryBytes?: number
  observation?: string
  signal?: AbortSignal
}

export interface Ran<C extends StageContract> extends StageOutcome<C> {
  warnings: string[]
}

/** Runs a stage in this process as the harness would, without context file and commit. */
async function runStage<C extends StageContract>(contract: C, run: Run<C>, options: StageOptions): Promise<Ran<C>> {
  const warnings: string[] = []
  const stage = {
    params: contract.params.parse(options.params ?? {}),
    inputs: options.inputs,
    upstream: {},
    observation: options.observation ?? '20260306T021949',
    key: 'ab'.repeat(32),
    outputDir: options.outputDir,
    scratchDir: options.outputDir,
    resources: { cpu: options.cpu ?? 2, memoryBytes: options.memoryBytes ?? 4e9, scratchBytes: 4e9 },
    signal: options.signal ?? new AbortController().signal,
    log: { debug: () => {}, info: () => {}, warn: () => {} },
    progress: () => {},
    phase: async <T>(_name: string, work: () => Promise<T> | T): Promise<T> => work(),
    warn: (message: string) => warnings.push(message),
  }
  return { ...(await run(stage as unknown as StageRun<C>)), warnings }
}

/** Converts every raw file of a folder; returns the input that calibration takes. */
export async function convertFolder(
  folder: string,
  outputDir: string,
  expect: { subbands: number[]; integrations: number },
): Promise<StageInput> {
  const names = readdirSync(folder).filter((name) => name.endsWith('.hdf5'))
  const raw = await Promise.all(
    names.map(async (name) => ({
      path: join(folder, name),
      kind: 'uvh5',
      bytes: 0,
      fingerprint: await fingerprint(join(folder, name)),
    })),
  )
  const table = new URL('../../../stages/runtime/sky/earth-orientation.json', import.meta.url).pathname
  const earthOrientation = { path: table, kind: 'earth-orientation', bytes: 0 }
  await runStage(conversion, runConversion, { params: { expect }, inputs: { raw, earthOrientation }, outputDir })
  return { path: join(outputDir, 'measurement-set'), kind: 'measurement-set', bytes: 0, sha256: 'c'.repeat(64) }
}

export function calibrate(options: StageOptions): Promise<Ran<typeof calibration>> {
  return runStage(calibration, runCalibration, options)
}
