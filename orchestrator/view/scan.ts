import type { Scan, ScanFault, ScanObservation, ScanWarning } from '../../stages/conversion/scan-schema.ts'
import { bytes, count, glyph, table, type Style } from './format.ts'

/** What a complete observation consists of. */
export interface Expected {
  readonly subbands: readonly number[]
  readonly integrations: number
}

/** What `contimg scan` prints as JSON; removing a field is a breaking change. */
export interface ScanDocument {
  apiVersion: string
  input: string
  /** Raw files looked at, and the size of those that can be used. */
  files: number
  bytes: number
  expected: Expected
  counts: { observations: number; complete: number }
  observations: ScannedObservation[]
  /** Observations that files seem to belong to of which none can be used; `faults` says why. */
  unusable: { id: string; files: number }[]
  faults: Scan['faults']
  warnings: ScanWarning[]
}

interface ScannedObservation extends ScanObservation {
  /** Leading edge of the first integration, UTC. */
  start: string
  decOfDateDeg: number
  bytes: number
  complete: boolean
  /** Why it is not complete. */
  why: string[]
  absentSubbands: number[]
}

interface Selection {
  expected: Expected
  /** Only observations that are not complete. */
  incomplete: boolean
}

/** Names of files under one fault; more of them are counted. */
const NAMED_FILES = 3

const MJD_UNIX_EPOCH = 40_587

/** A scan as one document, with what the command says of each observation. */
export function scanDocument(scan: Scan, { expected, incomplete }: Selection): ScanDocument {
  const observations = scan.observations.map((observation) => scanned(observation, expected))
  const lost = new Map<string, number>()
  for (const { observation: id } of scan.faults) if (id !== undefined) lost.set(id, (lost.get(id) ?? 0) + 1)
  return {
    apiVersion: scan.apiVersion,
    input: scan.input,
    files: scan.files,
    bytes: observations.reduce((sum, observation) => sum + observation.bytes, 0),
    expected,
    counts: {
      observations: observations.length,
      complete: observations.filter(({ complete }) => complete).length,
    },
    observations: observations.filter(({ complete }) => !incomplete || !complete),
    unusable: [...lost].map(([id, files]) => ({ id, files })),
    faults: scan.faults,
    warnings: scan.warnings,
  }
}

/** The ids of all that is listed, in order. */
export function scanNames({ observations, unusable }: ScanDocument): string[] {
  return [...observations, ...unusable].map(({ id }) => id).sort()
}

/** One line an observation, then the files that are not used, then the sum. */
export function scanLines(document: ScanDocument, { wide, utf8 }: Style & { wide: boolean }): string[] {
  const { observations, unusable, expected } = document
  const head = ['OBSERVATION', 'START', 'DEC', 'SUBBANDS', 'ANTENNAS', 'INTEGRATIONS', 'SIZE', 'STATE']
  const rows = [
    ...observations.map((observation) => [...row(observation, expected), ...(wide ? wideCells(observation) : [])]),
    ...unusable.map(({ id, files }) => [
      id,
      '',
      '',
      `0/${expected.subbands.length}`,
      '',
      '',
      '',
      `${count(files, 'file')} not used`,
    ]),
  ].sort(([a = ''], [b = '']) => (a < b ? -1 : 1))
  const faults = [...observations.flatMap((observation) => observation.faults), ...document.faults]
  const warnings = [...document.warnings, ...(wide ? observations.flatMap(fileWarnings) : [])]
  return [
    ...(rows.length === 0 ? [] : table([wide ? [...head, 'RA', 'CALIBRATOR'] : head, ...rows])),
    ...faultLines(faults, { utf8 }),
    ...warnings.map(
      ({ file, message }) => `${glyph('note', { utf8 })} ${file === undefined ? '' : `${file}: `}${message}`,
    ),
    sumLine(document, faults.length),
  ]
}

function scanned(observation: ScanObservation, expected: Expected): ScannedObservation {
  const { startMjdUtc, decOfDateRad, files, subbands, shape, faults } = observation
  const absentSubbands = expected.subbands.filter((subband) => !subbands.includes(subband)).sort((a, b) => a - b)
  const why = [
    ...(absentSubbands.length === 0
      ? []
      : [`${absentSubbands.length === 1 ? 'subband' : 'subbands'} ${ranges(absentSubbands)} absent`]),
    ...(shape.integrations < expected.integrations
      ? [`${shape.integrations} of ${count(expected.integrations, 'integration')}`]
      : []),
    ...(faults.length === 0 ? [] : [`${count(faults.length, 'file')} not used`]),
  ]
  return {
    ...observation,
    start: new Date(Math.round((startMjdUtc - MJD_UNIX_EPOCH) * 86_400_000)).toISOString(),
    decOfDateDeg: (decOfDateRad * 180) / Math.PI,
    bytes: files.reduce((sum, file) => sum + file.bytes, 0),
    complete: why.length === 0,
    why,
    absentSubbands,
  }
}

function row(observation: ScannedObservation, expected: Expected): string[] {
  const { id, start, decOfDateDeg, shape, complete, why, absentSubbands } = observation
  return [
    id,
    // Rounded to the second, as the id is.
    new Date(Math.round(Date.parse(start) / 1000) * 1000).toISOString().slice(0, 19).replace('T', ' '),
    `${decOfDateDeg < 0 ? '' : '+'}${decOfDateDeg.toFixed(2)}`,
    `${expected.subbands.length - absentSubbands.length}/${expected.subbands.length}`,
    String(shape.antennas),
    `${shape.integrations}/${expected.integrations}`,
    bytes(observation.bytes),
    complete ? 'complete' : why.join('; '),
  ]
}

function wideCells({ centre, calibrators }: ScannedObservation): string[] {
  const [best] = calibrators
  const calibrator =
    best === undefined ? '' : `${best.name} ${best.apparentFluxJy.toFixed(1)} Jy, beam ${best.meanBeam.toFixed(2)}`
  return [centre.raDeg.toFixed(3), calibrator]
}

/** What concerns an observation as a whole is in its line already. */
function fileWarnings({ warnings }: ScannedObservation): ScanWarning[] {
  return warnings.filter(({ file }) => file !== undefined)
}

/** Equal faults are told once, with the first files that have them. */
function faultLines(faults: readonly ScanFault[], style: Style): string[] {
  const byMessage = new Map<string, ScanFault[]>()
  for (const fault of faults) {
    const key = `${fault.code} ${fault.message}`
    byMessage.set(key, [...(byMessage.get(key) ?? []), fault])
  }
  return [...byMessage.values()].flatMap((equal) => {
    const [{ code, message, hint }] = equal as [ScanFault, ...ScanFault[]]
    const names = equal.slice(0, NAMED_FILES).map(({ file }) => file)
    const more = equal.length > names.length ? ` and ${equal.length - names.length} more` : ''
    return [`${glyph('failed', style)} ${names.join(', ')}${more}: ${message} [${code}]`, `  fix   ${hint}`]
  })
}

function sumLine({ files, counts, bytes: size }: ScanDocument, faults: number): string {
  const { observations, complete } = counts
  const rest = observations - complete
  const parts = [
    count(files, 'file'),
    bytes(size),
    `${count(observations, 'observation')}: ${complete} complete${rest === 0 ? '' : `, ${rest} not`}`,
    ...(faults === 0 ? [] : [`${count(faults, 'file')} not used`]),
  ]
  return parts.join(', ')
}

/** Subband indices as people write them: `04, 09, 11-13`. */
function ranges(subbands: readonly number[]): string {
  const runs: number[][] = []
  for (const subband of subbands) {
    const last = runs.at(-1)
    if (last?.at(-1) === subband - 1) last.push(subband)
    else runs.push([subband])
  }
  return runs
    .flatMap((run) => (run.length < 3 ? run.map(twoDigits) : [`${twoDigits(run[0])}-${twoDigits(run.at(-1) ?? 0)}`]))
    .join(', ')
}

function twoDigits(subband: number): string {
  return String(subband).padStart(2, '0')
}
