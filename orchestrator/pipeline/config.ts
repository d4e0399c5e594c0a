import { isMap, LineCounter, parse, parseDocument, type Document } from 'yaml'
import { z } from 'zod'
import { canonicalJson } from '#runtime/stage/files.ts'
import { describeIssue, type ConfigOrigin } from './config-issues.ts'
import { runNamePattern } from './names.ts'
import { ProblemError } from './problem.ts'
import { bytesSchema } from './quantity.ts'
import { contracts, engineParams, pipelineStages, type PipelineStage } from './stages.ts'

/** Fewer subbands than this are not worth an image (three quarters of the band). */
const DEFAULT_MIN_SUBBANDS = 12
/** How long live ingest waits for subbands that are late, s. */
const DEFAULT_ROOT = 'contimg-data'

const resourcesConfig = z.strictObject({
  cpu: z.number().positive().optional().describe('CPU cores of one step; default: all, at most 4'),
  memory: bytesSchema.optional().describe('Memory of one step, bytes or like 8Gi; default: half of what is available'),
  scratch: bytesSchema
    .optional()
    .describe('Scratch space of one step, bytes or like 2Gi; default: what the step plans'),
})

function perStage<S extends z.ZodType>(schema: S): z.ZodObject<Record<PipelineStage, S>> {
  return z.strictObject(Object.fromEntries(pipelineStages.map((stage) => [stage, schema])) as Record<PipelineStage, S>)
}

const retries = z.number().int().nonnegative().max(10).optional()
/** What is not built yet is refused and not silently ignored; the default may be written out. */
const retention = z
  .union([z.enum(['forever', 'until-validated']), z.strictObject({ days: z.number().positive() })])
  .refine((wanted) => wanted === 'forever', 'not supported yet on one machine, where every product is kept for ever')

/** The one configuration object: the stage blocks are exactly that stage's parameters, and only they enter keys. */
export const configSchema = z.strictObject({
  name: z
    .string()
    .regex(runNamePattern, 'expected letters, digits, dots, dashes')
    .optional()
    .describe('Name of the run; default: a memorable one'),
  input: z.string().min(1).optional().describe('Folder of UVH5 subband files'),
  root: z.string().min(1).optional().describe('Data root; default: CONTIMG_ROOT, else ./contimg-data'),
  catalogue: z
    .string()
    .min(1)
    .optional()
    .describe('Reference catalogue: a folder, or name@hash of an imported one; default: none'),
  stationTable: z
    .string()
    .min(1)
    .optional()
    .describe('Surveyed stations that the antennas are held against: a CSV file; default: none'),
  observations: z
    .array(z.string().min(1))
    .optional()
    .describe('Ids of the observations to process, * and ? allowed; default: all'),
  retain: perStage(retention.optional()).prefault({}).describe('How long products of a stage are kept'),
  ingest: z
    .strictObject({
      minSubbands: z
        .number()
        .int()
        .min(1)
        .max(16)
        .optional()
        .describe('Fewest subbands to process; default 12, or all where fewer are expected'),
      waitSeconds: z
        .number()
        .min(0)
        .default(0)
        .describe(
          'How long to wait for absent subbands of an observation from the arrival of its first file, s; 0: take what is there',
        ),
    })
    .prefault({}),
  execution: z
    .strictObject({
      failOn: z.enum(['bad', 'uncertain']).default('bad').describe('Verdict from which a run ends with exit code 3'),
      executor: z.enum(['local']).default('local').describe('Where steps run'),
      resources: resourcesConfig.prefault({}).describe('Resources of one step'),
      from: z
        .enum(pipelineStages)
        .optional()
        .describe('First stage to run; what the stages before it make must exist; default: conversion'),
      until: z.enum(pipelineStages).optional().describe('Last stage to run; default: validation'),
      staging: z
        .enum(['auto', 'on', 'off'])
        .default('auto')
        .describe(
          'Whether conversion assembles its MeasurementSet in scratch space before it is copied to the data root; auto: only where the root is on a network filesystem and the set fits',
        ),
      retries: z
        .strictObject({
          oom: retries,
          app: retries,
          scratch: retries,
          disruption: retries,
          deadline: retries,
          transient: retries,
          unknown: retries,
        })
        .prefault({})
        .describe('Attempts after the first, per kind of failure'),
      timeouts: perStage(z.number().positive().optional())
        .prefault({})
        .describe('Time limit of one attempt, s; default: none'),
      stages: perStage(z.strictObject({ resources: resourcesConfig.prefault({}) }).prefault({})).prefault({}),
    })
    .prefault({}),
  conversion: userParams('conversion').prefault({}),
  calibration: userParams('calibration').prefault({}),
  imaging: userParams('imaging').prefault({}),
  validation: userParams('validation').prefault({}),
})

type ParsedConfig = z.output<typeof configSchema>
export type RunConfig = Omit<ParsedConfig, 'ingest' | 'root'> & {
  root: string
  ingest: { minSubbands: number; waitSeconds: number }
}

/** One value that a flag or the environment sets over the file. */
export interface Override {
  path: readonly string[]
  value: unknown
  /** How the user gave it, for messages: `--set imaging.cellArcsec=3`. */
  origin: string
}

export interface ConfigInput {
  file?: { path: string; text: string }
  /** In order of strength, the strongest last. */
  overrides: readonly Override[]
  /** Makes a path absolute: one of the file against the file's folder, any other against the working directory. */
  resolvePath: (path: string, base: 'file' | 'working directory') => string
}

/**
 * The configuration of a run: defaults, file, overrides.
 * @throws ProblemError CONFIG_INVALID with every finding, each with line and column or the flag it came from.
 */
export function parseConfig({ file, overrides, resolvePath }: ConfigInput): RunConfig {
  const lineCounter = new LineCounter()
  const document = file === undefined ? undefined : readDocument(file, lineCounter)
  const value = absolutePaths(document?.value, (path) => resolvePath(path, 'file'))
  for (const override of overrides) setPath(value, override)
  absolutePaths(value, (path) => resolvePath(path, 'working directory'))

  const origin: ConfigOrigin = { file: file?.path, document: document?.document, lineCounter, overrides }
  const parsed = configSchema.safeParse(value)
  if (!parsed.success) {
    const findings = parsed.error.issues.flatMap((issue) =>
      describeIssue(issue, { schema: configSchema, value, origin }),
    )
    invalid(findings.sort((a, b) => a.offset - b.offset).map(({ text }) => text))
  }
  return complete(parsed.data, resolvePath(DEFAULT_ROOT, 'working directory'))
}

/** `a.b=3` as a dotted path and a YAML value. Throws ProblemError USAGE. */
export function parseSetting(text: string): Override {
  const [path, ...rest] = text.split('=')
  const parts = path?.split('.') ?? []
  if (rest.length === 0 || parts.some((part) => part.trim() === '')) {
    throw new ProblemError('USAGE', `--set ${text}: expected key.path=value`, {
      hint: 'for example --set imaging.cellArcsec=3',
    })
  }
  const raw = rest.join('=')
  try {
    return {
      path: parts,
      value: raw === '' ? '' : (parse(raw, { logLevel: 'error' }) as unknown),
      origin: `--set ${text}`,
    }
  } catch {
    return { path: parts, value: raw, origin: `--set ${text}` }
  }
}

/** What must be equal for a run to be continued: all that can change a product. */
export function configIdentity({
  name: _name,
  root: _root,
  execution: _execution,
  retain: _retain,
  ...rest
}: RunConfig): string {
  return canonicalJson(rest)
}

/** A stage's parameters as a person may set them: without those that the planner finds out. */
function userParams<S extends PipelineStage>(stage: S): (typeof contracts)[S]['params'] {
  const params: z.ZodObject = contracts[stage].params
  const found = Object.fromEntries((engineParams[stage] ?? []).map((name) => [name, true as const]))
  return params.omit(found as never) as unknown as (typeof contracts)[S]['params']
}

function readDocument(
  { path, text }: { path: string; text: string },
  lineCounter: LineCounter,
): { document: Document; value: unknown } {
  const document = understood(path, () => parseDocument(text, { lineCounter, prettyErrors: false, logLevel: 'error' }))
  if (document.errors.length > 0) {
    invalid(
      document.errors.map((error) => {
        const { line, col } = lineCounter.linePos(error.pos[0])
        return `${path}:${line}:${col}   ${error.message}`
      }),
    )
  }
  if (document.contents !== null && !isMap(document.contents)) invalid([`${path}:1:1   expected keys and values`])
  return { document, value: understood(path, () => document.toJS() as unknown) }
}

/** YAML that is nested without end, or whose aliases multiply, is no configuration. */
function understood<T>(path: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof RangeError) && !(error instanceof ReferenceError)) throw error
    return invalid([`${path}:1:1   ${error.message}`])
  }
}

const pathKeys = ['input', 'root', 'catalogue', 'stationTable'] as const

/** Makes the paths of a configuration absolute, in place; `name@hash` of a catalogue is no path. */
function absolutePaths(value: unknown, absolute: (path: string) => string): Record<string, unknown> {
  const config = (value ?? {}) as Record<string, unknown>
  for (const key of pathKeys) {
    const given = config[key]
    if (typeof given !== 'string' || given === '' || given.startsWith('/')) continue
    if (key === 'catalogue' && !given.includes('/') && !given.startsWith('.')) continue
    config[key] = absolute(given)
  }
  return config
}

function setPath(target: Record<string, unknown>, { path, value, origin }: Override): void {
  let node = target
  for (const part of path.slice(0, -1)) {
    // Own members only: a path such as __proto__.x must not reach what all objects share.
    const child = (Object.hasOwn(node, part) ? node[part] : undefined) ?? {}
    if (typeof child !== 'object' || Array.isArray(child)) invalid([`${origin}   ${part} is not a block of keys`])
    define(node, part, child)
    node = child as Record<string, unknown>
  }
  define(node, path.at(-1) as string, value)
}

function define(node: Record<string, unknown>, name: string, value: unknown): void {
  Object.defineProperty(node, name, { value, enumerable: true, configurable: true, writable: true })
}

function complete(config: ParsedConfig, defaultRoot: string): RunConfig {
  const expected = config.conversion.expect.subbands.length
  const minSubbands = config.ingest.minSubbands ?? Math.min(DEFAULT_MIN_SUBBANDS, expected)
  if (minSubbands > expected) {
    invalid([
      `ingest.minSubbands: ${minSubbands} are more than the ${expected} subbands that conversion.expect.subbands lists`,
    ])
  }
  const { from, until } = config.execution
  if (from !== undefined && until !== undefined && pipelineStages.indexOf(from) > pipelineStages.indexOf(until))
    invalid([`execution.from: ${from} comes after ${until}, which execution.until names as the last stage`])
  return { ...config, root: config.root ?? defaultRoot, ingest: { ...config.ingest, minSubbands } }
}

function invalid(details: readonly string[]): never {
  const [first, ...others] = details
  throw new ProblemError(
    'CONFIG_INVALID',
    first !== undefined && others.length === 0 ? first : `${details.length} errors in the configuration`,
    {
      details,
      hint: 'correct what is named above, then run the same command again; nothing was started',
    },
  )
}
