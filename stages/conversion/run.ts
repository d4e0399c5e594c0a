import { readEarthOrientation } from '#runtime/formats/earth-orientation.ts'
import { readStationTable } from '#runtime/formats/station-table.ts'
import type { Run } from '#runtime/stage/contract.ts'
import type { conversion } from './contract.ts'
import { convertGroup } from './convert.ts'
import { readSources } from './sources.ts'

/** Converts the raw subbands of one observation of the telescope. */
export const run: Run<typeof conversion> = async (stage) => {
  const { params, inputs } = stage
  const earthOrientation = readEarthOrientation(inputs.earthOrientation.path)
  const stationTable = inputs.stationTable === undefined ? undefined : readStationTable(inputs.stationTable.path)
  const { expect, deadAntennaFraction } = params
  return convertGroup(stage, {
    paths: inputs.raw.map(({ path }) => path),
    read: async () => ({
      sources: await readSources(inputs.raw, { expected: expect.subbands, nowMs: Date.now() }),
      expect,
    }),
    earthOrientation,
    stationTable,
    deadAntennaFraction,
  })
}
