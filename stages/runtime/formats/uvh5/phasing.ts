import type { Hdf5File } from '../hdf5/file.ts'
import { unreadable, unsupported, type HeaderValues } from './values.ts'

/**
 * What the phases of a file refer to. A point in the stated direction has flat phase in the file; UVH5 has
 * V = sum S exp(+2 pi i nu/c b . (s - s0)) with b = r(ant_2) - r(ant_1) (pyuvdata, docs/conventions.rst).
 */
export type Phasing =
  /** The DSA-110's dialect: fringe-stopped to hour angle 0 at a declination of date. */
  | { readonly kind: 'meridian'; readonly decOfDateRad: number }
  /** s0 = 0: phases as they come from a correlator that delays nothing; uvw_array is east, north, up. */
  | { readonly kind: 'unprojected' }
  /** s0 fixed to the Earth; azimuth from north through east. */
  | { readonly kind: 'driftscan'; readonly name: string; readonly azimuthRad: number; readonly elevationRad: number }
  /** One place of the sky, J2000 for fk5. */
  | {
      readonly kind: 'sidereal'
      readonly name: string
      readonly raRad: number
      readonly decRad: number
      readonly frame: 'icrs' | 'fk5'
    }

const CATALOGUE = '/Header/phase_center_catalog/'

/** What a catalogue says of one centre; NaN and undefined for what it leaves out. */
interface PhaseCentre {
  name: string
  type: string
  lonRad: number
  latRad: number
  frame: string | undefined
  epoch: string | number | undefined
  /** Proper motion, mas a year, and distance, parsec. */
  motion: readonly number[]
  distance: number
}

/**
 * Reads what a file is phased to: `phase_type` and its companions before version 1.0 of the UVH5 memo, the
 * `phase_center_catalog` from then on. The old type `drift` is what pyuvdata calls `unprojected` today, not its
 * `driftscan` (pyuvdata, UVData.phase_center_catalog: "'driftscan' (fixed position in Az/El, NOT the same as the old
 * phase_type = 'drift') or 'unprojected' (baseline coordinates in ENU, but data are not phased, similar to the old
 * phase_type = 'drift')").
 * @param meridian declination of date of a file of the DSA-110, whose keywords say that it is fringe-stopped to the
 * meridian though its type is `drift`; undefined for other files
 * @throws StageError DATA_UNSUPPORTED by name for moving, near-field and several centres, other frames and epochs
 */
export function readPhasing(file: Hdf5File, values: HeaderValues, meridian: number | undefined): Phasing {
  const hasCatalogue = file.paths.some((path) => path.startsWith(CATALOGUE))
  const phasing = hasCatalogue ? fromCatalogue(file, values) : fromPhaseType(file, values)
  if (meridian === undefined) return phasing
  if (phasing.kind === 'unprojected') return { kind: 'meridian', decOfDateRad: meridian }
  throw unsupported(
    `${file.path}: its keywords say that it is fringe-stopped to the meridian (HADEC), its header that it is phased to a ${phasing.kind} centre: it was phased by a program that did not know the first`,
  )
}

function fromPhaseType(file: Hdf5File, values: HeaderValues): Phasing {
  const text = (name: string): string | undefined =>
    values.has(`/Header/${name}`) ? values.string(`/Header/${name}`) : undefined
  const type = text('phase_type') ?? 'absent'
  if (type === 'drift') return { kind: 'unprojected' }
  if (type !== 'phased') throw unsupported(`${file.path}: /Header/phase_type is ${type}, neither drift nor phased`)
  return phasingOf(file.path, {
    name: text('object_name') ?? 'unknown',
    type: 'sidereal',
    lonRad: values.number('/Header/phase_center_ra'),
    latRad: values.number('/Header/phase_center_dec'),
    // "Options are gcrs and icrs, with default icrs" (UVH5 memo of 2018).
    frame: text('phase_center_frame'),
    epoch: epochAt(values, '/Header/phase_center_epoch'),
    motion: [],
    distance: Number.NaN,
  })
}

function fromCatalogue(file: Hdf5File, values: HeaderValues): Phasing {
  const ids = values.has('/Header/phase_center_id_array') ? values.integers('/Header/phase_center_id_array') : undefined
  const used = new Set(ids)
  if (used.size > 1) {
    throw unsupported(`${file.path}: /Header/phase_center_id_array names ${used.size} phase centres; one is supported`)
  }
  const centres = catalogue(file, values)
  const [id] = used.size === 0 && centres.size === 1 ? centres.keys() : used
  const centre = centres.get(id)
  if (centre === undefined)
    throw unreadable(file.path, `/Header/phase_center_catalog has no entry for phase centre ${id}`)
  return phasingOf(file.path, centre)
}

/** Entries are groups named by their id since version 1.1, and JSON texts named by the centre in version 1.0. */
function catalogue(file: Hdf5File, values: HeaderValues): Map<number, PhaseCentre> {
  const centres = new Map<number, PhaseCentre>()
  const entries = new Set(
    file.paths.filter((path) => path.startsWith(CATALOGUE)).map((path) => path.slice(CATALOGUE.length).split('/')[0]),
  )
  for (const entry of entries) {
    const path = `${CATALOGUE}${entry}`
    if (values.has(path)) {
      const fields = parseJson(file.path, path, values.string(path))
      const id = Number(fields['cat_id'])
      centres.set(id, centreOf({ ...fields, cat_name: entry }))
    } else {
      const fields: Record<string, unknown> = {}
      for (const field of file.paths.filter((candidate) => candidate.startsWith(`${path}/`))) {
        fields[field.slice(path.length + 1)] = anyValue(file, values, field)
      }
      centres.set(Number(entry), centreOf(fields))
    }
  }
  return centres
}

function parseJson(file: string, path: string, text: string): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(text)
    if (typeof parsed === 'object' && parsed !== null) return { ...parsed }
  } catch {
    // Said below: whatever it is, it is no object.
  }
  throw unreadable(file, `${path} holds no JSON object`)
}

/** A text, a number, or undefined for what has several elements or none. */
function anyValue(file: Hdf5File, values: HeaderValues, path: string): unknown {
  const shape = values.shape(path)
  if (shape.reduce((total, length) => total * length, 1) !== 1) return undefined
  const kind = file.dataset(path)?.type.kind
  return kind === 'string' || kind === 'text' ? values.string(path) : values.number(path)
}

function centreOf(fields: Record<string, unknown>): PhaseCentre {
  const text = (name: string): string | undefined => {
    const value = fields[name]
    return typeof value === 'string' ? value : undefined
  }
  const number = (name: string): number => {
    const value = fields[name]
    return typeof value === 'number' ? value : Number.NaN
  }
  const epoch = fields['cat_epoch']
  return {
    name: text('cat_name') ?? 'unknown',
    type: text('cat_type') ?? 'absent',
    lonRad: number('cat_lon'),
    latRad: number('cat_lat'),
    frame: text('cat_frame'),
    epoch: typeof epoch === 'string' || typeof epoch === 'number' ? epoch : undefined,
    motion: [number('cat_pm_ra'), number('cat_pm_dec')],
    distance: number('cat_dist'),
  }
}

function phasingOf(file: string, centre: PhaseCentre): Phasing {
  const { name, type, lonRad, latRad, frame = 'icrs', epoch } = centre
  if (type === 'unprojected') return { kind: 'unprojected' }
  if (type !== 'sidereal' && type !== 'driftscan') {
    throw unsupported(
      `${file}: the phase centre ${name} is of type ${type}; sidereal, driftscan and unprojected ones are supported`,
    )
  }
  if (!Number.isFinite(lonRad) || !(Math.abs(latRad) <= Math.PI / 2)) {
    throw unreadable(file, `the phase centre ${name} has no place: ${lonRad}, ${latRad} rad`)
  }
  if (type === 'driftscan') return { kind: 'driftscan', name, azimuthRad: lonRad, elevationRad: latRad }
  if (centre.motion.some((mas) => mas !== 0 && Number.isFinite(mas)) || centre.distance > 0) {
    throw unsupported(`${file}: the phase centre ${name} has a proper motion or a distance`)
  }
  if (frame !== 'icrs' && frame !== 'fk5') {
    throw unsupported(`${file}: the phase centre ${name} is given in the frame ${frame}; icrs and fk5 are supported`)
  }
  // An epoch says nothing of a place in ICRS that does not move.
  if (frame === 'fk5' && !(epoch === undefined || epoch === 2000 || epoch === 'J2000' || epoch === 'J2000.0')) {
    throw unsupported(`${file}: the phase centre ${name} is given for epoch ${epoch}; J2000 is supported`)
  }
  return { kind: 'sidereal', name, raRad: lonRad, decRad: latRad, frame }
}

function epochAt(values: HeaderValues, path: string): number | undefined {
  return values.has(path) ? values.number(path) : undefined
}
