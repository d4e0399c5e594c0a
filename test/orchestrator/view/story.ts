// Runs told as events, for the transcripts of what a terminal shows.
import type { StageName, Usage } from '#runtime/stage/contract.ts'
import type { Verdict } from '#runtime/stage/quality.ts'
import type { NewEvent, RunEvent, StepRef } from '../../../orchestrator/pipeline/events.ts'
import type { Problem } from '../../../orchestrator/pipeline/problem.ts'
import { pipelineStages } from '../../../orchestrator/pipeline/stages.ts'

const BEGIN = Date.UTC(2026, 0, 26, 12, 0, 0)
const GIB = 2 ** 30

/** Milliseconds since 1970 of a time in a story, s. */
export function timeOf(seconds: number): number {
  return BEGIN + 1000 * seconds
}

export const good = '20260125T222605'
export const corrupt = '20260125T223114'
const lacking = '20260125T223623'

const truncated: Problem = {
  code: 'DATA_UNREADABLE',
  message:
    '2026-01-25T22:31:14_sb04.hdf5: it is truncated: it has 20000 bytes, its superblock says 145344568; 15 of 16 subbands are left, at least 16 are needed',
  hint: 'the file is still being written or was copied in part: wait for the copy to end, or copy it again',
}
const missing: Problem = {
  code: 'SUBBANDS_MISSING',
  message: '5 of 16 subbands are missing (04, 09, 11, 12, 13); ingest.minSubbands asks for at least 16',
  hint: 'copy the missing files and run the same command again, or image what is there and record the gap, with ingest.minSubbands=11:',
  again: ['--set', 'ingest.minSubbands=11'],
}
const outOfMemory: Problem = {
  code: 'OUT_OF_MEMORY',
  message: 'the stage ran out of memory',
  why: 'the kernel killed it (SIGKILL) when memory was used up',
  last: {
    phase: 'wide',
    progress: { done: 7, total: 12, unit: 'passes' },
    memoryBytes: 3.9 * GIB,
    memoryLimitBytes: 4 * GIB,
    said: 'major iteration 5',
  },
  hint: 'free some memory or choose smaller parameters, then run the same command again: finished steps are reused',
}

function usage(wallSeconds: number, peakMemoryBytes = 1.6 * GIB): Usage {
  return {
    wallSeconds,
    cpuSeconds: 2 * wallSeconds,
    peakMemoryBytes,
    peakScratchBytes: 0,
    readBytes: 2e8,
    writtenBytes: 1e8,
    phases: [],
  }
}

export function stepOf(observation: string, stage: StageName): StepRef {
  return { observation, stage, key: `${stage}-${observation}`.padEnd(64, '0') }
}

/** Collects events with their times. */
function story(): { at(seconds: number, ...events: NewEvent[]): void; events: RunEvent[] } {
  const events: RunEvent[] = []
  return {
    events,
    at: (seconds, ...added) =>
      void events.push(...added.map((event): RunEvent => ({ at: new Date(timeOf(seconds)).toISOString(), ...event }))),
  }
}

function begin(command: string[]): NewEvent {
  return {
    type: 'run.started',
    run: 'brave-quasar',
    version: '1',
    input: '/data/incoming',
    executor: 'local',
    pid: 1,
    continued: false,
    slots: { steps: 1, cores: 4, coresPerStep: 4 },
    command,
  }
}

function planned(observation: string, cached: readonly StageName[] = [], miss?: string): NewEvent {
  return {
    type: 'observation.planned',
    observation,
    calibration: { kind: 'own', calibrator: '3C286', solveKey: 'k', reason: '3C286 transits, 14.0 Jy' },
    steps: pipelineStages.map((stage) => ({
      stage,
      key: stepOf(observation, stage).key,
      cached: cached.includes(stage),
      ...(miss !== undefined && stage === 'imaging' ? { miss } : {}),
    })),
  }
}

function started(observation: string, stage: StageName): NewEvent {
  return {
    type: 'attempt.started',
    step: stepOf(observation, stage),
    attempt: 1,
    uid: 'u',
    log: `runs/brave-quasar/attempts/${observation}-${stage}/log.ndjson`,
    resources: { cpu: 4, memoryBytes: 4 * GIB, scratchBytes: GIB, staging: 'auto' },
  }
}

function made(observation: string, stage: StageName, seconds: number, verdict: Verdict = 'good'): NewEvent {
  const outputs: Record<string, string> =
    stage === 'imaging'
      ? { imagePbCorrected: `products/${observation}/imaging/k/image-pb-corrected.fits` }
      : stage === 'validation'
        ? { report: `products/${observation}/validation/k/report.html` }
        : {}
  const checks =
    stage !== 'validation'
      ? []
      : [
          {
            name: 'flux-scale',
            verdict,
            value: 0.97,
            unit: '1',
            limits: { good: '0.9 to 1.1', uncertain: '0.8 to 1.2' },
            message: 'of 21 sources.',
            gating: true,
            blocking: false,
          },
          {
            name: 'source-counts',
            verdict: 'uncertain' as const,
            message: 'few sources.',
            gating: false,
            blocking: false,
          },
        ]
  return {
    type: 'step.finished',
    step: stepOf(observation, stage),
    product: `products/${observation}/${stage}/k`,
    outputs,
    metrics: {},
    quality: { verdict, checks },
    usage: usage(seconds),
    warnings: [],
  }
}

/** One observation that is good, one with a corrupt file, one that lacks subbands. */
export function partialRun(): RunEvent[] {
  const { at, events } = story()
  at(0, begin(['run', 'demo.yaml', '--name', 'brave-quasar']))
  at(
    1,
    { type: 'scan.finished', files: 43, observations: 3, faults: 1, seconds: 0.9 },
    { type: 'observation.rejected', observation: corrupt, status: 'failed', error: truncated, quarantined: true },
    { type: 'observation.rejected', observation: lacking, status: 'skipped', error: missing, quarantined: false },
    planned(good, [], 'params.cellArcsec 3 -> 2.5'),
    started(good, 'conversion'),
  )
  at(8, made(good, 'conversion', 7), started(good, 'calibration'))
  at(17, made(good, 'calibration', 9), started(good, 'imaging'), {
    type: 'step.phase',
    step: stepOf(good, 'imaging'),
    phase: 'wide',
  })
  at(69, made(good, 'imaging', 52), started(good, 'validation'))
  at(73, made(good, 'validation', 4), { type: 'run.finished', status: 'failed', exitCode: 1, seconds: 73 })
  return events
}

/** Three observations: one done, one at work, one that waits for its calibrator, one for a slot; stages of one were there. */
export function busyRun(): RunEvent[] {
  const { at, events } = story()
  const [first, second, third, fourth] = [good, corrupt, lacking, '20260125T224132'] as const
  at(0, begin(['run', '--input', '/data/incoming']))
  at(
    1,
    planned(first, ['conversion']),
    planned(second, [], 'params.cellArcsec 3 -> 2.5'),
    planned(third),
    planned(fourth),
  )
  at(1, { ...made(first, 'conversion', 7), type: 'step.reused' } as NewEvent)
  at(1, started(first, 'calibration'))
  at(10, made(first, 'calibration', 9), started(first, 'imaging'))
  at(62, made(first, 'imaging', 52), started(first, 'validation'))
  at(66, made(first, 'validation', 4), started(second, 'conversion'))
  at(73, made(second, 'conversion', 7), started(third, 'conversion'))
  at(80, made(third, 'conversion', 7), started(second, 'calibration'), {
    type: 'step.waiting',
    step: stepOf(third, 'calibration'),
    reason: `for the solution set of ${second}`,
  })
  at(89, made(second, 'calibration', 9), started(second, 'imaging'), {
    type: 'step.phase',
    step: stepOf(second, 'imaging'),
    phase: 'wide',
  })
  return events
}

/** One observation whose imaging runs out of memory. */
export function failingRun(): RunEvent[] {
  const { at, events } = story()
  at(0, begin(['run', 'my demo.yaml']))
  at(1, planned(good), started(good, 'conversion'))
  at(8, made(good, 'conversion', 7), started(good, 'calibration'))
  at(17, made(good, 'calibration', 9), started(good, 'imaging'))
  at(48, {
    type: 'attempt.ended',
    step: stepOf(good, 'imaging'),
    attempt: 1,
    class: 'oom',
    evidence: ['killed by SIGKILL'],
    retry: false,
  })
  at(
    48,
    { type: 'step.failed', step: stepOf(good, 'imaging'), error: outOfMemory, quarantined: false },
    {
      type: 'step.skipped',
      step: stepOf(good, 'validation'),
      error: { code: 'UPSTREAM_FAILED', message: `imaging of ${good} did not finish` },
    },
    { type: 'run.finished', status: 'failed', exitCode: 1, seconds: 48 },
  )
  return events
}

/** Many observations: most are done, some failed alike, some wait; ended when asked for. */
export function campaign(size: number, { ended = false } = {}): RunEvent[] {
  const { at, events } = story()
  const ids = Array.from({ length: size }, (_, index) => `20260126T${String(100000 + 309 * index).padStart(6, '0')}`)
  at(0, begin(['run', '--input', '/data/incoming']), ...ids.map((id) => planned(id)))
  const seconds = 72
  ids.forEach((id, index) => {
    const from = 1 + seconds * index
    if (!ended && index > size * 0.6) return
    at(from, started(id, 'conversion'))
    if (!ended && index + 1 > size * 0.6) return
    at(from + 7, made(id, 'conversion', 7), started(id, 'calibration'))
    at(from + 16, made(id, 'calibration', 9), started(id, 'imaging'))
    if (index % 5 === 3)
      return at(
        from + 40,
        { type: 'step.failed', step: stepOf(id, 'imaging'), error: outOfMemory, quarantined: false },
        {
          type: 'step.skipped',
          step: stepOf(id, 'validation'),
          error: { code: 'UPSTREAM_FAILED', message: `imaging of ${id} did not finish` },
        },
      )
    at(from + 66, made(id, 'imaging', 50), started(id, 'validation'))
    at(from + 71, made(id, 'validation', 4, index % 7 === 2 ? 'uncertain' : 'good'))
  })
  if (ended) at(seconds * size, { type: 'run.finished', status: 'failed', exitCode: 1, seconds: seconds * size })
  return events
}
