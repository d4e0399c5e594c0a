import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { readStationTable, stationKey, type StationTable } from '#runtime/formats/station-table.ts'
import { StageError, type ErrorCode } from '#runtime/stage/errors.ts'

const folder = mkdtempSync(join(tmpdir(), 'contimg-test-'))
after(() => rmSync(folder, { recursive: true }))

function read(text: string): StationTable {
  const path = join(folder, 'stations.csv')
  writeFileSync(path, text)
  return readStationTable(path)
}

const failsWith = (code: ErrorCode, what: RegExp) => (error: unknown) => {
  assert.ok(error instanceof StageError)
  assert.equal(error.code, code)
  assert.match(error.message, what)
  assert.match(error.hint ?? '', /columns station, latitude, longitude .* and elevation/)
  return true
}

/** The array centre, and its ITRF position as astropy has it. */
const centre = '37.2334051,-118.2830000,1188.0519'
const centreM = [-2409555.93, -4478213.62, 3838767.46]

function assertCentre(table: StationTable, key: string): void {
  const position = table.stations.get(key)
  assert.ok(position !== undefined)
  position.forEach((m, axis) => assert.ok(Math.abs(m - centreM[axis]) < 0.01, `${m} ${centreM[axis]}`))
}

test('a table laid out as the one of dsa110-antpos: titles above, an empty first column, an elevation missing', () => {
  const text = [
    ',,,,',
    ',DSA-110 Station Coordinates,,,',
    ',Last updated:,,5/4/21,',
    ',,,,',
    ',Station Number,Latitude,Longitude,Elevation (meters)',
    `,DSA-001,${centre}`,
    ',DSA-117,37.2,-118.3,',
    '',
  ].join('\r\n')
  const table = read(text)
  assert.deepEqual([...table.stations.keys()], ['1', '117'])
  assertCentre(table, '1')
  assert.equal(table.stations.get('117'), undefined)
  assert.equal(table.sha256, createHash('sha256').update(text).digest('hex'))
})

for (const [what, text] of [
  ['short names', `station,lat,lon,elev\n7,${centre}`],
  ['other columns, and another order', `remark,Elevation [m],lon,lat,name\nx,1188.0519,-118.283,37.2334051,7`],
  ['units in the names', `station_name,latitude_deg,longitude_deg,elevation_m\n7,${centre}`],
  ['capitals, a byte order mark and comments', `\uFEFF# mine\n# STATION,LATITUDE,LONGITUDE,HEIGHT\n# x\n7,${centre}`],
  ['tabs', `station\tlat\tlon\tHeight (m)\n7\t${centre.replaceAll(',', '\t')}`],
  ['semicolons and quotes', `"station";"lat";"long";"alt"\n"DSA-007";${centre.replaceAll(',', ';')}`],
  ['longitudes to 360 degrees', `station,lat,lon,elev\n007,37.2334051,241.717,1188.0519`],
]) {
  test(`headers are read as people write them: ${what}`, () => assertCentre(read(text), '7'))
}

test('stations are the same however their number is written; other names are as they are', () => {
  assert.deepEqual(['DSA-007', 'dsa7', '07', ' 7 '].map(stationKey), ['7', '7', '7', '7'])
  assert.deepEqual(['ea01', 'EA01', 'DSA-110 ref', '0'].map(stationKey), ['ea01', 'EA01', 'DSA-110 ref', '0'])
})

for (const [what, text, message] of [
  ['no columns named', '1,2,3\n4,5,6\n', /no line names its columns/],
  ['an empty file', '', /no line names its columns/],
  ['no elevation column', `x\nstation,lat,lon\n7,${centre}`, /stations\.csv, line 2: no column for elevation/],
  ['no station', 'station,lat,lon,elev\n', /lists no station/],
  ['feet', `station,lat,lon,Elevation (ft)\n7,${centre}`, /line 1: the column "Elevation \(ft\)" is not in metres/],
  ['a latitude that is text', 'station,lat,lon,elev\n7,x,-118,1', /line 2: "lat" must be a number .*, not "x"/],
  ['no longitude', 'station,lat,lon,elev\n7,37,,1', /line 2: "lon" must be a number from -180 to 360, not ""/],
  ['coordinates exchanged', 'station,lat,lon,elev\n\n7,-118,37,1', /line 3: "lat" must be a number from -90 to 90/],
  ['an elevation of kilometres', 'station,lat,lon,elev\n7,37,-118,1e6', /line 2: "elev" must be/],
  ['a row without a name', `station,lat,lon,elev\n,${centre}`, /line 2: there is no value in the column "station"/],
  ['a station twice', `station,lat,lon,elev\n7,${centre}\nDSA-007,${centre}`, /line 3: .*DSA-007 stands in line 2/],
] as const) {
  test(`a table is refused by line and column: ${what}`, () => {
    assert.throws(() => read(text), failsWith('PARAMS_INVALID', message))
  })
}

test('a file that is not there, and a folder', () => {
  const cannot = failsWith('INPUT_MISSING', /cannot read the station table/)
  assert.throws(() => readStationTable(join(folder, 'absent.csv')), cannot)
  assert.throws(() => readStationTable(folder), cannot)
})
