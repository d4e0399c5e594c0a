import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { readEarthOrientation } from '#runtime/formats/earth-orientation.ts'
import { openUvh5Data, type Uvh5Block } from '#runtime/formats/uvh5/data.ts'
import { readUvh5Header, type Uvh5Header } from '#runtime/formats/uvh5/header.ts'
import { airyPower, airyTable } from '#runtime/sky/beam.ts'
import { SPEED_OF_LIGHT_M_S } from '#runtime/sky/constants.ts'
import { earthOrientationAt } from '#runtime/sky/earth-orientation.ts'
import { hourAngle, icrsToApparent, polarMotion } from '#runtime/sky/frames.ts'
import { jdToMjd } from '#runtime/sky/time.ts'
import { site } from '../../../stages/simulation/array.ts'
import { earthFixed, pointing } from '../../../stages/simulation/geometry.ts'
import { antennaResponse, correlate } from '../../../stages/simulation/visibility.ts'
import { needsSamples } from '../../oracles/oracle.ts'
import { readTruth, simulate, temporaryFolder, uvh5Files } from './observation-files.ts'

const folder = temporaryFolder()
after(folder.remove)
const table = readEarthOrientation()
const DEGREE = Math.PI / 180

interface Source {
  raDeg: number
  decDeg: number
  fluxJy: number
  spectralIndex: number
}

/** The signal model term by term, one sine and cosine each, in float64: V = sum S A exp(+2 pi i nu/c b.(s - s0)). */
function slowSum(header: Uvh5Header, sources: readonly Source[], row: number, channel: number): [number, number] {
  const freqHz = header.freqHz[channel]
  const mjd = jdToMjd(header.timeJd[row])
  const eop = earthOrientationAt(table, mjd)
  const dec = header.phaseCentreAppDecRad as number
  const lon = site.longitudeRad
  const s0 = [Math.cos(dec) * Math.cos(lon), Math.cos(dec) * Math.sin(lon), Math.sin(dec)]
  const baseline = [0, 1, 2].map(
    (axis) =>
      header.antennaPositionsM[3 * header.ant2[row] + axis] - header.antennaPositionsM[3 * header.ant1[row] + axis],
  )
  let re = 0
  let im = 0
  for (const source of sources) {
    const apparent = icrsToApparent({ raRad: source.raDeg * DEGREE, decRad: source.decDeg * DEGREE }, mjd, eop, site)
    const angle = lon - hourAngle(apparent.raRad, mjd, eop, site)
    const cosDec = Math.cos(apparent.decRad)
    const s = polarMotion([cosDec * Math.cos(angle), cosDec * Math.sin(angle), Math.sin(apparent.decRad)], eop)
    const chord = Math.hypot(s[0] - s0[0], s[1] - s0[1], s[2] - s0[2])
    const amplitude =
      source.fluxJy * (freqHz / 1.4e9) ** source.spectralIndex * airyPower(2 * Math.asin(chord / 2), freqHz)
    const path = baseline.reduce((total, length, axis) => total + length * (s[axis] - s0[axis]), 0)
    const phase = (2 * Math.PI * freqHz * path) / SPEED_OF_LIGHT_M_S
    re += amplitude * Math.cos(phase)
    im += amplitude * Math.sin(phase)
  }
  return [re, im]
}

async function readBlock(path: string, row0: number, rows: number): Promise<Uvh5Block> {
  const data = await openUvh5Data(path)
  const samples = rows * data.channels * data.polarizations
  const block = {
    vis: new Float32Array(2 * samples),
    flags: new Uint8Array(samples),
    nsamples: new Float32Array(samples),
  }
  data.readRows(row0, rows, block)
  data.close()
  return block
}

const sources: Source[] = [
  { raDeg: 150.2, decDeg: 30.9, fluxJy: 3, spectralIndex: -0.7 },
  { raDeg: 151.4, decDeg: 30.1, fluxJy: 1, spectralIndex: 0.3 },
  { raDeg: 149.1, decDeg: 31.2, fluxJy: 0.5, spectralIndex: -1.1 },
]
const field = { calibrator: null, startUtc: '2026-01-26T09:33:00Z', decOfDateDeg: 30.5, sources }

test('visibilities equal the signal model computed term by term, with gains, drift and bandpass', async () => {
  const params = {
    ...field,
    antennas: 96,
    channels: 12,
    integrations: 3,
    subbands: [0, 5],
    sefdJy: null,
    gainDrift: 0.1,
    correlatorScale: 2.5,
  }
  const { paths } = await simulate(join(folder.path, 'model'), params)
  const truth = readTruth(join(folder.path, 'model'))
  const { gain, bandpass, drift } = truth.arrays
  const header = await readUvh5Header(paths[1])
  const block = await readBlock(paths[1], 0, header.rows)

  const gainOf = (antennaNumber: number, channel: number, feed: number, time: number): [number, number] => {
    const antenna = truth.antennaOrder.indexOf(antennaNumber + 1)
    const at = 2 * (2 * antenna + feed)
    const band = 2 * ((antenna * 24 + 12 + channel) * 2 + feed)
    const amplitude =
      Math.hypot(gain[at], gain[at + 1]) * (1 + drift[at] * time) * Math.hypot(bandpass[band], bandpass[band + 1])
    const phase =
      Math.atan2(gain[at + 1], gain[at]) + drift[at + 1] * time + Math.atan2(bandpass[band + 1], bandpass[band])
    return [amplitude, phase]
  }
  const scale = Math.max(...sources.map((source) => source.fluxJy))
  for (let sample = 0; sample < 600; sample++) {
    const row = (sample * 7919) % header.rows
    const [channel, feed] = [sample % 12, sample % 2]
    const [re, im] = slowSum(header, sources, row, channel)
    const time = Math.floor(row / header.baselines) - 1
    const [a1, p1] = gainOf(header.ant1[row], channel, feed, time)
    const [a2, p2] = gainOf(header.ant2[row], channel, feed, time)
    const [gRe, gIm] = [2.5 * a1 * a2 * Math.cos(p2 - p1), 2.5 * a1 * a2 * Math.sin(p2 - p1)]
    const at = 2 * ((row * 12 + channel) * 2 + feed)
    const error = Math.hypot(block.vis[at] - (gRe * re - gIm * im), block.vis[at + 1] - (gRe * im + gIm * re))
    assert.ok(error < 2e-7 * scale * 2.5 * a1 * a2 * 3, `row ${row}, channel ${channel}: off by ${error}`)
  }
})

test('autocorrelations are real, flags are false and 96 samples stand behind every number', async () => {
  const { paths } = await simulate(join(folder.path, 'autos'), field)
  const header = await readUvh5Header(paths[0])
  const { vis, flags, nsamples } = await readBlock(paths[0], 0, header.rows)
  const perRow = 2 * header.channels * 2
  for (let row = 0; row < header.rows; row++) {
    if (header.ant1[row] !== header.ant2[row]) continue
    for (let at = row * perRow; at < (row + 1) * perRow; at += 2) {
      assert.ok(vis[at] > 6000)
      assert.equal(vis[at + 1], 0)
    }
  }
  assert.ok(flags.every((flag) => flag === 0))
  assert.ok(nsamples.every((count) => count === 96))
})

test('w of the files is the baseline along (HA 0, declination of date)', async () => {
  const { paths } = await simulate(join(folder.path, 'w'), { ...field, antennas: 96 })
  const header = await readUvh5Header(paths[0])
  const s0 = pointing(header.phaseCentreAppDecRad as number)
  for (let row = 0; row < header.rows; row++) {
    const b = [0, 1, 2].map(
      (axis) =>
        header.antennaPositionsM[3 * header.ant2[row] + axis] - header.antennaPositionsM[3 * header.ant1[row] + axis],
    )
    const w = b[0] * s0[0] + b[1] * s0[1] + b[2] * s0[2]
    assert.ok(Math.abs(header.uvwM[3 * row + 2] - w) < 2e-4)
    const norm = Math.hypot(header.uvwM[3 * row], header.uvwM[3 * row + 1], header.uvwM[3 * row + 2])
    assert.ok(Math.abs(norm - Math.hypot(...b)) < 1e-3)
  }
})

function standardDeviation(values: readonly number[]): number {
  const mean = values.reduce((total, value) => total + value, 0) / values.length
  return Math.sqrt(values.reduce((total, value) => total + (value - mean) ** 2, 0) / values.length)
}

test('noise is SEFD / sqrt(2 dnu tau): equal in raw units after the gains, equal in Jy before them', async () => {
  for (const noiseAfterGains of [true, false]) {
    const dir = join(folder.path, `noise-${noiseAfterGains}`)
    const { paths } = await simulate(dir, {
      ...field,
      sources: [],
      noiseAfterGains,
      antennas: 24,
      channels: 48,
      bandpass: false,
      subbands: [0],
    })
    const truth = readTruth(dir)
    const header = await readUvh5Header(paths[0])
    const { vis } = await readBlock(paths[0], 0, header.rows)
    assert.ok(Math.abs(truth.noise.sigmaJy - 2.591) < 1e-3)
    const amplitude = (antennaNumber: number): number => {
      const at = 4 * truth.antennaOrder.indexOf(antennaNumber + 1)
      return Math.hypot(truth.arrays.gain[at], truth.arrays.gain[at + 1])
    }
    const cross: number[] = []
    const autos: number[] = []
    for (let row = 0; row < header.rows; row++) {
      const g = noiseAfterGains ? 1 : amplitude(header.ant1[row]) * amplitude(header.ant2[row])
      const auto = header.ant1[row] === header.ant2[row]
      for (let channel = 0; channel < 48; channel++) {
        const at = 4 * (row * 48 + channel)
        if (auto) autos.push(vis[at] / g)
        else cross.push(vis[at] / g, vis[at + 1] / g)
      }
    }
    assert.ok(Math.abs(standardDeviation(cross) / 2.591 - 1) < 0.01)
    assert.ok(Math.abs(standardDeviation(autos) / 3.665 - 1) < 0.05)
    assert.ok(Math.abs(autos.reduce((total, value) => total + value, 0) / autos.length - 6500) < 1)
  }
})

test('an unpolarised sky leaves XY and YX empty', async () => {
  const { paths } = await simulate(join(folder.path, 'four'), { ...field, polarizations: 4, sefdJy: null })
  const header = await readUvh5Header(paths[0])
  assert.deepEqual([...header.polarizations], [-5, -7, -8, -6])
  const { vis } = await readBlock(paths[0], 0, header.rows)
  for (let at = 0; at < vis.length; at += 8) {
    assert.ok(Math.hypot(vis[at], vis[at + 1]) > 0)
    assert.deepEqual([...vis.subarray(at + 2, at + 6)], [0, 0, 0, 0])
    assert.ok(Math.hypot(vis[at + 6], vis[at + 7]) > 0)
  }
})

test('the kernel agrees with an independent generator to 2e-4', { skip: needsSamples() }, async () => {
  const dir = join(process.env['CONTIMG_SAMPLES'] as string, 'tile-small')
  const truth = JSON.parse(readFileSync(join(dir, 'truth.json'), 'utf8')) as {
    antenna_order: number[]
    sources: { ra_deg: number; dec_deg: number; flux_1p4_jy: number; alpha: number }[]
  }
  const directions = truth.sources.map((source) => ({ raRad: source.ra_deg * DEGREE, decRad: source.dec_deg * DEGREE }))
  const antennas = truth.antenna_order.length
  for (const [index, path] of uvh5Files(dir).entries()) {
    const header = await readUvh5Header(path)
    const integration = (2 * index) % header.integrations
    const row0 = integration * header.baselines
    const { vis } = await readBlock(path, row0, header.baselines)
    const positionsM = Float64Array.from(
      truth.antenna_order.flatMap((station) => [...header.antennaPositionsM.subarray(3 * station - 3, 3 * station)]),
    )
    const fluxJy = Float64Array.from(
      truth.sources.flatMap((source) =>
        Array.from(header.freqHz, (freqHz) => source.flux_1p4_jy * (freqHz / 1.4e9) ** source.alpha),
      ),
    )
    const view = {
      sources: directions.length,
      towards: earthFixed(directions, header.timeJd[row0], table),
      pointing: pointing(header.phaseCentreAppDecRad as number),
      fluxJy,
    }
    const out = new Float32Array(vis.length)
    correlate(
      {
        antennas,
        channels: header.channels,
        polarizations: 2,
        sources: directions.length,
        response: antennaResponse(positionsM, header.freqHz, view, airyTable()),
        gains: Float64Array.from({ length: antennas * header.channels * 4 }, (_, at) => 1 - (at % 2)),
        noise: undefined,
        sefdJy: 0,
        sigmaJy: 0,
        noiseAfterGains: true,
        interference: undefined,
        scale: 1,
      },
      out,
    )
    let difference = 0
    let power = 0
    for (let at = 0; at < out.length; at++) {
      difference += (out[at] - vis[at]) ** 2
      power += vis[at] ** 2
    }
    assert.ok(Math.sqrt(difference / power) < 2e-4, `relative rms ${Math.sqrt(difference / power)}`)
  }
})
