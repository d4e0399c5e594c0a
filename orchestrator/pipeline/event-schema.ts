import { z } from 'zod'
import { stageNames, stageResultSchema } from '#runtime/stage/contract.ts'
import type { RunEvent } from './events.ts'

const text = z.string()
const texts = z.array(z.string())
const step = z.object({ observation: text, stage: z.enum(stageNames), key: text })
const problem = z.object({ code: text, message: text, hint: text.optional(), details: texts.optional() })
const numbers = z.record(z.string(), z.number())

const product = {
  step,
  product: text,
  outputs: z.record(z.string(), text),
  metrics: numbers,
  quality: stageResultSchema.shape.quality,
  usage: stageResultSchema.shape.usage,
  warnings: texts,
  provenance: z.record(z.string(), text).optional(),
}

const calibration = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('none') }),
  z.object({ kind: z.literal('own'), calibrator: text, solveKey: text, reason: text }),
  z.object({
    kind: z.literal('set'),
    calibrator: text,
    solveKey: text,
    observation: text,
    product: text.optional(),
    reason: text,
    rejected: texts,
  }),
  z.object({ kind: z.literal('missing'), reason: text, rejected: texts }),
])

/** What each event must have for what is made of it; members that only newer or older versions know are let through. */
const members = {
  'run.started': {
    run: text,
    version: text,
    input: text,
    executor: text,
    pid: z.number(),
    continued: z.boolean(),
    slots: z.object({ steps: z.number(), cores: z.number(), coresPerStep: z.number() }).optional(),
  },
  'run.note': { level: z.enum(['info', 'warn']), message: text },
  'scan.finished': { files: z.number(), observations: z.number(), faults: z.number(), seconds: z.number() },
  'observation.planned': {
    observation: text,
    steps: z.array(z.object({ stage: z.enum(stageNames), key: text, cached: z.boolean(), miss: text.optional() })),
    calibration,
    replanned: text.optional(),
  },
  'observation.rejected': {
    observation: text,
    status: z.enum(['failed', 'skipped']),
    error: problem,
    quarantined: z.boolean(),
  },
  'step.reused': product,
  'product.rejected': { step, product: text, why: text, movedTo: text },
  'step.waiting': { step, reason: text },
  'attempt.started': {
    step,
    attempt: z.number(),
    uid: text,
    log: text,
    resources: z.object({ cpu: z.number(), memoryBytes: z.number(), scratchBytes: z.number() }).optional(),
    need: z.object({ workingBytes: z.number(), scratchBytes: z.number(), seconds: z.number() }).optional(),
  },
  'step.phase': { step, phase: text },
  'attempt.ended': {
    step,
    attempt: z.number(),
    class: text,
    evidence: texts,
    peakMemoryBytes: z.number().optional(),
    retry: z.boolean(),
  },
  'step.finished': product,
  'step.failed': { step, error: problem, quarantined: z.boolean() },
  'step.skipped': { step, error: problem },
  'step.cancelled': { step },
  'run.finished': {
    status: z.enum(['done', 'failed', 'skipped', 'cancelled']),
    exitCode: z.number(),
    seconds: z.number(),
  },
} as const satisfies Record<RunEvent['type'], z.ZodRawShape>

const schemas = new Map(
  Object.entries(members).map(([type, shape]) => [type, z.looseObject({ at: z.iso.datetime(), ...shape })] as const),
)

/** Whether a value read from a log is an event that can be folded. */
export function isEvent(value: unknown): value is RunEvent {
  const type = (value as { type?: unknown } | null)?.type
  return typeof type === 'string' && schemas.get(type)?.safeParse(value).success === true
}
