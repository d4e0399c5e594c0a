import type { KeywordRecord } from './record.ts'
import { TableFault } from './unreadable.ts'

export type CellType = 'Bool' | 'Int' | 'float' | 'double' | 'Complex' | 'String'

/** casacore's code of a cell type, its name in column classes, its bits in a bucket (String: a reference of 12 bytes). */
export const cellTypes: Record<CellType, { code: number; className: string; bits: number }> = {
  Bool: { code: 0, className: 'Bool    ', bits: 1 },
  Int: { code: 5, className: 'Int     ', bits: 32 },
  float: { code: 7, className: 'float   ', bits: 32 },
  double: { code: 8, className: 'double  ', bits: 64 },
  Complex: { code: 9, className: 'Complex ', bits: 64 },
  String: { code: 11, className: 'String  ', bits: 96 },
}

/**
 * A column of a table: a scalar, a direct array (fixed shape, inside the bucket), an indirect array (any shape of
 * `dimensions` axes, -1 for any number, cells may be undefined), or a tiled array (fixed shape, its own manager).
 * Shapes are in Fortran order, the first axis fastest.
 */
export interface ColumnSpec {
  name: string
  type: CellType
  storage: 'scalar' | 'direct' | 'indirect' | 'tiled'
  shape?: readonly number[]
  dimensions?: number
  keywords?: KeywordRecord
}

/** One cell of an indirect column, first axis fastest; Complex cells hold pairs (re, im). */
export interface ArrayCell {
  shape: readonly number[]
  values: ArrayLike<number> | readonly string[]
}

/**
 * The cells of a column, by row. Scalars and direct arrays: all values in a row (direct: elements of a row together;
 * Complex: pairs). Indirect arrays: a cell or `undefined` per row.
 */
export type ColumnCells = ArrayLike<number> | readonly string[] | readonly (ArrayCell | undefined)[]

/** Elements of a cell of fixed shape. */
export function cellElements({ name, shape = [] }: ColumnSpec): number {
  if (shape.some((length) => length < 0)) throw new TableFault(`cells of ${name} have the shape ${shape.join(' x ')}`)
  return shape.reduce((product, length) => product * length, 1)
}

/** Bits that one row of a column takes in a bucket of the StandardStMan. */
export function bitsPerRow(column: ColumnSpec): number {
  if (column.storage === 'scalar') return cellTypes[column.type].bits
  if (column.storage === 'direct') return cellTypes[column.type].bits * cellElements(column)
  return column.type === 'String' ? 96 : 64
}
