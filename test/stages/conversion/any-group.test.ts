import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { hashTree } from '#runtime/stage/files.ts'
import { earthFixedPlaceIcrs, horizonVector, type Direction } from '#runtime/sky/frames.ts'
import { earthOrientationAt, jdToMjd } from '#runtime/sky/time.ts'
import { dot, subtract, type Vec3 } from '#runtime/sky/vector.ts'
import { ARCSEC_RAD, SPEED_OF_LIGHT_M_S } from '#runtime/sky/constants.ts'
import {
  alignW,
  antennaNumbers,
  anyFile,
  baseline,
  centre,
  reordered,
  siderealFile,
  site,
  towards,
  writeAny,
  type AnyFile,
} from './any-file.ts'
import { convertAny } from './any-group.ts'
import { earthOrientation, inFolder, readWhole, type WholeSet } from './raw-observation.ts'

async function converted(dir: string, files: readonly AnyFile[], name = 'out'): Promise<WholeSet> {
  const out = join(dir, name)
  mkdirSync(out)
  const { path, outcome } = await convertAny(
    files.map((file) => writeAny(dir, file)),
    out,
  )
  assert.notEqual(outcome.quality.verdict, 'bad')
  return readWhole(path)
}

/** Fills a file with a source of 1 Jy: V = exp(2 pi i nu/c b . (s - s0)), which is what UVH5 means by its phases. */
function shine(file: AnyFile, source: Direction, s0: Vec3): void {
  file.ant1.forEach((_, row) => {
    const pathM = dot(baseline(file, row), subtract(towards(source, file.timeJd[row]), s0))
    file.freqHz.forEach((freqHz, channel) => {
      const phase = (2 * Math.PI * freqHz * pathM) / SPEED_OF_LIGHT_M_S
      for (let pol = 0; pol < 2; pol++) {
        const element = (row * file.freqHz.length + channel) * 2 + pol
        file.vis.set([Math.cos(phase), Math.sin(phase)], 2 * element)
      }
    })
  })
}

/** Largest difference of a set from a source at direction cosines (l, m): exp(2 pi i nu/c (u l + v m + w (n - 1))). */
function differenceFrom({ data, rows, metadata, layout }: WholeSet, l = 0, m = 0): number {
  let largest = 0
  const n = Math.sqrt(1 - l * l - m * m)
  for (let i = 0; i < data.length / 2; i++) {
    const [row, channel] = [Math.floor(i / (2 * layout.channels)), Math.floor(i / 2) % layout.channels]
    const [u, v, w] = rows.uvwM.subarray(3 * row, 3 * row + 3)
    const phase = ((2 * Math.PI * metadata.freqHz[channel]) / SPEED_OF_LIGHT_M_S) * (u * l + v * m + w * (n - 1))
    largest = Math.max(largest, Math.hypot(data[2 * i] - Math.cos(phase), data[2 * i + 1] - Math.sin(phase)))
  }
  return largest
}

const UP = { cat_type: 'unprojected', cat_name: 'zenith', cat_lon: 0, cat_lat: Math.PI / 2 }
const FIXED = { cat_type: 'driftscan', cat_name: 'fixed', cat_lon: 0.7, cat_lat: 1.1 }
const drifts = [
  { name: 'unprojected', fields: UP, place: horizonVector(0, Math.PI / 2, site), s0: [0, 0, 0] as Vec3 },
  { name: 'driftscan', fields: FIXED, place: horizonVector(0.7, 1.1, site), s0: horizonVector(0.7, 1.1, site) },
  {
    name: 'driftscan whose w has the mirrored azimuth',
    fields: FIXED,
    place: horizonVector(-0.7, 1.1, site),
    s0: horizonVector(-0.7, 1.1, site),
  },
]

for (const { name, fields, place, s0 } of drifts) {
  test(`a source in the middle of the pointing has flat phase, one beside it that of its place: ${name}`, () =>
    inFolder(async (dir) => {
      const file = { ...anyFile(), header: centre(fields) }
      alignW(file, () => place)
      const midMjd = (jdToMjd(file.timeJd[0]) + jdToMjd(file.timeJd[file.timeJd.length - 1])) / 2
      const target = earthFixedPlaceIcrs(place, midMjd, earthOrientationAt(earthOrientation, midMjd), site)
      shine(file, target, s0)
      // 1 km at 1.4 GHz: an error of 1" of the direction were 0.1 rad.
      assert.ok(differenceFrom(await converted(dir, [file], 'centre')) < 1e-6)
      const [dRa, dDec] = [3e-4, 2e-4]
      const [ra, dec] = [target.raRad + dRa, target.decRad + dDec]
      shine(file, { raRad: ra, decRad: dec }, s0)
      const l = Math.cos(dec) * Math.sin(dRa)
      const m = Math.sin(dec) * Math.cos(target.decRad) - Math.cos(dec) * Math.sin(target.decRad) * Math.cos(dRa)
      const beside = await converted(dir, [file], 'beside')
      // Aberration differs by up to 1e-4 of the distance between source and centre.
      assert.ok(differenceFrom(beside, l, m) < 5e-3, String(differenceFrom(beside, l, m)))
      assert.ok(differenceFrom(beside) > 0.5)
    }))
}

for (const polarizations of [
  [-5, -6],
  [-5, -7, -8, -6],
]) {
  test(`sidereal data are the conjugate of the file, bit for bit: ${polarizations.length} correlations`, () =>
    inFolder(async (dir) => {
      const file = siderealFile({ polarizations })
      const { data, flags, metadata } = await converted(dir, [file])
      assert.deepEqual(metadata.phaseCentre, { raRad: 1, decRad: -0.5 })
      const pols = polarizations.length
      // AIPS codes -5 XX, -6 YY, -7 XY, -8 YX are 9, 12, 10, 11 in a set.
      const codes = metadata.stokes.map((stokes) => ({ 9: -5, 12: -6, 10: -7, 11: -8 })[stokes] ?? 0)
      const perRow = file.freqHz.length * pols
      for (let element = 0; element < flags.length; element++) {
        const row = Math.floor(element / perRow)
        const turned = antennaNumbers.indexOf(file.ant1[row]) > antennaNumbers.indexOf(file.ant2[row])
        const code = codes[element % pols]
        const wanted = turned && code < -6 ? -15 - code : code
        const source = element - (element % pols) + polarizations.indexOf(wanted)
        assert.equal(data[2 * element], file.vis[2 * source])
        assert.equal(data[2 * element + 1], turned ? file.vis[2 * source + 1] : -file.vis[2 * source + 1])
        assert.equal(flags[element], file.flags[source])
      }
    }))
}

test('rows in any order are the rows of the ordered file', () =>
  inFolder(async (dir) => {
    for (const [kind, file] of Object.entries({ unprojected: anyFile(), sidereal: siderealFile() })) {
      const all = file.ant1.map((_, row) => row)
      const pairs = all.length / 4
      const orders = {
        'baselines slowest': all.map((row) => (row % 4) * pairs + Math.floor(row / 4)),
        shuffled: all.toSorted((a, b) => ((a * 29 + 17) % 61) - ((b * 29 + 17) % 61)),
        'with gaps': all.filter((row) => row % 7 !== 3).toReversed(),
      }
      const ordered = await converted(dir, [file], kind)
      for (const [name, order] of Object.entries(orders)) {
        const changed = await converted(dir, [reordered(file, order)], `${kind} ${name}`)
        assert.equal(changed.layout.rows, order.length, name)
        assert.deepEqual(rowsOf(changed, [...order.keys()]), rowsOf(ordered, order), `${kind} ${name}`)
        assert.deepEqual(changed.metadata.phaseCentre, ordered.metadata.phaseCentre)
      }
    }
  }))

function rowsOf({ data, flags, weights, rows, layout }: WholeSet, order: readonly number[]): unknown[] {
  const samples = layout.channels * layout.polarizations
  const cells = (values: Float32Array | Float64Array | Uint8Array | undefined, row: number, width: number): number[] =>
    Array.from(values?.subarray(row * width, (row + 1) * width) ?? [])
  return order.map((row) => ({
    antennas: [rows.antenna1[row], rows.antenna2[row]],
    times: [rows.timeMjdS[row], rows.intervalS[row]],
    uvwM: cells(rows.uvwM, row, 3),
    data: cells(data, row, 2 * samples),
    flags: cells(flags, row, samples),
    weights: cells(weights, row, samples),
  }))
}

test('channels in descending order are those of the ascending file', () =>
  inFolder(async (dir) => {
    const file = siderealFile()
    const turned = siderealFile()
    const pols = 2
    const channels = file.freqHz.length
    turned.freqHz.reverse()
    for (let i = 0; i < file.flags.length; i++) {
      const [row, channel, pol] = [Math.floor(i / pols / channels), Math.floor(i / pols) % channels, i % pols]
      const to = (row * channels + channels - 1 - channel) * pols + pol
      turned.vis.set(file.vis.subarray(2 * i, 2 * i + 2), 2 * to)
      turned.flags[to] = file.flags[i]
      turned.nsamples[to] = file.nsamples[i]
    }
    const [up, down] = [await converted(dir, [file], 'up'), await converted(dir, [turned], 'down')]
    const all = file.ant1.map((_, row) => row)
    assert.deepEqual(down.metadata.freqHz, up.metadata.freqHz)
    assert.deepEqual(rowsOf(down, all), rowsOf(up, all))
  }))

test('files of a group give the same bytes in any order, and what is missing between them is flagged', () =>
  inFolder(async (dir) => {
    const files = [0, 1, 3].map((band) =>
      siderealFile({ firstHz: 1.4e9 + 3e5 * band, name: `${'cab'[band % 3]}${band}.uvh5` }),
    )
    const paths = files.map((file) => writeAny(dir, file))
    const orders = [
      [0, 1, 2],
      [2, 1, 0],
      [1, 2, 0],
    ]
    const hashes: string[] = []
    for (const order of orders) {
      const out = join(dir, order.join(''))
      mkdirSync(out)
      const { path, outcome } = await convertAny(
        order.map((i) => paths[i]),
        out,
      )
      hashes.push((await hashTree(path)).sha256)
      assert.equal(outcome.metrics.subbandsExpected, 4)
      assert.equal(outcome.metrics.subbandsPresent, 3)
    }
    assert.deepEqual(new Set(hashes).size, 1)
    const { flags, data, metadata, layout } = await readWhole(join(dir, '012', 'measurement-set'))
    assert.equal(layout.channels, 12)
    metadata.freqHz.forEach((freqHz, channel) => assert.ok(Math.abs(freqHz - 1.4e9 - 1e5 * channel) < 1e-3))
    flags.forEach((flag, i) => {
      const channel = Math.floor(i / 2) % 12
      const [row, band] = [Math.floor(i / 24), Math.floor(channel / 3)]
      const source = (row * 3 + (channel % 3)) * 2 + (i % 2)
      if (band === 2) {
        assert.equal(flag, 1)
        assert.equal(Math.hypot(data[2 * i], data[2 * i + 1]), 0)
      } else {
        const file = files[Math.min(band, 2)]
        assert.equal(flag, file.flags[source])
        assert.equal(data[2 * i], file.vis[2 * source])
      }
    })
  }))

test('w that does not go with the stated direction makes the set uncertain, then bad', async () => {
  const off = (arcsec: number): AnyFile => {
    const file = siderealFile()
    alignW(file, (timeJd) => towards({ raRad: 1, decRad: -0.5 + arcsec * ARCSEC_RAD }, timeJd))
    return file
  }
  const conjugated = siderealFile()
  conjugated.uvwM.forEach((value, i) => (conjugated.uvwM[i] = -value))
  const local = anyFile()
  local.positionsM = local.positionsM.map((_, i) => {
    // Turned to the meridian of the site, as some telescopes give them.
    const [x, y] = [local.positionsM[i - (i % 3)], local.positionsM[i - (i % 3) + 1]]
    const [cos, sin] = [Math.cos(site.longitudeRad), Math.sin(site.longitudeRad)]
    return [cos * x + sin * y, cos * y - sin * x, local.positionsM[i]][i % 3]
  })
  const cases: [AnyFile, string][] = [
    [off(0), 'good'],
    [off(0.6), 'good'],
    [off(20), 'uncertain'],
    [off(200), 'bad'],
    [anyFile(), 'good'],
    [conjugated, 'bad'],
    [local, 'bad'],
  ]
  for (const [file, verdict] of cases) {
    await inFolder(async (dir) => {
      const { outcome } = await convertAny([writeAny(dir, file)], dir)
      const found = outcome.quality.checks.find(({ name }) => name === 'w-stated')
      assert.equal(found?.verdict, verdict, JSON.stringify(found))
      assert.equal(outcome.quality.verdict === 'bad', verdict === 'bad')
    })
  }
})
