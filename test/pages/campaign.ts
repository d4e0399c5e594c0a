// The event log of a made-up campaign: everything that a report can show, in any number.
import type { RunEvent, StepProduct, StepRef } from '../../orchestrator/pipeline/events.ts'
import type { PipelineStage } from '../../orchestrator/pipeline/stages.ts'
import type { Verdict } from '#runtime/stage/quality.ts'
import { pipelineStages } from '../../orchestrator/pipeline/stages.ts'

const START = Date.parse('2026-02-01T00:00:00Z')
const GIB = 2 ** 30
const seconds: Record<PipelineStage, number> = { conversion: 3, calibration: 4, imaging: 28, validation: 3 }
const memory: Record<PipelineStage, number> = { conversion: 0.2, calibration: 0.4, imaging: 1.7, validation: 0.5 }
const phases: Record<PipelineStage, string[]> = {
  conversion: ['headers', 'convert', 'gates'],
  calibration: ['open', 'solve', 'apply'],
  imaging: ['survey', 'dirty', 'clean', 'write'],
  validation: ['find', 'measure', 'compare', 'write'],
}

export interface CampaignOptions {
  observations: number
  /** The process dies in the middle and another one goes on two hours later. */
  interrupted?: boolean
  /** Put into every text that comes from outside. */
  text?: string
}

/** Every seventh observation fails after a retry, every ninth is bad, every eleventh lacks subbands, some are uncertain. */
export function campaignEvents({ observations, interrupted = false, text = '' }: CampaignOptions): RunEvent[] {
  const events: RunEvent[] = []
  let now = START
  const emit = (event: Record<string, unknown>, after = 0): void => {
    now += after * 1000
    events.push({ at: new Date(now).toISOString(), ...event } as RunEvent)
  }
  const begin = (continued: boolean): void =>
    emit({
      type: 'run.started',
      run: 'brave-quasar',
      version: '0.1.0',
      input: `/data/incoming${text}`,
      executor: 'local',
      pid: 4242,
      continued,
    })
  begin(false)
  emit({ type: 'run.note', level: 'warn', message: `no catalogue: flux scale is not checked${text}` })
  emit({ type: 'scan.finished', files: observations * 16, observations, faults: 1, seconds: 12 })
  const ids = Array.from({ length: observations }, (_, n) => idOf(n))
  ids.forEach((id, n) => {
    if (n % 11 === 10)
      emit({
        type: 'observation.rejected',
        observation: id,
        status: 'skipped',
        error: {
          code: 'SUBBANDS_MISSING',
          message: `5 of 16 subbands missing${text}`,
          hint: 'copy the files, then run the same command again',
        },
        quarantined: n % 2 === 0,
      })
    else
      emit({
        type: 'observation.planned',
        observation: id,
        calibration:
          n === 0
            ? { kind: 'own', calibrator: '3C286', solveKey: keyOf(0, 9), reason: '3C286 in its own beam' }
            : {
                kind: 'set',
                calibrator: '3C286',
                solveKey: keyOf(0, 9),
                observation: idOf(0),
                reason: 'the nearest in time',
                rejected: [],
              },
        steps: pipelineStages.map((stage, s) => ({ stage, key: keyOf(n, s), cached: n % 5 === 4 && s < 2 })),
      })
  })
  ids.forEach((id, n) => {
    if (n % 11 === 10) return
    if (interrupted && n === Math.floor(observations / 2)) {
      startAttempt({ observation: id, stage: 'conversion', key: keyOf(n, 0) }, 1, { text, emit })
      now += 2 * 3600_000
      begin(true)
    }
    for (const [s, stage] of pipelineStages.entries()) {
      const step: StepRef = { observation: id, stage, key: keyOf(n, s) }
      const product = productOf(step, n, text)
      if (n % 5 === 4 && s < 2) {
        emit({ type: 'step.reused', step, ...product })
        continue
      }
      if (n > 0 && s === 1) emit({ type: 'step.waiting', step, reason: `the solutions of ${idOf(0)}` }, 2)
      startAttempt(step, 1, { text, emit })
      if (n % 7 === 6 && stage === 'imaging') {
        emit(
          ended(step, 1, { class: 'disrupted', evidence: ['killed by SIGKILL', `in phase dirty${text}`], retry: true }),
          9,
        )
        startAttempt(step, 2, { text, emit })
        emit(ended(step, 2, { class: 'oom', evidence: ['the kernel counted 1 kill for memory'], retry: false }), 11)
        emit({
          type: 'step.failed',
          step,
          error: {
            code: 'OUT_OF_MEMORY',
            message: `the stage ran out of memory in phase dirty${text}`,
            hint: 'free some memory, then run the same command again',
          },
          quarantined: false,
        })
        emit({
          type: 'step.skipped',
          step: { observation: id, stage: 'validation', key: keyOf(n, 3) },
          error: { code: 'UPSTREAM_FAILED', message: 'imaging failed' },
        })
        break
      }
      for (const phase of phases[stage]) {
        emit({ type: 'step.phase', step, phase })
        now += (seconds[stage] / phases[stage].length) * 1000
      }
      emit(ended(step, 1, { class: 'succeeded', evidence: ['exit code 0'], retry: false }), 0.4)
      emit({ type: 'step.finished', step, ...product })
    }
  })
  emit({
    type: 'run.finished',
    status: observations > 6 ? 'failed' : 'done',
    exitCode: observations > 6 ? 1 : 0,
    seconds: (now - START) / 1000,
  })
  return events
}

interface Emitting {
  text: string
  emit: (event: Record<string, unknown>, after?: number) => void
}

function startAttempt(step: StepRef, attempt: number, { text, emit }: Emitting): void {
  const stage = step.stage as PipelineStage
  emit(
    {
      type: 'attempt.started',
      step,
      attempt,
      uid: `uid-${step.observation}-${stage}-${attempt}`,
      log: `runs/brave-quasar/attempts/${step.observation}-${stage}-${attempt}${text}/log.ndjson`,
      resources: { cpu: 2, memoryBytes: 2 * GIB, scratchBytes: GIB },
      need: { workingBytes: GIB, scratchBytes: GIB / 2, seconds: 20 },
    },
    0.1,
  )
}

function ended(step: StepRef, attempt: number, rest: Record<string, unknown>): Record<string, unknown> {
  return { type: 'attempt.ended', step, attempt, peakMemoryBytes: 1.9 * GIB, ...rest }
}

function productOf({ observation, stage: name, key }: StepRef, n: number, text: string): StepProduct {
  const stage = name as PipelineStage
  const product = `products/${observation}/${stage}/${key.slice(0, 12)}`
  const files: Record<PipelineStage, Record<string, string>> = {
    conversion: { measurementSet: 'measurement-set' },
    calibration: { calibrated: 'calibrated' },
    imaging: { imagePbCorrected: 'image-pb-corrected.fits', quicklook: 'quicklook.png' },
    validation: { report: 'report.html', qa: 'qa.json', catalogueCsv: 'catalogue.csv' },
  }
  const wobble = Math.sin(n * 1.7)
  const verdict: Verdict = n % 9 === 8 ? 'bad' : n % 4 === 3 ? 'uncertain' : 'good'
  const check = (title: string, value: number, limits: { good: string; uncertain: string }) => ({
    name: title,
    verdict,
    value,
    unit: '1',
    limits,
    message: `${title} is ${value.toFixed(3)}${text}`,
    gating: true,
    blocking: false,
  })
  const checks =
    stage !== 'validation'
      ? []
      : [
          check('image noise', 1.4 + wobble * 0.3, { good: '<= 1.5', uncertain: '<= 10' }),
          check('flux scale', 1 + wobble * 0.08, { good: '<= 0.1', uncertain: '<= 0.2' }),
          check('astrometry', 1 + wobble, { good: '<= 2', uncertain: '<= 5' }),
          check('completeness', 0.95 + wobble * 0.04, { good: '>= 0.9', uncertain: '>= 0.75' }),
          check('flagged data', 0.06 + wobble * 0.05, { good: '<= 0.1', uncertain: '<= 0.4' }),
        ]
  return {
    product,
    outputs: Object.fromEntries(Object.entries(files[stage]).map(([output, file]) => [output, `${product}/${file}`])),
    metrics: {
      ...(stage === 'calibration' ? { flaggedFraction: 0.06 + wobble * 0.05, solutionAgeHours: n / 12 } : {}),
      ...(stage === 'validation'
        ? {
            rmsCentreJy: 9e-4 + wobble * 1e-4,
            sources: 60 + n,
            fluxRatio: 1 + wobble * 0.08,
            fluxRatioError: 0.01,
            offsetArcsec: 1 + wobble,
          }
        : {}),
    },
    quality: { verdict: stage === 'validation' ? verdict : 'good', checks },
    usage: {
      wallSeconds: seconds[stage],
      cpuSeconds: seconds[stage] * 1.4,
      peakMemoryBytes: memory[stage] * GIB * (1 + 0.05 * wobble),
      peakScratchBytes: stage === 'imaging' ? 0.3 * GIB : 0,
      readBytes: 2e8,
      writtenBytes: 1e8,
      phases: phases[stage].map((phase) => ({
        name: phase,
        wallSeconds: seconds[stage] / 4,
        cpuSeconds: seconds[stage] / 3,
      })),
    },
    warnings: n % 6 === 5 && stage === 'imaging' ? [`CLEAN stopped early${text}`] : [],
    provenance: { contimg: '0.1.0', node: 'v24.21.0', ...(stage === 'imaging' ? { wsclean: `3.6${text}` } : {}) },
  }
}

function idOf(n: number): string {
  return new Date(START + n * 309_000).toISOString().slice(0, 19).replaceAll(/[-:]/g, '')
}

function keyOf(n: number, s: number): string {
  return (n * 16 + s + 1).toString(16).padStart(12, '0').padEnd(64, 'ab')
}
