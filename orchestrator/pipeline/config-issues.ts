import { isMap, isScalar, type Document, type LineCounter } from 'yaml'
import { z } from 'zod'
import { canonicalJson } from '#runtime/stage/files.ts'
import { inputSchema, rangeOf, unitOf } from './config-keys.ts'
import { didYouMean } from './did-you-mean.ts'
import type { Override } from './config.ts'

/** Where the values of a configuration came from. */
export interface ConfigOrigin {
  file: string | undefined
  document: Document | undefined
  lineCounter: LineCounter
  overrides: readonly Override[]
}

interface Surroundings {
  schema: z.ZodType
  value: unknown
  origin: ConfigOrigin
}

/** A finding as a line for people, and where in the file it is (findings of flags come after all of the file). */
export interface ConfigFinding {
  text: string
  offset: number
}

/** One schema violation as findings: place, key, what was expected, what was given; one finding per unknown key. */
export function describeIssue(issue: z.core.$ZodIssue, { schema, value, origin }: Surroundings): ConfigFinding[] {
  const path = issue.path.map(String)
  if (issue.code === 'unrecognized_keys') {
    const known = knownKeys(schemaAt(schema, path))
    return issue.keys.map((key) => {
      const meant = didYouMean(key, known)
      const hint = meant === undefined ? `; known here: ${known.join(', ')}` : `; did you mean "${meant}"?`
      const inside = path.length === 0 ? '' : ` in ${path.join('.')}`
      const { text, offset } = place([...path, key], origin, true)
      return { text: `${text}   unknown key "${key}"${inside}${hint}`, offset }
    })
  }
  const wanted = schemaAt(schema, path)
  const meaning = wanted?.description === undefined ? '' : ` (${wanted.description})`
  const { text, offset } = place(path, origin, false)
  const expected = expectation(issue, valueAt(value, path))
  const found = issue.code === 'custom' ? expected : `${expected}${allowed(wanted, { path, expected })}`
  return [{ text: `${text}   ${path.join('.')}: ${found}${meaning}`, offset }]
}

/** The range and the unit of a value, where it has them and they are not said yet: `; allowed 64 to 16384, even; unit pixels`. */
function allowed(
  schema: z.ZodType | undefined,
  { path, expected }: { path: readonly string[]; expected: string },
): string {
  if (schema === undefined) return ''
  const range = rangeOf(inputSchema(schema))
  const unit = unitOf(path)
  const said = range === undefined || expected.includes(`expected ${range},`)
  return `${said ? '' : `; allowed ${range}`}${unit === undefined ? '' : `; unit ${unit}`}`
}

function expectation(issue: z.core.$ZodIssue, given: unknown): string {
  const got = `got ${given === undefined ? 'nothing' : brief(given)}`
  switch (issue.code) {
    case 'invalid_type':
      return `expected ${issue.expected}, ${got}`
    case 'too_small':
      return `expected ${bound(issue.origin, issue.inclusive === false ? '>' : '>=', issue.minimum)}, ${got}`
    case 'too_big':
      return `expected ${bound(issue.origin, issue.inclusive === false ? '<' : '<=', issue.maximum)}, ${got}`
    case 'invalid_value': {
      const meant = typeof given === 'string' ? didYouMean(given, issue.values.map(String)) : undefined
      const hint = meant === undefined ? '' : `; did you mean "${meant}"?`
      return `expected ${issue.values.length === 1 ? '' : 'one of '}${issue.values.map(String).join(', ')}, ${got}${hint}`
    }
    case 'invalid_union': {
      const options = new Set(
        issue.errors.flat().map((inner) =>
          expectation(inner, given)
            .replace(/^expected /, '')
            .replace(/, got .*$/s, ''),
        ),
      )
      return options.size === 0 ? `${issue.message}, ${got}` : `expected ${[...options].join(' or ')}, ${got}`
    }
    default:
      return `${issue.message}, ${got}`
  }
}

function bound(origin: string, sign: string, limit: number | bigint): string {
  if (origin === 'string') return `${sign} ${limit} characters`
  if (origin === 'array' || origin === 'set') return `${sign} ${limit} entries`
  return `${sign} ${limit}`
}

function jsonOf(value: unknown): string {
  try {
    return canonicalJson(value)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    return 'something nested without end'
  }
}

function brief(value: unknown): string {
  const text = typeof value === 'string' ? `"${value}"` : jsonOf(value)
  return text.length > 60 ? `${text.slice(0, 57)}...` : text
}

/** The flag that set a value, else its line and column in the file, else its key. */
function place(path: readonly string[], origin: ConfigOrigin, key: boolean): ConfigFinding {
  const override = origin.overrides.findLast(
    (candidate) => isPrefix(candidate.path, path) || (!key && isPrefix(path, candidate.path) && path.length > 0),
  )
  if (override !== undefined) return { text: override.origin, offset: Number.POSITIVE_INFINITY }
  const offset = origin.document === undefined ? undefined : offsetOf(origin.document, path, key)
  if (offset === undefined) return { text: origin.file ?? 'configuration', offset: -1 }
  const { line, col } = origin.lineCounter.linePos(offset)
  return { text: `${origin.file}:${line}:${col}`, offset }
}

function isPrefix(short: readonly string[], long: readonly string[]): boolean {
  return short.length <= long.length && short.every((part, index) => part === long[index])
}

/** Offset of a key, or of its value; of the nearest parent when the key is not in the file. */
function offsetOf(document: Document, path: readonly string[], key: boolean): number | undefined {
  let node: unknown = document.contents
  let offset: number | undefined
  for (const part of path) {
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === part)
      if (pair === undefined) return offset
      offset = (pair.key as { range?: [number, number, number] }).range?.[0]
      node = pair.value
    } else {
      node = document.getIn(path.slice(0, path.indexOf(part) + 1).map(numeric), true)
    }
  }
  const range = (node as { range?: [number, number, number] } | null)?.range
  return key ? offset : (range?.[0] ?? offset)
}

function numeric(part: string): string | number {
  return /^\d+$/.test(part) ? Number(part) : part
}

function valueAt(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((node, part) => (node as Record<string, unknown> | undefined)?.[part], value)
}

/** The schema of a place in the configuration, through defaults, optionals and transforms; undefined where there is none. */
function schemaAt(schema: z.ZodType, path: readonly string[]): z.ZodType | undefined {
  let node: z.ZodType | undefined = schema
  for (const part of path) {
    const inner: z.ZodType | undefined = node === undefined ? undefined : unwrap(node)
    if (inner instanceof z.ZodObject) node = inner.shape[part] as z.ZodType | undefined
    else if (inner instanceof z.ZodArray) node = inner.element as z.ZodType
    else if (inner instanceof z.ZodRecord) node = inner.valueType as z.ZodType
    else return undefined
  }
  return node
}

function knownKeys(schema: z.ZodType | undefined): string[] {
  const inner = schema === undefined ? undefined : unwrap(schema)
  return inner instanceof z.ZodObject ? Object.keys(inner.shape) : []
}

function unwrap(schema: z.ZodType): z.ZodType {
  if (
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodNullable ||
    schema instanceof z.ZodReadonly
  ) {
    return unwrap(schema.unwrap() as z.ZodType)
  }
  return schema instanceof z.ZodPipe ? unwrap(schema.in as z.ZodType) : schema
}
