import type { ArrayCell, ColumnSpec } from './column.ts'
import { direction, epoch, frequency, hertz, kelvin, metre, position, radian, second, topocentric } from './measures.ts'
import type { KeywordRecord } from './record.ts'
import type { MsMetadata } from './schema.ts'
import type { FilledColumn, TableContent } from './table.ts'

/** The subtables that a MeasurementSet of version 2.0 must have. */
export const subtableNames = [
  'ANTENNA',
  'DATA_DESCRIPTION',
  'FEED',
  'FIELD',
  'FLAG_CMD',
  'HISTORY',
  'OBSERVATION',
  'POINTING',
  'POLARIZATION',
  'PROCESSOR',
  'SPECTRAL_WINDOW',
  'STATE',
] as const
export type SubtableName = (typeof subtableNames)[number]

/** All subtables of a set, ready to be written. */
export function subtables(metadata: MsMetadata): Record<SubtableName, TableContent> {
  return {
    ANTENNA: antennaTable(metadata),
    DATA_DESCRIPTION: table(1, [ints('SPECTRAL_WINDOW_ID', [0]), ints('POLARIZATION_ID', [0]), bools('FLAG_ROW', [0])]),
    FEED: feedTable(metadata),
    FIELD: fieldTable(metadata),
    FLAG_CMD: table(0, [
      doubles('TIME', [], epoch),
      doubles('INTERVAL', [], second),
      strings('TYPE', []),
      strings('REASON', []),
      ints('LEVEL', []),
      ints('SEVERITY', []),
      bools('APPLIED', []),
      strings('COMMAND', []),
    ]),
    HISTORY: historyTable(metadata),
    OBSERVATION: observationTable(metadata),
    POINTING: table(0, [
      ints('ANTENNA_ID', []),
      doubles('TIME', [], epoch),
      doubles('INTERVAL', [], second),
      strings('NAME', []),
      ints('NUM_POLY', []),
      doubles('TIME_ORIGIN', [], epoch),
      arrays('DIRECTION', [], { type: 'double', dimensions: 2, keywords: direction }),
      arrays('TARGET', [], { type: 'double', dimensions: -1, keywords: direction }),
      bools('TRACKING', []),
    ]),
    POLARIZATION: polarizationTable(metadata),
    PROCESSOR: table(0, [
      strings('TYPE', []),
      strings('SUB_TYPE', []),
      ints('TYPE_ID', []),
      ints('MODE_ID', []),
      bools('FLAG_ROW', []),
    ]),
    SPECTRAL_WINDOW: spectralWindowTable(metadata),
    STATE: table(0, [
      bools('SIG', []),
      bools('REF', []),
      doubles('CAL', [], kelvin),
      doubles('LOAD', [], kelvin),
      ints('SUB_SCAN', []),
      strings('OBS_MODE', []),
      bools('FLAG_ROW', []),
    ]),
  }
}

function antennaTable({ antennas }: MsMetadata): TableContent {
  const rows = antennas.length
  return table(rows, [
    doubles('OFFSET', new Float64Array(3 * rows), position, [3]),
    doubles(
      'POSITION',
      antennas.flatMap((antenna) => antenna.positionM),
      position,
      [3],
    ),
    strings(
      'TYPE',
      antennas.map(() => 'GROUND-BASED'),
    ),
    doubles(
      'DISH_DIAMETER',
      antennas.map((antenna) => antenna.diameterM),
      metre,
    ),
    bools('FLAG_ROW', new Uint8Array(rows)),
    strings(
      'MOUNT',
      antennas.map(() => 'ALT-AZ'),
    ),
    strings(
      'NAME',
      antennas.map((antenna) => antenna.name),
    ),
    strings(
      'STATION',
      antennas.map((antenna) => antenna.name),
    ),
  ])
}

function feedTable({ antennas, stokes }: MsMetadata): TableContent {
  const rows = antennas.length
  const all = (value: number): number[] => repeat(value, rows)
  const each = (cell: ArrayCell): ArrayCell[] => repeat(cell, rows)
  const receptors = receptorTypes(stokes)
  return table(rows, [
    doubles('POSITION', new Float64Array(3 * rows), position, [3]),
    arrays('BEAM_OFFSET', each({ shape: [2, 2], values: [0, 0, 0, 0] }), {
      type: 'double',
      dimensions: 2,
      keywords: direction,
    }),
    arrays('POLARIZATION_TYPE', each({ shape: [2], values: receptors }), { type: 'String', dimensions: 1 }),
    arrays('POL_RESPONSE', each({ shape: [2, 2], values: [1, 0, 0, 0, 0, 0, 1, 0] }), {
      type: 'Complex',
      dimensions: 2,
    }),
    arrays('RECEPTOR_ANGLE', each({ shape: [2], values: [0, 0] }), { type: 'double', dimensions: 1, keywords: radian }),
    ints(
      'ANTENNA_ID',
      antennas.map((_, index) => index),
    ),
    ints('BEAM_ID', all(-1)),
    ints('FEED_ID', all(0)),
    doubles('INTERVAL', all(0), second),
    ints('NUM_RECEPTORS', all(2)),
    ints('SPECTRAL_WINDOW_ID', all(-1)),
    doubles('TIME', all(0), epoch),
  ])
}

function fieldTable({ fieldName, phaseCentre, timeRangeMjdS }: MsMetadata): TableContent {
  const centre: ArrayCell[] = [{ shape: [2, 1], values: [phaseCentre.raRad, phaseCentre.decRad] }]
  const spec = { type: 'double', dimensions: 2, keywords: direction } as const
  return table(1, [
    arrays('DELAY_DIR', centre, spec),
    arrays('PHASE_DIR', centre, spec),
    arrays('REFERENCE_DIR', centre, spec),
    strings('CODE', ['']),
    bools('FLAG_ROW', [0]),
    strings('NAME', [fieldName]),
    ints('NUM_POLY', [0]),
    ints('SOURCE_ID', [-1]),
    doubles('TIME', [timeRangeMjdS[0]], epoch),
  ])
}

function historyTable({ history }: MsMetadata): TableContent {
  const rows = history.length
  const all = <T>(value: T): T[] => repeat(value, rows)
  const none: ArrayCell = { shape: [1], values: [''] }
  return table(rows, [
    arrays('APP_PARAMS', all(none), { type: 'String', dimensions: 1 }),
    arrays('CLI_COMMAND', all(none), { type: 'String', dimensions: 1 }),
    strings(
      'APPLICATION',
      history.map((entry) => entry.application),
    ),
    strings(
      'MESSAGE',
      history.map((entry) => entry.message),
    ),
    ints('OBJECT_ID', all(-1)),
    ints('OBSERVATION_ID', all(0)),
    strings(
      'ORIGIN',
      history.map((entry) => entry.application),
    ),
    strings('PRIORITY', all('INFO')),
    doubles(
      'TIME',
      history.map((entry) => entry.timeMjdS),
      epoch,
    ),
  ])
}

function observationTable({ telescopeName, observer, project, timeRangeMjdS }: MsMetadata): TableContent {
  return table(1, [
    doubles('TIME_RANGE', [...timeRangeMjdS], epoch, [2]),
    arrays('LOG', [undefined], { type: 'String', dimensions: 1 }),
    arrays('SCHEDULE', [undefined], { type: 'String', dimensions: 1 }),
    bools('FLAG_ROW', [0]),
    strings('OBSERVER', [observer]),
    strings('PROJECT', [project]),
    doubles('RELEASE_DATE', [0], epoch),
    strings('SCHEDULE_TYPE', ['']),
    strings('TELESCOPE_NAME', [telescopeName]),
  ])
}

function polarizationTable({ stokes }: MsMetadata): TableContent {
  const products = stokes.flatMap((code) => receptorPair(code))
  return table(1, [
    arrays('CORR_TYPE', [{ shape: [stokes.length], values: stokes }], { type: 'Int', dimensions: 1 }),
    arrays('CORR_PRODUCT', [{ shape: [2, stokes.length], values: products }], { type: 'Int', dimensions: 2 }),
    bools('FLAG_ROW', [0]),
    ints('NUM_CORR', [stokes.length]),
  ])
}

function spectralWindowTable({ freqHz, channelWidthHz }: MsMetadata): TableContent {
  const channels = freqHz.length
  const perChannel = (values: ArrayLike<number>): ArrayCell[] => [{ shape: [channels], values }]
  const widths = perChannel(new Float64Array(channels).fill(channelWidthHz))
  return table(1, [
    ints('MEAS_FREQ_REF', [topocentric]),
    arrays('CHAN_FREQ', perChannel(freqHz), { type: 'double', dimensions: 1, keywords: frequency }),
    doubles('REF_FREQUENCY', [freqHz[Math.floor(channels / 2)]], frequency),
    arrays('CHAN_WIDTH', widths, { type: 'double', dimensions: 1, keywords: hertz }),
    arrays('EFFECTIVE_BW', widths, { type: 'double', dimensions: 1, keywords: hertz }),
    arrays('RESOLUTION', widths, { type: 'double', dimensions: 1, keywords: hertz }),
    bools('FLAG_ROW', [0]),
    ints('FREQ_GROUP', [0]),
    strings('FREQ_GROUP_NAME', ['']),
    ints('IF_CONV_CHAIN', [0]),
    strings('NAME', ['']),
    ints('NET_SIDEBAND', [1]),
    ints('NUM_CHAN', [channels]),
    doubles('TOTAL_BANDWIDTH', [channels * channelWidthHz], hertz),
  ])
}

/** First code of circular (RR) and of linear (XX) correlations in casacore's Stokes enumeration, four of each. */
const firstCircular = 5
const firstLinear = 9

function receptorTypes(stokes: readonly number[]): [string, string] {
  return (stokes[0] ?? firstLinear) < firstLinear ? ['R', 'L'] : ['X', 'Y']
}

/** The two receptors of a correlation: XX 0 0, XY 0 1, YX 1 0, YY 1 1. */
function receptorPair(code: number): [number, number] {
  const index = code - (code < firstLinear ? firstCircular : firstLinear)
  if (index < 0 || index > 3) throw new RangeError(`correlation code ${code} is neither linear nor circular`)
  return [index >> 1, index & 1]
}

function repeat<T>(value: T, count: number): T[] {
  return Array.from({ length: count }, () => value)
}

function table(rows: number, columns: FilledColumn[]): TableContent {
  return { rows, keywords: {}, columns }
}

function ints(name: string, cells: readonly number[]): FilledColumn {
  return { name, type: 'Int', storage: 'scalar', cells }
}

function bools(name: string, cells: ArrayLike<number>): FilledColumn {
  return { name, type: 'Bool', storage: 'scalar', cells }
}

function strings(name: string, cells: readonly string[]): FilledColumn {
  return { name, type: 'String', storage: 'scalar', cells }
}

/** Doubles of one value a row, or of `shape` values inside the bucket. */
function doubles(
  name: string,
  cells: ArrayLike<number>,
  keywords: KeywordRecord,
  shape?: readonly number[],
): FilledColumn {
  if (shape === undefined) return { name, type: 'double', storage: 'scalar', keywords, cells }
  return { name, type: 'double', storage: 'direct', shape, keywords, cells }
}

function arrays(
  name: string,
  cells: readonly (ArrayCell | undefined)[],
  spec: Pick<ColumnSpec, 'type' | 'keywords'> & { dimensions: number },
): FilledColumn {
  return { name, storage: 'indirect', ...spec, cells }
}
