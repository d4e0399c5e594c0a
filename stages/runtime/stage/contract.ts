import { z } from 'zod'
import { apiVersion } from './api-version.ts'
import { qualitySchema, type Quality } from './quality.ts'
import { plainName } from './relative-path.ts'

export { apiVersion }

export const stageNames = ['simulation', 'conversion', 'calibration', 'imaging', 'validation'] as const
export type StageName = (typeof stageNames)[number]

/**
 * One file or directory that a step reads. `path` is relative to the data root, or `incoming:<relative path>` for raw
 * files outside it. `sha256` is the content hash of a product output or catalogue; raw files carry a `fingerprint`.
 */
const inputReferenceSchema = z.strictObject({
  path: z.string(),
  bytes: z.number().int().nonnegative(),
  kind: z.string(),
  sha256: z.string().optional(),
  fingerprint: z.string().optional(),
})
export type InputReference = z.infer<typeof inputReferenceSchema>

const resourcesSchema = z.strictObject({
  cpu: z.number().positive(),
  memoryBytes: z.number().int().positive(),
  scratchBytes: z.number().int().nonnegative(),
  /** Whether a stage assembles its output in scratch space; `auto` leaves it to what it finds. */
  staging: z.enum(['auto', 'on', 'off']).optional(),
})
export type Resources = z.infer<typeof resourcesSchema>

const attemptSchema = z.strictObject({ number: z.number().int().positive(), uid: z.string().regex(/^[\w.-]+$/) })

/** What every stage gets: plain JSON of a few kB, the one argument of its entrypoint. */
export const stageContextSchema = z.strictObject({
  apiVersion: z.literal(apiVersion),
  run: z.string(),
  observation: z.string(),
  stage: z.enum(stageNames),
  key: z.string().regex(/^[0-9a-f]{64}$/),
  attempt: attemptSchema,
  params: z.record(z.string(), z.unknown()),
  inputs: z.record(z.string(), z.union([inputReferenceSchema, z.array(inputReferenceSchema)])),
  upstream: z
    .record(z.string(), z.strictObject({ metrics: z.record(z.string(), z.number()), quality: z.string() }))
    .default({}),
  productDir: z.string(),
  scratchDir: z.string(),
  resources: resourcesSchema,
})
export type StageContext = z.infer<typeof stageContextSchema>

const usageSchema = z.strictObject({
  wallSeconds: z.number(),
  cpuSeconds: z.number(),
  peakMemoryBytes: z.number(),
  peakScratchBytes: z.number(),
  readBytes: z.number(),
  writtenBytes: z.number(),
  phases: z.array(z.strictObject({ name: z.string(), wallSeconds: z.number(), cpuSeconds: z.number() })),
})
export type Usage = z.infer<typeof usageSchema>

/** The name of a file or folder in a product: never a way out of it. */
const outputSchema = z.strictObject({
  path: z.string().regex(plainName, 'a name'),
  sha256: z.string(),
  bytes: z.number(),
})

/** `result.json` in the product directory, written last: it is the commit. */
export const stageResultSchema = z.strictObject({
  apiVersion: z.literal(apiVersion),
  stage: z.enum(stageNames),
  key: z.string(),
  attempt: attemptSchema,
  outputs: z.record(z.string(), outputSchema),
  metrics: z.record(z.string(), z.number()),
  quality: qualitySchema,
  usage: usageSchema,
  warnings: z.array(z.string()),
  provenance: z.record(z.string(), z.string()),
  /** sha256 of the canonical JSON of all other members: a changed byte shows. Set by the commit. */
  seal: z.string().optional(),
})
export type StageResult = z.infer<typeof stageResultSchema>

/** The shape of an observation as the scan knows it: all that a plan may depend on besides the parameters. */
export interface ObservationShape {
  antennas: number
  /** Baselines with autocorrelations. */
  baselines: number
  integrations: number
  subbands: number
  channelsPerSubband: number
  polarizations: number
}

/** What a step will need, computed before anything is read. */
export interface StagePlan {
  workingBytes: number
  scratchBytes: number
  /** Size of the outputs, rather too small than too large: with less room a step need not begin. */
  outputBytes?: number
  /** Scratch space in addition when the output is staged there. */
  stagingBytes?: number
  seconds: number
}

export interface InputSpec {
  kind: string
  /** A list of references instead of one (raw files). */
  many?: boolean
  optional?: boolean
}

export interface OutputSpec {
  /** File or directory name inside the product: the output's name in kebab-case. */
  path: string
  kind: string
  optional?: boolean
  help: string
}

export interface MetricSpec {
  unit: string
  help: string
}

/** The single source of a stage's interface: types, JSON schema, docs and fixtures come from it. */
export interface StageContract<
  P extends z.ZodObject = z.ZodObject,
  I extends Record<string, InputSpec> = Record<string, InputSpec>,
  O extends Record<string, OutputSpec> = Record<string, OutputSpec>,
  M extends Record<string, MetricSpec> = Record<string, MetricSpec>,
> {
  readonly name: StageName
  /** Part of every key; raise it when the meaning or the bytes of an output change. */
  readonly version: number
  readonly params: P
  readonly inputs: I
  readonly outputs: O
  readonly metrics: M
  readonly plan: (params: z.output<P>, shape: ObservationShape) => StagePlan
}

/** Declares a contract; the identity function with the types that make a misspelt name a compile error. */
export function defineStage<
  P extends z.ZodObject,
  const I extends Record<string, InputSpec>,
  const O extends Record<string, OutputSpec>,
  const M extends Record<string, MetricSpec>,
>(contract: StageContract<P, I, O, M>): StageContract<P, I, O, M> {
  return contract
}

/** An input as a stage sees it: checked and with an absolute path. */
export interface StageInput extends InputReference {}

type InputsOf<I extends Record<string, InputSpec>> = {
  [K in keyof I]: I[K] extends { many: true }
    ? readonly StageInput[]
    : I[K] extends { optional: true }
      ? StageInput | undefined
      : StageInput
}

export interface Progress {
  done: number
  total: number
  unit: string
}

export interface StageLog {
  debug(message: string, fields?: Record<string, unknown>): void
  info(message: string, fields?: Record<string, unknown>): void
  warn(message: string, fields?: Record<string, unknown>): void
}

/** What the harness hands to a stage's `run`. */
export interface StageRun<C extends StageContract> {
  readonly params: z.output<C['params']>
  readonly inputs: InputsOf<C['inputs']>
  readonly upstream: StageContext['upstream']
  readonly observation: string
  readonly key: string
  /** Absolute path of the attempt directory; write each output to `join(outputDir, contract.outputs.<name>.path)`. */
  readonly outputDir: string
  /** Absolute path of a private, empty folder on fast storage; removed by the harness whatever happens. */
  readonly scratchDir: string
  readonly resources: Resources
  /** Aborted on SIGTERM, SIGINT: stop soon; the harness cleans up. */
  readonly signal: AbortSignal
  readonly log: StageLog
  progress(progress: Progress): void
  /** Runs a named phase; its wall and CPU time go into `usage.phases`. */
  phase<T>(name: string, work: () => Promise<T> | T): Promise<T>
  /** A sentence for people that does not change the verdict; kept in `result.json`. */
  warn(message: string): void
}

/** What a stage's `run` returns. The harness hashes the named outputs and commits. */
export interface StageOutcome<C extends StageContract> {
  outputs: readonly (keyof C['outputs'] & string)[]
  metrics: Partial<Record<keyof C['metrics'] & string, number>>
  quality: Quality
  /** Versions of engines and whatever else says where the bytes came from (not part of the product digest). */
  provenance?: Record<string, string>
}

export type Run<C extends StageContract> = (run: StageRun<C>) => Promise<StageOutcome<C>>
