import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { subtableNames } from '#runtime/formats/measurement-set/subtables.ts'
import { openTiles } from '#runtime/formats/measurement-set/tiles.ts'
import { createMeasurementSet, writeMetadata } from '#runtime/formats/measurement-set/write.ts'
import { needs, runPython } from '../../../../oracles/oracle.ts'
import { emptySet, sampleSet, writeSampleSet } from './sample-set.ts'

interface Cell {
  shape: number[]
  values: unknown[]
}
interface Seen {
  rows: number
  columns: Record<string, string>
  flagCategoryDefined: boolean
  keywords: Record<string, unknown>
  invalid: Record<string, string[]>
  info: { type: string }
  tables: string[]
  subtables: Record<string, Record<string, (Cell | string[] | number | string | boolean | null)[]>>
  selected: number
}

function digest(array: ArrayBufferView): string {
  return createHash('sha256')
    .update(new Uint8Array(array.buffer, array.byteOffset, array.byteLength))
    .digest('hex')
}

const shapes = [
  { name: 'two polarisations with weights', shape: {} },
  {
    name: 'four polarisations, odd channels, last tiles partial',
    shape: { polarizations: 4, rows: 77, channels: 13, tileChannels: 5, weightSpectrum: false },
  },
  { name: 'one row', shape: { rows: 1, channels: 4, tileChannels: 4 } },
  {
    name: 'many buckets',
    shape: { rows: 150_000, channels: 1, tileChannels: 1, tileRows: 512, weightSpectrum: false },
  },
]

for (const { name: kind, shape } of shapes) {
  test(`casacore reads every value: ${kind}`, { skip: needs('casacore') }, async () => {
    const dir = await mkdtemp(join(tmpdir(), 'contimg-ms-'))
    try {
      const set = sampleSet({ path: join(dir, 'oracle.ms'), ...shape })
      await writeSampleSet(set)
      const seen = runPython('measurement-set.py', [set.layout.path]) as Seen
      const { rows, metadata, layout } = set
      assert.equal(seen.rows, layout.rows)
      const expected: Record<string, ArrayBufferView> = {
        TIME: rows.timeMjdS,
        TIME_CENTROID: rows.timeMjdS,
        INTERVAL: rows.intervalS,
        EXPOSURE: rows.exposureS,
        ANTENNA1: rows.antenna1,
        ANTENNA2: rows.antenna2,
        UVW: rows.uvwM,
        WEIGHT: rows.weight,
        SIGMA: rows.sigma,
        FLAG_ROW: rows.flagRow,
        DATA: set.data,
        FLAG: set.flags,
        SCAN_NUMBER: new Int32Array(layout.rows).fill(1),
        STATE_ID: new Int32Array(layout.rows).fill(-1),
        PROCESSOR_ID: new Int32Array(layout.rows).fill(-1),
      }
      if (layout.weightSpectrum) expected['WEIGHT_SPECTRUM'] = set.weights
      for (const name of ['ARRAY_ID', 'DATA_DESC_ID', 'FEED1', 'FEED2', 'FIELD_ID', 'OBSERVATION_ID'])
        expected[name] = new Int32Array(layout.rows)
      assert.deepEqual(Object.keys(seen.columns).sort(), Object.keys(expected).sort())
      for (const [column, values] of Object.entries(expected))
        assert.equal(seen.columns[column], digest(values), column)
      assert.equal(seen.flagCategoryDefined, false)
      assert.equal(seen.info.type, 'Measurement Set')
      assert.deepEqual(seen.tables, [...subtableNames])
      for (const [table, wrong] of Object.entries(seen.invalid)) assert.deepEqual(wrong, [], table)
      assert.equal(seen.keywords['MS_VERSION'], 2)
      assert.deepEqual(seen.keywords['CONTIMG_EXTRA'], metadata.extra)
      assert.deepEqual(seen.keywords['CONTIMG_BEAM'], {
        FRAME: 'ICRS',
        TIME: [...metadata.beam.timeMjdS],
        RA: [...metadata.beam.raRad],
        DEC: [...metadata.beam.decRad],
        DEC_OF_DATE: metadata.beam.decOfDateRad,
      })
      assert.equal(seen.selected, rows.antenna1.filter((a, i) => a !== rows.antenna2[i] && rows.timeMjdS[i] > 0).length)
      checkSubtables(seen.subtables, set.metadata)
    } finally {
      await rm(dir, { recursive: true })
    }
  })
}

test('casacore reads beyond 2 GiB of a tile file', { skip: needs('casacore') }, async () => {
  const dir = await mkdtemp(join(tmpdir(), 'contimg-ms-'))
  try {
    // Sparse: one tile of 2 MB is written, at the end of 2.6 GB.
    const shape = { rows: 20_000, channels: 4096, tileChannels: 1024, polarizations: 4, weightSpectrum: false }
    const { layout, metadata, rows } = emptySet({ path: join(dir, 'long.ms'), ...shape })
    await createMeasurementSet(layout)
    const tiles = openTiles(layout, 'write')
    const row0 = layout.rows - (layout.rows % layout.tileRows)
    const data = Float32Array.from({ length: (layout.rows - row0) * 1024 * 8 }, (_, i) => i)
    tiles.writeData(row0, layout.rows - row0, 3072, 1024, data)
    tiles.close()
    await writeMetadata(layout, metadata, rows)
    const expected = new Float32Array(4096 * 8)
    expected.set(data.subarray(-1024 * 8), 3072 * 8)
    const { sha256 } = runPython('cell.py', [layout.path, 'DATA', String(layout.rows - 1)]) as { sha256: string }
    assert.equal(sha256, digest(expected))
  } finally {
    await rm(dir, { recursive: true })
  }
})

function checkSubtables(tables: Seen['subtables'], metadata: ReturnType<typeof sampleSet>['metadata']): void {
  const { antennas, phaseCentre, freqHz } = metadata
  const column = (table: string, name: string): (Cell | string[] | number | string | boolean | null)[] => {
    const cells = tables[table]?.[name]
    assert.ok(cells, `${table}.${name}`)
    return cells
  }
  assert.deepEqual(
    column('ANTENNA', 'NAME'),
    antennas.map((antenna) => antenna.name),
  )
  assert.deepEqual(
    column('ANTENNA', 'POSITION'),
    antennas.map((antenna) => ({ shape: [3], values: [...antenna.positionM] })),
  )
  assert.deepEqual(
    column('ANTENNA', 'MOUNT'),
    antennas.map(() => 'ALT-AZ'),
  )
  // numpy shows casacore's Fortran shape (2, 1) as (1, 2)
  const centre = { shape: [1, 2], values: [phaseCentre.raRad, phaseCentre.decRad] }
  for (const name of ['DELAY_DIR', 'PHASE_DIR', 'REFERENCE_DIR'])
    assert.deepEqual(column('FIELD', name), [centre], name)
  assert.deepEqual(column('SPECTRAL_WINDOW', 'CHAN_FREQ'), [{ shape: [freqHz.length], values: [...freqHz] }])
  assert.deepEqual(column('SPECTRAL_WINDOW', 'MEAS_FREQ_REF'), [5])
  const correlations = metadata.stokes.length
  assert.deepEqual(column('POLARIZATION', 'CORR_TYPE'), [{ shape: [correlations], values: metadata.stokes }])
  const products = correlations === 2 ? [0, 0, 1, 1] : [0, 0, 0, 1, 1, 0, 1, 1]
  assert.deepEqual(column('POLARIZATION', 'CORR_PRODUCT'), [{ shape: [correlations, 2], values: products }])
  assert.deepEqual(
    column('HISTORY', 'MESSAGE'),
    metadata.history.map((entry) => entry.message),
  )
  assert.deepEqual(column('OBSERVATION', 'TIME_RANGE'), [{ shape: [2], values: [...metadata.timeRangeMjdS] }])
  assert.deepEqual(column('OBSERVATION', 'PROJECT'), [metadata.project])
  assert.deepEqual(column('OBSERVATION', 'LOG'), [null])
  const identity = [
    [1, 0],
    [0, 0],
    [0, 0],
    [1, 0],
  ]
  assert.deepEqual(
    column('FEED', 'POL_RESPONSE'),
    antennas.map(() => ({ shape: [2, 2], values: identity })),
  )
  assert.deepEqual(
    column('FEED', 'POLARIZATION_TYPE'),
    antennas.map(() => ['X', 'Y']),
  )
  for (const table of ['FLAG_CMD', 'POINTING', 'PROCESSOR', 'STATE']) {
    for (const cells of Object.values(tables[table] ?? {})) assert.deepEqual(cells, [])
  }
}
