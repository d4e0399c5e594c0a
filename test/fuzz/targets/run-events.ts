import type { NewEvent, RunEvent, StepProduct } from '../../../orchestrator/pipeline/events.ts'

/** A run with every kind of event; `text` stands wherever a name or a message comes from outside. */
export function completeRun(text: string): RunEvent[] {
  const step = (stage: 'conversion' | 'calibration' | 'imaging', digit: string) => ({
    observation: '20260125T222605',
    stage,
    key: digit.repeat(64),
  })
  const [conversion, calibration, imaging] = [step('conversion', '1'), step('calibration', '2'), step('imaging', '3')]
  const error = { code: 'WSCLEAN_FAILED', message: text, hint: text, details: [text, text] } as const
  const made = (stage: string, digit: string): StepProduct => ({
    product: `products/20260125T222605/${stage}/${digit.repeat(12)}`,
    outputs: { report: `products/20260125T222605/${stage}/${digit.repeat(12)}/report.html`, quicklook: text },
    metrics: { sources: 3 },
    quality: {
      verdict: 'uncertain',
      checks: [
        {
          name: text,
          verdict: 'uncertain',
          value: 1,
          unit: text,
          n: 3,
          limits: { good: text },
          message: text,
          gating: true,
          blocking: false,
        },
      ],
    },
    usage: {
      wallSeconds: 1,
      cpuSeconds: 2,
      peakMemoryBytes: 3e8,
      peakScratchBytes: 1e6,
      readBytes: 1e9,
      writtenBytes: 1e9,
      phases: [{ name: text, wallSeconds: 1, cpuSeconds: 1 }],
    },
    warnings: [text],
    provenance: { contimg: text, wsclean: text },
  })
  const events: NewEvent[] = [
    {
      type: 'run.started',
      run: 'brave-quasar',
      version: text,
      input: text,
      executor: 'local',
      pid: 4321,
      continued: false,
    },
    { type: 'run.note', level: 'warn', message: text },
    { type: 'run.note', level: 'info', message: text },
    { type: 'scan.finished', files: 20, observations: 2, faults: 1, seconds: 0.4 },
    {
      type: 'observation.planned',
      observation: '20260125T222605',
      steps: [conversion, calibration, imaging].map(({ stage, key }) => ({ stage, key, cached: false, miss: text })),
      calibration: { kind: 'missing', reason: text, rejected: [text] },
    },
    { type: 'observation.rejected', observation: text, status: 'failed', error, quarantined: true },
    { type: 'step.reused', step: conversion, ...made('conversion', '1') },
    { type: 'product.rejected', step: conversion, product: made('conversion', '1').product, why: text, movedTo: text },
    { type: 'step.reused', step: conversion, ...made('conversion', '1') },
    { type: 'step.waiting', step: calibration, reason: text },
    {
      type: 'attempt.started',
      step: calibration,
      attempt: 1,
      uid: '0b1f',
      log: 'runs/brave-quasar/logs/calibration.log',
    },
    { type: 'step.phase', step: calibration, phase: text },
    { type: 'attempt.ended', step: calibration, attempt: 1, class: 'succeeded', evidence: [], retry: false },
    { type: 'step.finished', step: calibration, ...made('calibration', '2') },
    { type: 'attempt.started', step: imaging, attempt: 1, uid: '0b2f', log: 'runs/brave-quasar/logs/imaging.log' },
    { type: 'attempt.ended', step: imaging, attempt: 1, class: 'app', evidence: [text, text], retry: false },
    { type: 'step.failed', step: imaging, error, quarantined: false },
    { type: 'step.skipped', step: step('imaging', '4'), error },
    { type: 'step.cancelled', step: step('imaging', '5') },
    { type: 'run.finished', status: 'failed', exitCode: 1, seconds: 12 },
  ]
  return events.map(
    (event, i) => ({ at: new Date(Date.UTC(2026, 0, 25, 22, 30, i)).toISOString(), ...event }) as RunEvent,
  )
}
