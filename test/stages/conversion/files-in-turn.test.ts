import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { openHdf5 } from '#runtime/formats/hdf5/file.ts'
import { decodeHeader, type Uvh5Header } from '#runtime/formats/uvh5/header.ts'
import { createHeaderScratch, type HeaderScratch } from '#runtime/formats/uvh5/values.ts'
import { headerProblem } from '../../../stages/conversion/plausibility.ts'
import { rawFile } from '../../../stages/conversion/raw-file.ts'
import { inFolder, rawObservation, writeRaw } from './raw-observation.ts'

const nowMjd = 61_100

/** What is made of a header at once, as a scan does: arrays that were decoded with a scratch do not last. */
async function lookedAt(path: string, scratch?: HeaderScratch): Promise<{ header: Uvh5Header; found: unknown }> {
  const file = await openHdf5(path)
  try {
    const decoded = decodeHeader(file, { uvw: 'first', ...(scratch === undefined ? {} : { scratch }) })
    const problem = headerProblem(decoded, { nowMjd })
    const found = problem ?? rawFile('x', decoded)
    const header = {
      ...decoded,
      timeJd: decoded.timeJd.slice(),
      integrationS: decoded.integrationS.slice(),
      antennaPositionsM: decoded.antennaPositionsM.slice(),
      antennaDiametersM: decoded.antennaDiametersM.slice(),
      freqHz: decoded.freqHz.slice(),
    }
    return { header, found }
  } finally {
    file.close()
  }
}

test('files that are looked at in turn are found as each by itself, whatever antennas they have', () =>
  inFolder(async (dir) => {
    const orders = [
      [24, 3, 70, 101, 44, 112, 105],
      [24, 3, 70, 101, 44, 112, 106],
      // Station 3 twice, which makes every pair with it a repeated one.
      [24, 3, 70, 101, 44, 112, 3],
      [24, 3, 70],
    ]
    const paths = orders.map((order, index) => {
      const folder = join(dir, String(index))
      mkdirSync(folder)
      return writeRaw(folder, rawObservation({ order, subbands: [0] }))[0]
    })
    const [whole, other, repeated, few] = paths
    const scratch = createHeaderScratch()
    const keys: (object | undefined)[] = []
    for (const path of [whole, whole, other, whole, repeated, repeated, few, other]) {
      const { header: alone, found } = await lookedAt(path)
      const inTurn = await lookedAt(path, scratch)
      keys.push(inTurn.header.antennaKey)
      assert.deepEqual({ ...inTurn.header, antennaKey: undefined }, alone)
      assert.deepEqual(inTurn.found, found)
    }
    assert.equal(keys[0], keys[1])
    assert.equal(keys[4], keys[5])
    assert.equal(new Set(keys).size, 6)
    assert.match(JSON.stringify((await lookedAt(repeated)).found), /a baseline twice/)
  }))
