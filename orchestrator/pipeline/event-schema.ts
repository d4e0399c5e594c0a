import { z } from 'zod'
import { stageNames, stageResultSchema } from '#runtime/stage/contract.ts'
import { plainName, staysInside } from '#runtime/stage/relative-path.ts'
import type { RunEvent } from './events.ts'

const text = z.string()
const texts = z.array(z.string())
/** What becomes part of a path: an event must not make one that leads out of the data root. */
const name = z.string().regex(plainName)
const place = z.string().refine(staysInside)
const productFolder = z.string().refine((path) => {
  const parts = path.split('/')
  return parts.length === 4 && parts[0] === 'products' && parts.every((part) => plainName.test(part))
})
const step = z.object({ observation: name, stage: z.enum(stageNames), key: name })
const problem = z.object({ code: text, message: text, hint: text.optional(), details: texts.optional() })
const numbers = z.record(z.string(), z.number())

const product = {
  step,
  product: productFolder,
  outputs: z.record(z.string(), place),
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
    product: productFolder.optional(),
    reason: text,
    rejected: texts,
  }),
  z.object({ kind: z.literal('missing'), reason: text, rejected: texts }),
])

/** What each event must have for what is made of it; members that only newer or older versions know are let through. */
const members = {
  'run.started': {
    run: name,
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
    observation: name,
    steps: z.array(z.object({ stage: z.enum(stageNames), key: name, cached: z.boolean(), miss: text.optional() })),
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
  'product.rejected': { step, product: productFolder, why: text, movedTo: place },
  'step.waiting': { step, reason: text },
  'attempt.started': {
    step,
    attempt: z.number(),
    uid: text,
    log: place,
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
