import assert from 'node:assert/strict'
import { test } from 'node:test'
import { smearing, smearLoss } from '../../../stages/imaging/smearing.ts'

const arcsec = Math.PI / 648_000
const at = (radiusDeg: number, channels: number, beamArcsec: number): ReturnType<typeof smearing> =>
  smearing({
    radiusRad: (radiusDeg * Math.PI) / 180,
    channelWidthHz: channels * 244_140.625,
    freqHz: 1405.015e6,
    integrationS: 12.884901888,
    beamMinorRad: beamArcsec * arcsec,
  })

test('smearing agrees with hand calculations for 8 channels and 12.9 s', () => {
  const { bandwidthRad, timeRad } = at(1.36, 8, 37)
  assert.ok(Math.abs(bandwidthRad / arcsec - 6.8) < 0.05)
  assert.ok(Math.abs(timeRad / arcsec - 4.6) < 0.05)
  // 0.8 % and 0.4 %, and 5.2 % and 2.4 % for a beam of 14 arcsec.
  assert.ok(Math.abs(at(1.36, 8, 37).loss - 0.0115) < 0.0005)
  assert.ok(Math.abs(at(1.36, 8, 14).loss - 0.073) < 0.004)
})

test('the loss goes with the square of a small smear: 0.231 b^2, and is none without smear', () => {
  assert.equal(smearLoss(0, 1), 0)
  for (const b of [1e-4, 1e-3, 1e-2, 0.1]) assert.ok(Math.abs(smearLoss(b, 1) / (b * b) - 0.231) < 0.002)
  assert.ok(Math.abs(smearLoss(0.3599, 1) - smearLoss(0.3605, 1)) < 1e-4, 'series and function meet')
  assert.ok(smearLoss(10, 1) > 0.89 && smearLoss(10, 1) < 0.91)
})
