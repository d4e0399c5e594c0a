import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openMeasurementSet } from '#runtime/formats/measurement-set/read.ts'
import { openTiles } from '#runtime/formats/measurement-set/tiles.ts'
import { sampleSet, writeSampleSet } from '../../stages/runtime/formats/measurement-set/sample-set.ts'
import { changes, damageBytes, placesOf } from '../damage.ts'
import { MiB, type FuzzTarget, type Seed } from '../target.ts'

/** Names of casacore's objects, behind which their versions and lengths are. */
const objects =
  'Table TableDesc RecordDesc TableRecord Record IPosition Block Array SSM SSMIndex StandardStMan TiledStMan'

/** MeasurementSets, one of whose files is damaged: all that is read of one, rows, metadata and tiles. */
export const measurementSet: FuzzTarget = {
  codes: ['DATA_UNUSABLE', 'INPUT_MISSING'],
  memoryBytes: 64 * MiB,
  async prepare(folder) {
    const path = join(folder, 'set.ms')
    mkdirSync(path)
    const set = sampleSet({ path, rows: 20, channels: 6, tileRows: 8, tileChannels: 3 })
    await writeSampleSet(set)
    const names = readdirSync(path, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && /^table\.(dat|f\d+i?)$/.test(entry.name))
      .map((entry) => join(entry.parentPath, entry.name).slice(path.length + 1))
      .filter((name) => /^(table|ANTENNA|FIELD|HISTORY|OBSERVATION|POLARIZATION|SPECTRAL_WINDOW)/.test(name))
      .sort()
    const seeds = names.map((name) => ({ name, bytes: readFileSync(join(path, name)) }))
    const places = new Map(seeds.map(({ name, bytes }) => [name, placesOf(bytes, objects.split(' '))]))
    let damaged: Seed = seeds[0]
    return {
      seeds,
      named: path,
      mutate({ name, bytes }, random) {
        let copy: Buffer = Buffer.from(bytes)
        const order = random.int(2) === 0 ? 'big' : 'little'
        for (let change = changes(random); change > 0; change--)
          copy = damageBytes(copy, random, { places: places.get(name) ?? [0], order, reach: 120 })
        return copy
      },
      async read({ bytes, seed }) {
        writeFileSync(join(path, damaged.name), damaged.bytes)
        writeFileSync(join(path, seed.name), bytes)
        damaged = seed
        const { layout } = await openMeasurementSet(path)
        const tiles = openTiles(layout, 'read')
        try {
          const rows = Math.min(layout.rows, 20)
          const channels = Math.min(layout.channels, 6)
          const elements = rows * channels * layout.polarizations
          tiles.readData(0, rows, 0, channels, new Float32Array(2 * elements))
          tiles.readFlags(0, rows, 0, channels, new Uint8Array(elements))
        } finally {
          tiles.close()
        }
        return true
      },
    }
  },
}
