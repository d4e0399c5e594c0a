import { createHash } from 'node:crypto'
import type { StageName } from '#runtime/stage/contract.ts'
import { canonicalJson } from '#runtime/stage/files.ts'
import { plannerParams } from './stages.ts'

/** Digits of a key that name a product's folder. */
export const KEY_DIGITS = 12

/** Everything that decides the bytes of a product; its hash is the key. */
export interface KeyParts {
  stage: StageName
  version: number
  params: Record<string, unknown>
  /** Per input its identity: a fingerprint, a content hash, or `<upstream key>:<output>`; a list for raw files. */
  inputs: Record<string, string | readonly string[]>
}

/** The key of a step: sha256 of the canonical JSON of its parts. */
export function stepKey(parts: KeyParts): string {
  return createHash('sha256').update(canonicalJson(parts)).digest('hex')
}

/** The product folder of a step, relative to the data root. */
export function productPath({
  observation,
  stage,
  key,
}: {
  observation: string
  stage: StageName
  key: string
}): string {
  return `products/${observation}/${stage}/${key.slice(0, KEY_DIGITS)}`
}

/** The step that the path of a product tells of; of its key only the digits that name the folder. */
export function stepOfProduct(product: string): { observation: string; stage: StageName; key: string } {
  const [, observation = '', stage = '', key = ''] = product.split('/')
  return { observation, stage: stage as StageName, key }
}

/**
 * The parts that differ between two keys of one stage, as text for people, the deciding ones first: the contract, what a
 * person set, what the planner made of it, the inputs.
 */
export function differences(before: KeyParts, after: KeyParts): string[] {
  const found: string[] = []
  if (before.version !== after.version) found.push(`contract version ${before.version} -> ${after.version}`)
  const derived = (name: string): boolean => plannerParams[after.stage]?.includes(name) === true
  const names = sortedUnion(before.params, after.params)
  for (const name of [...names.filter((candidate) => !derived(candidate)), ...names.filter(derived)])
    found.push(...differingMembers(`params.${name}`, member(before.params, name), member(after.params, name)))
  for (const name of sortedUnion(before.inputs, after.inputs)) {
    const [old, now] = [member(before.inputs, name), member(after.inputs, name)]
    if (!isEqual(old, now)) found.push(`input ${name} ${short(old)} -> ${short(now)}`)
  }
  return found
}

/**
 * Why a step has no product although its observation has others of the stage: the first part that differs from the
 * nearest of them (fewest differences; the first given wins a tie). Undefined when there is none to compare with.
 */
export function explainMiss(parts: KeyParts, others: readonly KeyParts[]): string | undefined {
  let nearest: string[] | undefined
  for (const other of others) {
    const found = differences(other, parts)
    if (found.length > 0 && (nearest === undefined || found.length < nearest.length)) nearest = found
  }
  return nearest?.[0]
}

function differingMembers(path: string, before: unknown, after: unknown): string[] {
  if (isEqual(before, after)) return []
  if (isRecord(before) && isRecord(after)) {
    return sortedUnion(before, after).flatMap((name) =>
      differingMembers(`${path}.${name}`, member(before, name), member(after, name)),
    )
  }
  return [`${path} ${brief(before)} -> ${brief(after)}`]
}

function isEqual(a: unknown, b: unknown): boolean {
  return a === undefined || b === undefined ? a === b : canonicalJson(a) === canonicalJson(b)
}

function sortedUnion(a: Record<string, unknown>, b: Record<string, unknown>): string[] {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].sort()
}

/** A member of its own: the name may be one that every object knows, `constructor` for example. */
function member<T>(record: Record<string, T>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function brief(value: unknown): string {
  if (value === undefined) return 'unset'
  const text = typeof value === 'string' ? value : canonicalJson(value)
  return text.length > 40 ? `${text.slice(0, 37)}...` : text
}

function short(identity: string | readonly string[] | undefined): string {
  if (identity === undefined) return 'none'
  if (typeof identity === 'string') return identity.slice(0, KEY_DIGITS)
  return `${identity.length} files (${createHash('sha256').update(identity.join()).digest('hex').slice(0, KEY_DIGITS)})`
}
