import type { Scan, ScanObservation } from '../../stages/conversion/contract.ts'
import type { RunConfig } from './config.ts'
import { isQuarantine, type Problem } from './problem.ts'

/** A raw file set aside, with the reason. */
export interface QuarantineEntry {
  observation: string
  file: string
  code: string
  message: string
  hint?: string
}

/** An observation that gets no steps. */
export interface RejectedObservation {
  id: string
  status: 'failed' | 'skipped'
  problem: Problem
}

export interface Admission {
  admitted: ScanObservation[]
  rejected: RejectedObservation[]
  quarantined: QuarantineEntry[]
  /** Files that are not used and have nothing wrong with them: still being written. */
  unused: QuarantineEntry[]
}

type Fault = Scan['faults'][number]

/**
 * Which observations of a scan are fit to be processed: selected, and with enough readable subbands. Files at fault are
 * quarantined; an observation fails when they are the reason that too few subbands are left, and is skipped when the
 * others were never there.
 */
export function admit(scan: Scan, config: RunConfig): Admission {
  const known = new Set(scan.observations.map(({ id }) => id))
  const selected = selection(config.observations)
  const admitted: ScanObservation[] = []
  const rejected: RejectedObservation[] = []
  const quarantined: QuarantineEntry[] = []
  const unused: QuarantineEntry[] = []
  const sort = (id: string, faults: readonly Fault[]): void =>
    faults.forEach((fault) => (isQuarantine(fault.code) ? quarantined : unused).push(entryOf(id, fault)))
  for (const observation of scan.observations.filter(({ id }) => selected(id))) {
    const faults = [...observation.faults, ...scan.faults.filter((fault) => fault.observation === observation.id)]
    sort(observation.id, faults)
    const problem = tooFew(observation, faults, config)
    if (problem === undefined) admitted.push(observation)
    else
      rejected.push({ id: observation.id, status: problem.code === 'SUBBANDS_MISSING' ? 'skipped' : 'failed', problem })
  }
  for (const [id, faults] of strayFaults(scan, known)) {
    if (!selected(id)) continue
    sort(id, faults)
    const atFault = faults.filter(({ code }) => isQuarantine(code))
    rejected.push(
      atFault.length === 0
        ? { id, status: 'skipped', problem: faultProblem(faults) }
        : { id, status: 'failed', problem: faultProblem(atFault) },
    )
  }
  return { admitted, rejected, quarantined, unused }
}

/**
 * Whether an observation is selected by the ids, patterns (`*`, `?`) and ranges (`20260125..20260126T12`, both ends and
 * all that begins with them included) of the configuration.
 */
export function selection(patterns: readonly string[] | undefined): (id: string) => boolean {
  if (patterns === undefined) return () => true
  const tests = patterns.map((pattern) => {
    const [from, to] = pattern.split('..')
    if (from !== undefined && to !== undefined)
      return (id: string) => id >= from && (to === '' || id <= to || id.startsWith(to))
    const expression = new RegExp(
      `^${pattern
        .replace(/[.+^${}()|[\]\\]/g, '\\$&')
        .replaceAll('*', '.*')
        .replaceAll('?', '.')}$`,
    )
    return (id: string) => expression.test(id)
  })
  return (id) => tests.some((fits) => fits(id))
}

function tooFew(observation: ScanObservation, faults: readonly Fault[], config: RunConfig): Problem | undefined {
  const expected: readonly number[] = config.conversion.expect.subbands
  const { minSubbands } = config.ingest
  const present = expected.filter((subband) => observation.subbands.includes(subband))
  if (present.length >= minSubbands) return undefined
  const unreadable = faults.filter(({ code }) => isQuarantine(code))
  if (unreadable.length > 0) {
    const problem = faultProblem(unreadable)
    return {
      ...problem,
      message: `${problem.message}; ${present.length} of ${expected.length} subbands are left, at least ${minSubbands} are needed`,
    }
  }
  const absent = expected.filter((subband) => !observation.subbands.includes(subband))
  const list = absent.map((subband) => String(subband).padStart(2, '0')).join(', ')
  return {
    code: 'SUBBANDS_MISSING',
    message: `${absent.length} of ${expected.length} subbands are missing (${list}); ingest.minSubbands asks for at least ${minSubbands}`,
    hint: `copy the missing files and run the same command again, or image what is there and record the gap, with ingest.minSubbands=${Math.max(1, present.length)}:`,
    again: ['--set', `ingest.minSubbands=${Math.max(1, present.length)}`],
  }
}

/** Faults of files that belong to no observation of the scan, by the observation they seem to belong to, else by file. */
function strayFaults(scan: Scan, known: ReadonlySet<string>): Map<string, Fault[]> {
  const stray = new Map<string, Fault[]>()
  for (const fault of scan.faults) {
    if (fault.observation !== undefined && known.has(fault.observation)) continue
    const id = fault.observation ?? fault.file
    stray.set(id, [...(stray.get(id) ?? []), fault])
  }
  return stray
}

function faultProblem(faults: readonly Fault[]): Problem {
  const [first] = faults as readonly [Fault, ...Fault[]]
  const others =
    faults.length === 1 ? '' : ` (and ${faults.length - 1} more file${faults.length === 2 ? '' : 's'} at fault)`
  return {
    code: first.code,
    message: `${first.file}: ${first.message}${others}`,
    ...(first.hint === undefined ? {} : { hint: first.hint }),
  }
}

function entryOf(observation: string, { file, code, message, hint }: Fault): QuarantineEntry {
  return { observation, file, code, message, ...(hint === undefined ? {} : { hint }) }
}
