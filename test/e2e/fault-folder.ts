import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { LOG_FILE } from '#runtime/stage/checksums.ts'
import { commitAttempt, createAttempt, describeOutputs } from '#runtime/stage/commit.ts'
import { apiVersion, type StageContext, type StageResult } from '#runtime/stage/contract.ts'
import { errorData, toStageError } from '#runtime/stage/errors.ts'
import type { AttemptHandle, Executor } from '../../orchestrator/executors/executor.ts'
import { earthOrientationAsset } from '../../orchestrator/executors/local/preflight.ts'
import { parseConfig } from '../../orchestrator/pipeline/config.ts'
import type { RunEvent } from '../../orchestrator/pipeline/events.ts'
import { problemOf } from '../../orchestrator/pipeline/problem.ts'
import type { ObservationState, RunState } from '../../orchestrator/pipeline/state.ts'
import { applyQuarantine } from '../../orchestrator/runs/quarantine.ts'
import { runSession } from '../../orchestrator/runs/session.ts'
import { conversion, conversionParams } from '../../stages/conversion/contract.ts'
import { scanFolder } from '../../stages/conversion/scan.ts'
import { resolveParams } from '../../stages/simulation/contract.ts'
import { simulateObservation } from '../../stages/simulation/run.ts'
import { convert, earthOrientation } from '../stages/conversion/raw-observation.ts'
import { MIN_SUBBANDS, smallObservation, type FaultCase } from './fault-cases.ts'

const subbands = smallObservation.subbands
const { integrations } = smallObservation

/** Writes the files of a case, at a start of its own, into a folder that may hold others. */
export async function makeFault(
  { faults, set }: Pick<FaultCase, 'faults' | 'set'>,
  { folder, startUtc }: { folder: string; startUtc: string },
): Promise<string[]> {
  const own = join(folder, '.making')
  await simulateObservation(resolveParams({ ...smallObservation, ...set, startUtc, faults }), own, {
    cpu: 1,
    signal: new AbortController().signal,
    progress: () => undefined,
    nowMs: Date.now,
  })
  const files = readdirSync(own).filter((name) => name.endsWith('.hdf5'))
  for (const name of files) renameSync(join(own, name), join(folder, name))
  rmSync(own, { recursive: true })
  return files.map((name) => join(folder, name))
}

/** Where the set of an observation that `runFolder` converted is. */
export function setOf(root: string, { steps }: Pick<ObservationState, 'steps'>): string {
  return join(root, steps[0]?.product?.product ?? 'nowhere', 'measurement-set')
}

/**
 * A run of all observations of a folder up to their conversion: the real scan, admission, plan, conductor and conversion,
 * in this process. Returns the state at its end and all events.
 */
export async function runFolder(input: string, root: string): Promise<{ state: RunState; events: RunEvent[] }> {
  mkdirSync(root, { recursive: true })
  const config = parseConfig({
    overrides: [
      { path: ['input'], value: input, origin: 'test' },
      { path: ['root'], value: root, origin: 'test' },
      { path: ['ingest', 'minSubbands'], value: MIN_SUBBANDS, origin: 'test' },
      { path: ['conversion', 'expect'], value: { subbands, integrations }, origin: 'test' },
      { path: ['execution', 'until'], value: 'conversion', origin: 'test' },
    ],
    resolvePath: (path) => path,
  })
  const found = await scanFolder(input, {
    nowMs: Date.now(),
    earthOrientation,
    expect: config.conversion.expect,
    secondLookMs: 0,
  })
  const scan = await applyQuarantine(root, found)
  const events: RunEvent[] = []
  const state = await runSession({
    config,
    version: 'test',
    scan,
    scanSeconds: 0,
    assets: { earthOrientation: await earthOrientationAsset(root) },
    engines: { wscleanVersion: '3.1' },
    notes: scan.warnings
      .concat(scan.observations.flatMap(({ warnings }) => warnings))
      .map(({ file, message }) => ({ level: 'warn', message: `${file ?? ''}: ${message}` })),
    machine: { cores: 1, availableMemoryBytes: 2 ** 32 },
    executor: () => inProcess(input, root),
    now: () => new Date(),
    random: Math.random,
    signal: new AbortController().signal,
    onEvent: (event) => void events.push(event),
    onLive: () => undefined,
  })
  return { state, events }
}

/** Conversions without processes of their own; their products are committed as any. */
function inProcess(input: string, root: string): Executor {
  return {
    name: 'in-process',
    scratchFolders: [],
    scratchFolder: (uid) => Promise.resolve(join(root, 'scratch', uid)),
    logPath: () => 'none',
    submit({ context }): AttemptHandle {
      const outcome = conversionProduct(context, input, root).then(
        (result) => ({ class: 'succeeded' as const, evidence: [], result }),
        (thrown: unknown) => ({
          class: 'app' as const,
          evidence: [],
          retryable: false,
          problem: problemOf(errorData(toStageError(thrown))),
        }),
      )
      return { cancel: () => undefined, outcome }
    },
  }
}

async function conversionProduct(context: StageContext, input: string, root: string): Promise<StageResult> {
  const { stage, key, attempt, inputs, params } = context
  const productDir = join(root, context.productDir)
  const directory = await createAttempt(productDir, attempt.uid)
  const raw = [inputs['raw'] ?? []].flat().map(({ path }) => join(input, path.replace(/^incoming:/, '')))
  const { expect } = conversionParams.parse(params)
  const { outcome, warnings } = await convert(raw, directory, { expect })
  writeFileSync(join(directory, LOG_FILE), '')
  const { outputs, files } = await describeOutputs(conversion, directory, outcome.outputs)
  const result: StageResult = {
    apiVersion,
    stage,
    key,
    attempt,
    outputs,
    metrics: outcome.metrics as StageResult['metrics'],
    quality: outcome.quality,
    usage: {
      wallSeconds: 0,
      cpuSeconds: 0,
      peakMemoryBytes: 0,
      peakScratchBytes: 0,
      readBytes: 0,
      writtenBytes: 0,
      phases: [],
    },
    warnings,
    provenance: outcome.provenance as StageResult['provenance'],
  }
  await commitAttempt(directory, productDir, { result, files })
  return result
}
