import { z } from 'zod'
import { apiVersion } from '#runtime/stage/contract.ts'
import type { Scan, ScanObservation } from '../../stages/conversion/scan-schema.ts'
import { pickByPrefix, type Pick } from './ids.ts'

/** By these a raw file is known again. Its change time tells what its other times can be set to hide. */
const identitySchema = z.object({ bytes: z.number(), mtimeMs: z.number(), ctimeMs: z.number() })
export type RawIdentity = z.infer<typeof identitySchema>

/** Why a raw file was set aside, as a file under `quarantine/` holds it. */
export const quarantineSchema = z.object({
  apiVersion: z.literal(apiVersion),
  observation: z.string(),
  /** Name in the input folder; that of the observation where a step did not say which of its files it was. */
  file: z.string(),
  code: z.string(),
  message: z.string(),
  hint: z.string().optional(),
  /** The step that found it; absent where the scan did, which finds it again every time. */
  stage: z.string().optional(),
  input: z.string(),
  run: z.string(),
  at: z.string(),
  /** The files that are at fault, as they were then. */
  evidence: z.array(
    identitySchema.extend({
      file: z.string(),
      fingerprint: z.string().optional(),
    }),
  ),
})
export type QuarantineRecord = z.infer<typeof quarantineSchema>

/** `replaced` and `gone`: the entry says nothing about what is there now, and the next run drops it. */
export type QuarantineState = 'set aside' | 'replaced' | 'gone'

/** @param now what is at the place of each file of the evidence */
export function quarantineState(
  { evidence }: Some<QuarantineRecord, 'evidence'>,
  now: (file: string) => RawIdentity | undefined,
): QuarantineState {
  const places = evidence.map((file) => now(file.file))
  if (places.length > 0 && places.every((place) => place === undefined)) return 'gone'
  const same = evidence.every((file, index) => {
    const place = places[index]
    return place !== undefined && sameFile(file, place)
  })
  return same ? 'set aside' : 'replaced'
}

type Some<T, K extends keyof T> = { [P in K]: T[P] }

function sameFile(a: RawIdentity, b: RawIdentity): boolean {
  return a.bytes === b.bytes && a.mtimeMs === b.mtimeMs && a.ctimeMs === b.ctimeMs
}

/** What an entry is called on the command line. */
export function quarantineId({ observation, file }: Some<QuarantineRecord, 'observation' | 'file'>): string {
  return `${observation}/${file}`
}

/**
 * The entries that a word on the command line means: those of an observation, the one of a file, or an id or the
 * beginning of one.
 */
export function pickEntries<T extends Some<QuarantineRecord, 'observation' | 'file'>>(
  wanted: string,
  entries: readonly T[],
): Pick<T> {
  const whole = entries.filter(({ observation, file }) => observation === wanted || file === wanted)
  const [first] = whole
  if (first !== undefined) return whole.length === 1 ? { kind: 'one', found: first } : { kind: 'several', found: whole }
  return pickByPrefix(wanted, entries, quarantineId)
}

/**
 * A scan without what earlier steps found at fault: such files count as faults of their observation. What a scan finds by
 * itself is not taken from the quarantine: a file that the scan has nothing against any more is as good as any.
 */
export function withoutSetAside(scan: Scan, records: readonly QuarantineRecord[]): Scan {
  const found = records.filter(({ stage }) => stage !== undefined)
  if (found.length === 0) return scan
  const faults: Scan['faults'] = [...scan.faults]
  const observations = scan.observations.flatMap((observation): ScanObservation[] => {
    const own = found.filter((record) => record.observation === observation.id)
    if (own.length === 0) return [observation]
    const whole = own.find(({ file }) => file === observation.id)
    const aside = observation.files.filter(({ path }) => whole !== undefined || own.some(({ file }) => file === path))
    const why = aside.map(({ path }) => faultOf(own.find(({ file }) => file === path) ?? whole, path))
    const files = observation.files.filter((file) => !aside.includes(file))
    if (files.length === 0) {
      faults.push(...[...observation.faults, ...why].map((fault) => ({ ...fault, observation: observation.id })))
      return []
    }
    const subbands = files.map(({ subband }) => subband)
    return [
      {
        ...observation,
        files,
        subbands,
        shape: { ...observation.shape, subbands: subbands.length },
        faults: [...observation.faults, ...why],
      },
    ]
  })
  return { ...scan, observations, faults }
}

function faultOf(record: QuarantineRecord | undefined, file: string): Scan['faults'][number] {
  if (record === undefined) throw new RangeError(`${file} is not set aside`)
  const { code, message, run, at } = record
  return {
    file,
    code: code as Scan['faults'][number]['code'],
    message: `set aside since run ${run} (${at.slice(0, 16).replace('T', ' ')} UTC): ${message}`,
    hint: `copy the file again, or put it back as it is with contimg quarantine --release ${quarantineId(record)}`,
  }
}

/** Whether a scan still has something against the file of an entry that a scan made. */
export function stillAtFault(scan: Scan, { file }: Some<QuarantineRecord, 'file'>): boolean {
  return [...scan.faults, ...scan.observations.flatMap(({ faults }) => faults)].some((fault) => fault.file === file)
}
