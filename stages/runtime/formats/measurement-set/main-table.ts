import type { ColumnSpec } from './column.ts'
import { tiledColumns, type MsLayout } from './layout.ts'
import { epoch, second, uvw } from './measures.ts'
import { typed, type KeywordRecord } from './record.ts'
import type { MsMetadata, MsRows } from './schema.ts'
import { subtableNames } from './subtables.ts'
import type { FilledColumn, TableContent } from './table.ts'
import { tiledCellType } from './tiled-header.ts'

/** Text of table.info of a MeasurementSet. */
export const mainInfo =
  'Type = Measurement Set\nSubType = \n\nThis is a MeasurementSet Table holding measurements from a Telescope\n'

const msVersion = 2

/** The MAIN table: rows in columns, facts of the observation in keywords, the tiled columns only declared. */
export function mainTable(layout: MsLayout, metadata: MsMetadata, rows: MsRows): TableContent {
  const count = layout.rows
  const constant = (name: string, value: number): FilledColumn => ({
    name,
    type: 'Int',
    storage: 'scalar',
    cells: new Int32Array(count).fill(value),
  })
  const perPolarization = [layout.polarizations]
  const columns: (ColumnSpec | FilledColumn)[] = [
    { name: 'UVW', type: 'double', storage: 'direct', shape: [3], keywords: uvw, cells: rows.uvwM },
    ...tiledColumns(layout).map((column): ColumnSpec => tiledSpec(layout, column)),
    {
      name: 'FLAG_CATEGORY',
      type: 'Bool',
      storage: 'indirect',
      dimensions: 3,
      keywords: { CATEGORY: [] },
      // Every cell is undefined.
      cells: [],
    },
    { name: 'WEIGHT', type: 'float', storage: 'direct', shape: perPolarization, cells: rows.weight },
    { name: 'SIGMA', type: 'float', storage: 'direct', shape: perPolarization, cells: rows.sigma },
    { name: 'ANTENNA1', type: 'Int', storage: 'scalar', cells: rows.antenna1 },
    { name: 'ANTENNA2', type: 'Int', storage: 'scalar', cells: rows.antenna2 },
    constant('ARRAY_ID', 0),
    constant('DATA_DESC_ID', 0),
    { name: 'EXPOSURE', type: 'double', storage: 'scalar', keywords: second, cells: rows.exposureS },
    constant('FEED1', 0),
    constant('FEED2', 0),
    constant('FIELD_ID', 0),
    { name: 'FLAG_ROW', type: 'Bool', storage: 'scalar', cells: rows.flagRow },
    { name: 'INTERVAL', type: 'double', storage: 'scalar', keywords: second, cells: rows.intervalS },
    constant('OBSERVATION_ID', 0),
    constant('PROCESSOR_ID', -1),
    constant('SCAN_NUMBER', 1),
    constant('STATE_ID', -1),
    { name: 'TIME', type: 'double', storage: 'scalar', keywords: epoch, cells: rows.timeMjdS },
    { name: 'TIME_CENTROID', type: 'double', storage: 'scalar', keywords: epoch, cells: rows.timeMjdS },
  ]
  return { rows: count, keywords: mainKeywords(metadata), columns }
}

function tiledSpec(layout: MsLayout, column: 'FLAG' | 'DATA' | 'WEIGHT_SPECTRUM'): ColumnSpec {
  return { name: column, type: tiledCellType[column], storage: 'tiled', shape: [layout.polarizations, layout.channels] }
}

function mainKeywords(metadata: MsMetadata): KeywordRecord {
  const { beam, extra } = metadata
  const subtables = subtableNames.map((name) => [name, typed('Table', name)] as const)
  return {
    MS_VERSION: typed('float', msVersion),
    ...Object.fromEntries(subtables),
    CONTIMG_BEAM: {
      FRAME: 'ICRS',
      TIME: beam.timeMjdS,
      RA: beam.raRad,
      DEC: beam.decRad,
      DEC_OF_DATE: beam.decOfDateRad,
    },
    CONTIMG_EXTRA: { ...extra },
  }
}
