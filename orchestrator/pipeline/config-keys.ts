import { z } from 'zod'
import { didYouMean } from './did-you-mean.ts'
import { ProblemError } from './problem.ts'
import { pipelineStages } from './stages.ts'

/** One key of the configuration as people look it up; everything follows from the schema. */
export interface ConfigKey {
  /** Dotted path; `<stage>` is not used: every stage has its own key. */
  path: string
  /** A block of further keys, or a value. */
  kind: 'block' | 'value'
  /** What may be given: `integer`, `one of standard, fine`, `list of text`. */
  type: string
  unit: string | undefined
  /** Absent when there is none, or when it is found out at the start of a run: `meaning` says how. */
  default: unknown
  /** `64 to 16384`, `> 0`; absent when every value of the type may be given. */
  range: string | undefined
  meaning: string | undefined
  /** Whether a change makes products anew: by its value, or by the content of what it names. */
  entersKeys: 'value' | 'content' | 'no'
}

/** The part of a JSON schema that is looked at here. */
export interface JsonSchema {
  type?: string | string[]
  properties?: Record<string, JsonSchema>
  description?: string
  default?: unknown
  enum?: unknown[]
  const?: unknown
  anyOf?: JsonSchema[]
  items?: JsonSchema | false
  prefixItems?: JsonSchema[]
  minimum?: number
  maximum?: number
  exclusiveMinimum?: number
  exclusiveMaximum?: number
  multipleOf?: number
  minLength?: number
  minItems?: number
  maxItems?: number
}

/** Units by the end of a key's name; the names carry them. */
const unitsByName: readonly (readonly [RegExp, string])[] = [
  [/Arcsec$/, 'arcsec'],
  [/Jy$/, 'Jy'],
  [/Mhz$/, 'MHz'],
  [/Hz$/, 'Hz'],
  [/Deg$/, 'deg'],
  [/Hours$/, 'h'],
  [/Seconds$/, 's'],
  [/Pixels$/, 'pixels'],
  [/Sigma$/, 'local noise'],
  [/Beams$/, 'beams'],
  [/Lambda$/, 'wavelengths'],
  [/Utc$/, 'UTC'],
  [/Fraction$/, 'fraction'],
  [/^(memory|scratch)$/, 'bytes'],
  [/^cpu$/, 'cores'],
]

/** The JSON schema of what a person may write: defaults are optional. */
export function inputSchema(schema: z.ZodType): JsonSchema {
  return z.toJSONSchema(schema, { io: 'input', target: 'draft-07' }) as JsonSchema
}

/** All keys of a configuration schema, blocks before what they hold, in the schema's order. */
export function configKeys(schema: JsonSchema): ConfigKey[] {
  return keysBelow(schema, [], undefined)
}

/**
 * The key that a person means, and those below it. The empty path means all of them.
 * Throws ProblemError CONFIG_KEY_UNKNOWN.
 */
export function findKeys(keys: readonly ConfigKey[], path: string): ConfigKey[] {
  if (path === '') return [...keys]
  const found = keys.filter((key) => key.path === path || key.path.startsWith(`${path}.`))
  if (found.length > 0) return found
  // A key by its own name, wherever it is: `cellArcsec`.
  const named = keys.filter((key) => key.path.endsWith(`.${path}`))
  if (named.length === 1) return named
  const all = keys.map((key) => key.path)
  const meant = didYouMean(path, all) ?? didYouMean(path.split('.').at(-1) ?? '', [...new Set(all.map(lastPart))])
  const candidates =
    named.length > 1 ? named.map((key) => key.path) : all.filter((key) => key === meant || lastPart(key) === meant)
  throw new ProblemError(
    'CONFIG_KEY_UNKNOWN',
    named.length > 1 ? `"${path}" may be ${candidates.join(' or ')}` : `there is no key "${path}" in the configuration`,
    {
      hint:
        candidates.length === 0
          ? 'list all keys with: contimg explain'
          : named.length > 1
            ? 'give its whole path'
            : `did you mean ${candidates.join(' or ')}?`,
    },
  )
}

/** The unit of a value, by the name of its key; of a limit of a check, by what its block says. */
export function unitOf(path: readonly string[], block?: string): string | undefined {
  if (path.includes('timeouts')) return 's'
  if (path.includes('retries')) return 'attempts'
  const name = path.at(-1) ?? ''
  const found = unitsByName.find(([pattern]) => pattern.test(name))?.[1]
  if (found !== undefined) return found
  const [, inBlock] = path.includes('limits') ? (/\(([^()]{1,12})\);/.exec(`${block ?? ''};`) ?? []) : []
  return inBlock === '1' ? undefined : inBlock
}

/** `64 to 16384`, `> 0`, `at least 1 entry`: what of its type a value may be. */
export function rangeOf(schema: JsonSchema): string | undefined {
  const alternatives = (schema.anyOf ?? []).filter((option) => option.type !== 'null')
  if (alternatives.length === 1 && alternatives[0] !== undefined) return rangeOf(alternatives[0])
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf, minItems } = schema
  const parts: string[] = []
  // Integers without a limit carry the largest that a double can hold.
  const top = maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER ? maximum : undefined
  const bottom = minimum !== undefined && minimum > -Number.MAX_SAFE_INTEGER ? minimum : undefined
  if (bottom !== undefined && top !== undefined) parts.push(`${bottom} to ${top}`)
  else {
    if (bottom !== undefined) parts.push(`>= ${bottom}`)
    if (exclusiveMinimum !== undefined) parts.push(`> ${exclusiveMinimum}`)
    if (top !== undefined) parts.push(`<= ${top}`)
  }
  if (exclusiveMaximum !== undefined) parts.push(`< ${exclusiveMaximum}`)
  if (multipleOf === 2) parts.push('even')
  if (minItems !== undefined && schema.prefixItems === undefined && !Array.isArray(schema.items))
    parts.push(`at least ${minItems}`)
  return parts.length === 0 ? undefined : parts.join(', ')
}

function keysBelow(schema: JsonSchema, path: readonly string[], block: string | undefined): ConfigKey[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, property]) => {
    const own = [...path, name]
    const isBlock = property.properties !== undefined
    const key: ConfigKey = {
      path: own.join('.'),
      kind: isBlock ? 'block' : 'value',
      type: isBlock ? 'block' : typeOf(property),
      unit: isBlock ? undefined : unitOf(own, block),
      default: isBlock ? undefined : property.default,
      range: isBlock ? undefined : rangeOf(property),
      meaning: property.description ?? (isBlock ? undefined : meaningOf(own, block)),
      entersKeys: entersKeys(own),
    }
    return isBlock ? [key, ...keysBelow(property, own, property.description)] : [key]
  })
}

/** The limits of the checks have one meaning for all, and what they limit in their block. */
function meaningOf(path: readonly string[], block: string | undefined): string | undefined {
  const name = path.at(-1) ?? ''
  if (path.includes('limits'))
    return `the check is ${name} up to this, or from this on where more is better: ${block ?? ''}`
  return block === undefined ? undefined : `${name}: ${block}`
}

function entersKeys([top = '']: readonly string[]): ConfigKey['entersKeys'] {
  if ((pipelineStages as readonly string[]).includes(top)) return 'value'
  return ['input', 'catalogue', 'stationTable'].includes(top) ? 'content' : 'no'
}

const typeWords: Record<string, string> = { string: 'text', boolean: 'true or false', null: 'null', object: 'block' }

function typeOf(schema: JsonSchema): string {
  if (schema.enum !== undefined) return schema.enum.map(String).join(', ')
  if (schema.const !== undefined) return JSON.stringify(schema.const)
  if (schema.anyOf !== undefined) return [...new Set(schema.anyOf.map(typeOf))].join(' or ')
  if (schema.properties !== undefined) {
    const members = Object.entries(schema.properties).map(([name, member]) => `${name}: ${typeOf(member)}`)
    return `{${members.join(', ')}}`
  }
  if (schema.type === 'array') {
    const pair = schema.prefixItems ?? (Array.isArray(schema.items) ? (schema.items as JsonSchema[]) : undefined)
    if (pair !== undefined) return `[${pair.map(typeOf).join(', ')}]`
    return schema.items === undefined || schema.items === false ? 'list' : `list of ${typeOf(schema.items)}`
  }
  const types = [schema.type ?? 'anything'].flat()
  return types.map((type) => typeWords[type] ?? type).join(' or ')
}

function lastPart(path: string): string {
  return path.split('.').at(-1) ?? ''
}
