import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openTiles } from '#runtime/formats/measurement-set/tiles.ts'
import { createMeasurementSet, writeMetadata } from '#runtime/formats/measurement-set/write.ts'
import type { MsLayout } from '#runtime/formats/measurement-set/layout.ts'
import type { MsRows } from '#runtime/formats/measurement-set/schema.ts'
import { createRandom } from '#runtime/numeric/random.ts'
import type { BeamTrack } from '#runtime/sky/beam.ts'
import type { SkySource } from '#runtime/sky/calibrators.ts'
import type { Direction } from '#runtime/sky/frames.ts'
import { siteItrf } from '#runtime/sky/frames.ts'
import { createPredictor } from '#runtime/sky/predict.ts'
import { sinDeproject, wrapRa } from '#runtime/sky/projection.ts'
import { add, type Vec3 } from '#runtime/sky/vector.ts'
import { correlatorOrder, site, stationPositions } from '../../../stages/simulation/array.ts'

export const degree = Math.PI / 180

export interface SyntheticField {
  raDeg?: number
  decDeg?: number
  stations?: number
  integrations?: number
  channels?: number
  sources: readonly SkySource[]
  /** Noise of a sample, Jy; default: that of SEFD 6500 Jy in the channel width. */
  noiseJy?: number
  flagged?: (row: number, channel: number) => boolean
  extra?: Record<string, string | number>
}

const integrationS = 12.884901888
const channelWidthHz = 1_953_125
const startMjdS = 61_100 * 86_400

/** A point source by its offset in degrees, east and north, from the field's centre. */
export function pointSource(
  east: number,
  north: number,
  fluxJy: number,
  { raDeg = 202.7845, decDeg = 16.15, index = -0.7 } = {},
): SkySource {
  const centre = { raRad: raDeg * degree, decRad: decDeg * degree }
  return {
    name: `source ${east} ${north}`,
    direction: sinDeproject(Math.sin(east * degree), Math.sin(north * degree), centre),
    flux: { kind: 'power-law', fluxJy, refFreqHz: 1.405e9, spectralIndex: index },
  }
}

/** Writes `all.ms` into a folder: point sources through the drifting beam on the telescope's stations, and noise. */
export async function writeCalibratedSet(
  folder: string,
  field: SyntheticField,
): Promise<{ beam: BeamTrack; freqHz: Float64Array }> {
  const { raDeg = 202.7845, decDeg = 16.15, stations = 96, integrations = 4, channels = 8, sources } = field
  mkdirSync(folder, { recursive: true })
  const centre: Direction = { raRad: raDeg * degree, decRad: decDeg * degree }
  const order = correlatorOrder(stations)
  const positions = stationPositions()
  const offsets = order.map((station): Vec3 => {
    const at = 3 * (station - 1)
    return [positions[at], positions[at + 1], positions[at + 2]]
  })
  const { rows, integration, beam } = rowsOf(offsets, centre, integrations)
  const freqHz = Float64Array.from({ length: channels }, (_, c) => 1311.265e6 + ((c + 0.5) * 187.5e6) / channels)
  const layout: MsLayout = {
    path: join(folder, 'all.ms'),
    rows: rows.timeMjdS.length,
    channels,
    polarizations: 2,
    tileRows: 64,
    tileChannels: channels,
    weightSpectrum: true,
  }
  await createMeasurementSet(layout)
  fillTiles(layout, field, createPredictor({ sources, phaseCentre: centre, beam, freqHz }), { rows, integration })
  await writeMetadata(
    layout,
    {
      telescopeName: 'OVRO_MMA',
      observer: 'test',
      project: 'test',
      fieldName: 'synthetic',
      antennas: order.map((station, i) => ({
        name: String(station),
        positionM: add(siteItrf(site), offsets[i]),
        diameterM: 4.65,
      })),
      freqHz,
      channelWidthHz,
      stokes: [9, 12],
      phaseCentre: centre,
      timeRangeMjdS: [startMjdS, startMjdS + integrations * integrationS],
      history: [{ message: 'synthetic', application: 'test', timeMjdS: startMjdS }],
      beam,
      extra: { CHANAVG: 8, UNCALIBR: 0, CALNAME: '3C286', CALGRADE: 'good', CALTBL: 'set-1', ...field.extra },
    },
    rows,
  )
  return { beam, freqHz }
}

export function writeSkyModel(folder: string, sources: readonly SkySource[]): void {
  writeFileSync(join(folder, 'sky-model.json'), JSON.stringify({ apiVersion: 'contimg/v1', sources }))
}

function rowsOf(
  offsets: readonly Vec3[],
  centre: Direction,
  integrations: number,
): { rows: MsRows; integration: Int32Array; beam: BeamTrack } {
  const pairs = offsets.flatMap((_, i) => offsets.slice(i + 1).map((__, k): [number, number] => [i, i + 1 + k]))
  const count = pairs.length * integrations
  const rows: MsRows = {
    timeMjdS: new Float64Array(count),
    intervalS: new Float64Array(count).fill(integrationS),
    exposureS: new Float64Array(count).fill(integrationS),
    antenna1: new Int32Array(count),
    antenna2: new Int32Array(count),
    uvwM: new Float64Array(3 * count),
    weight: new Float32Array(2 * count).fill(1),
    sigma: new Float32Array(2 * count).fill(1),
    flagRow: new Uint8Array(count),
  }
  const beam: BeamTrack = {
    timeMjdS: new Float64Array(integrations),
    raRad: new Float64Array(integrations),
    decRad: new Float64Array(integrations).fill(centre.decRad),
    decOfDateRad: centre.decRad,
  }
  const integration = new Int32Array(count)
  const rateRadS = (2 * Math.PI * 1.00273790935) / 86_400
  for (let k = 0; k < integrations; k += 1) {
    const drift = rateRadS * (k - (integrations - 1) / 2) * integrationS
    beam.timeMjdS[k] = startMjdS + (k + 0.5) * integrationS
    beam.raRad[k] = wrapRa(centre.raRad + drift)
    const east = site.longitudeRad - drift
    const [sinE, cosE, sinD, cosD] = [Math.sin(east), Math.cos(east), Math.sin(centre.decRad), Math.cos(centre.decRad)]
    const axes: Vec3[] = [
      [-sinE, cosE, 0],
      [-sinD * cosE, -sinD * sinE, cosD],
      [cosD * cosE, cosD * sinE, sinD],
    ]
    pairs.forEach(([a, b], n) => {
      const row = k * pairs.length + n
      rows.timeMjdS[row] = beam.timeMjdS[k]
      rows.antenna1[row] = a
      rows.antenna2[row] = b
      integration[row] = k
      axes.forEach((axis, i) => {
        rows.uvwM[3 * row + i] = axis.reduce((sum, x, j) => sum + x * (offsets[a][j] - offsets[b][j]), 0)
      })
    })
  }
  return { rows, integration, beam }
}

function fillTiles(
  layout: MsLayout,
  field: SyntheticField,
  predictor: ReturnType<typeof createPredictor>,
  { rows, integration }: { rows: MsRows; integration: Int32Array },
): void {
  const { channels } = layout
  const sigma = field.noiseJy ?? 6500 / Math.sqrt(2 * channelWidthHz * integrationS)
  const random = createRandom('imaging test')
  const tiles = openTiles(layout, 'write')
  const block = 64 * 32
  for (let row0 = 0; row0 < layout.rows; row0 += block) {
    const count = Math.min(block, layout.rows - row0)
    const data = new Float32Array(count * channels * 4)
    const model = new Float32Array(count * channels * 2)
    const flags = new Uint8Array(count * channels * 2)
    random.fillNormal(data, sigma)
    predictor.predict(row0, count, rows.uvwM, integration, model)
    for (let i = 0; i < count * channels; i += 1) {
      for (const at of [4 * i, 4 * i + 2]) {
        data[at] += model[2 * i]
        data[at + 1] += model[2 * i + 1]
      }
      if (field.flagged?.(row0 + Math.floor(i / channels), i % channels) === true) flags.fill(1, 2 * i, 2 * i + 2)
    }
    tiles.writeData(row0, count, 0, channels, data)
    tiles.writeFlags(row0, count, 0, channels, flags)
    tiles.writeWeights(row0, count, 0, channels, new Float32Array(flags.length).fill(1))
  }
  tiles.close()
}
