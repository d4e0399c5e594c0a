import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { defaultEarthOrientationPath, readEarthOrientation } from '#runtime/formats/earth-orientation.ts'
import { readStationTable } from '#runtime/formats/station-table.ts'
import { earthOrientationAt } from '#runtime/sky/earth-orientation.ts'
import { parseSourceList } from '../../../stages/simulation/source-list.ts'
import { damageJson, damageText } from '../damage.ts'
import { MiB, type FuzzTarget, type FuzzRoom } from '../target.ts'

const stations =
  'DSA-110 stations,,,\nStation Number,Latitude (deg),Longitude (deg),elevation_m,comment\nDSA-001,37.2339,-118.2834,1188.0,"north, arm"\nDSA-002,37.2340,-118.2835,1188.5,\n#DSA-003,37,-118,1\nDSA-004,37.2341,-118.2836,,\n'
const cells = [
  ',',
  ';',
  '\t',
  '"',
  '"a,b"',
  'Latitude (rad)',
  'lat',
  'elevation (ft)',
  '37.2',
  '-118.2',
  'DSA-001',
  '007',
  '\r',
]

/** Tables of surveyed stations. */
export const stationTable: FuzzTarget = {
  codes: ['PARAMS_INVALID'],
  memoryBytes: 16 * MiB,
  prepare: (folder) =>
    textRoom(join(folder, 'stations.csv'), { csv: stations }, cells, (path) => readStationTable(path)),
}

/** Tables of the Earth's orientation, with what is made of them. */
export const earthOrientation: FuzzTarget = {
  codes: ['PARAMS_INVALID'],
  memoryBytes: 16 * MiB,
  prepare(folder) {
    const path = join(folder, 'orientation.json')
    const table = JSON.parse(readFileSync(defaultEarthOrientationPath, 'utf8')) as Record<string, unknown>
    const short = Object.fromEntries(
      Object.entries(table).map(([name, value]) => [name, Array.isArray(value) ? value.slice(0, 12) : value]),
    )
    return {
      seeds: [{ name: 'json', bytes: Buffer.from(JSON.stringify(short)) }],
      named: path,
      mutate: ({ bytes }, random) => damageJson(bytes, random),
      read({ bytes }) {
        writeFileSync(path, bytes)
        const read = readEarthOrientation(path)
        const found = earthOrientationAt(read, read.firstMjd + 3.25)
        if (![found.dut1S, found.xpArcsec, found.ypArcsec].every(Number.isFinite)) throw new Error('not finite')
        return true
      },
    }
  },
}

const json = JSON.stringify([
  { name: 'a', raDeg: 10, decDeg: 16, fluxJy: 1, spectralIndex: -0.7 },
  { raDeg: 1, decDeg: 2, fluxJy: 3 },
])
const csv = 'name,raDeg,decDeg,fluxJy,spectralIndex\na,10,16,1,-0.7\nb,11,17,2,\n'

/** Lists of sources to simulate. */
export const sourceList: FuzzTarget = {
  codes: ['PARAMS_INVALID'],
  memoryBytes: 16 * MiB,
  prepare: (folder) =>
    textRoom(join(folder, 'sources'), { json, csv }, [...cells, '[', '{}', 'raDeg', 'fluxJy'], (path) =>
      parseSourceList(readFileSync(path, 'utf8'), path),
    ),
}

function textRoom(
  path: string,
  texts: Readonly<Record<string, string>>,
  tokens: readonly string[],
  read: (path: string) => unknown,
): FuzzRoom {
  return {
    seeds: Object.entries(texts).map(([name, text]) => ({ name, bytes: Buffer.from(text) })),
    named: path,
    mutate: ({ name, bytes }, random) =>
      name === 'json' && random.int(2) === 0 ? damageJson(bytes, random) : damageText(bytes, random, tokens),
    read({ bytes }) {
      writeFileSync(path, bytes)
      read(path)
      return true
    },
  }
}
