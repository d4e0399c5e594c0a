import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ARCSEC_RAD } from '#runtime/sky/constants.ts'
import { fk5ToIcrs, horizonVector, separation, type Site } from '#runtime/sky/frames.ts'
import { meridianVector } from '#runtime/sky/phase-rotation.ts'
import { dot } from '#runtime/sky/vector.ts'
import { rowGeometry } from '../../../stages/conversion/array-geometry.ts'
import { pointingOf } from '../../../stages/conversion/pointing.ts'
import { subbandsOfGroup } from '../../../stages/conversion/group-band.ts'
import type { MemberFile } from '../../../stages/conversion/raw-file.ts'
import { earthOrientation } from './raw-observation.ts'

const site: Site = { latitudeRad: -0.53, longitudeRad: 0.37, altitudeM: 1051 }
const where = { site, table: earthOrientation }
const times = Float64Array.of(60500.1, 60500.2)

test('FK5 places become those of astropy', () => {
  // SkyCoord(frame='fk5', equinox='J2000').icrs of astropy 8.0.2
  const known = [
    [1, -0.5, 0.9999999377358678, -0.49999994265370695],
    [4, 1.2, 4.000000137063781, 1.199999955822734],
  ]
  for (const [ra, dec, raRad, decRad] of known) {
    assert.ok(separation(fk5ToIcrs({ raRad: ra, decRad: dec }), { raRad, decRad }) < 1e-5 * ARCSEC_RAD)
  }
})

test('the zenith is a driftscan at 90 degrees, and a meridian place at the latitude', () => {
  const zenith = pointingOf({ kind: 'unprojected' }, times, where)
  const scan = { kind: 'driftscan', name: 'up', azimuthRad: 1.3, elevationRad: Math.PI / 2 } as const
  assert.ok(separation(zenith.centre, pointingOf(scan, times, where).centre) < 1e-9)
  assert.ok(Math.abs(dot(horizonVector(0.4, Math.PI / 2, site), meridianVector(0, -0.53, 0.37)) - 1) < 1e-12)
  assert.ok(Math.abs(zenith.midMjd - 60500.15) < 1e-9)
})

test('azimuth runs from north through east', () => {
  const east = horizonVector(Math.PI / 2, 0, site)
  assert.ok(Math.abs(dot(east, [-Math.sin(0.37), Math.cos(0.37), 0]) - 1) < 1e-12)
  assert.ok(horizonVector(0, 0, site)[2] > 0)
})

test('sidereal data keep their centre through all integrations', () => {
  const phasing = { kind: 'sidereal', name: 'x', raRad: 1, decRad: -0.5, frame: 'icrs' } as const
  const { centre, beam } = pointingOf(phasing, times, where)
  assert.deepEqual(centre, { raRad: 1, decRad: -0.5 })
  assert.deepEqual([...beam.raRad], [1, 1])
})

test('rows of any order know their pair and their time', () => {
  const header = {
    rows: 3,
    timeJd: Float64Array.of(2.5, 1.5, 2.5),
    ant1: Int32Array.of(7, 3, 3),
    ant2: Int32Array.of(3, 7, 3),
    antennaNumbers: Int32Array.of(3, 7),
  } as Parameters<typeof rowGeometry>[0]
  const { antenna1, antenna2, swapped, integration } = rowGeometry(header)
  assert.deepEqual([...antenna1, ...antenna2], [0, 0, 0, 1, 1, 0])
  assert.deepEqual([...swapped], [1, 0, 0])
  assert.deepEqual([...integration], [1, 0, 1])
})

test('files of a group are numbered by descending frequency, with room for those that are missing', () => {
  const file = (highestHz: number): MemberFile => ({ highestHz, channels: 4, channelWidthHz: 10 }) as MemberFile
  assert.deepEqual(subbandsOfGroup([file(1000), file(880), file(960)]), [0, 3, 1])
  assert.equal(subbandsOfGroup([file(1000), file(965)]), undefined)
  assert.equal(subbandsOfGroup([file(1000), file(400)]), undefined)
})
