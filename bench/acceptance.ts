// The numerical acceptance of conversion on data of every shape, the full size among them: the stage's own process, then
// python3-casacore, h5py and ERFA (test/oracles/conversion.py), which share no code with it. Every visibility is compared.
//   node bench/acceptance.ts [--input DIR] [--root DIR]
// Writes bench/results/acceptance.json and prints the table of docs/conversion.md. Needs 2 GB of memory and 5 GB of disk.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { readEarthOrientation } from '#runtime/formats/earth-orientation.ts'
import { openMeasurementSet } from '#runtime/formats/measurement-set/read.ts'
import { DAY_S } from '#runtime/sky/constants.ts'
import { earthOrientationAt } from '#runtime/sky/time.ts'
import { needs, runPython } from '../test/oracles/oracle.ts'
import { simulate } from './conversion/scaling.ts'
import { checkout, convertOnce, keptSet, rawFolder, type RawFolder } from './conversion/stage.ts'
import { markdown } from './conversion/tables.ts'

interface Comparison {
  rows: number
  largestError: number
  flagsEqual: boolean
  absentFlagged: boolean
  pairsEqual: boolean
  timeErrorS: number
  positionErrorM: number
  uvwErrorMm: number
  centreErrorArcsec: number
}

interface Shape {
  name: string
  raw: RawFolder
  /** Of the output grid. */
  subbands: number[]
  integrations: number
}

const missing = needs('casacore', 'h5py', 'astropy')
if (missing !== false) throw new Error(missing)
const { values } = parseArgs({
  options: { input: { type: 'string' }, root: { type: 'string', default: join(checkout, 'contimg-data') } },
})
const root = resolve(values.root)
const four = [4, 5, 6, 7]
const made = (name: string, params: Record<string, unknown>): RawFolder =>
  rawFolder(simulate(join(root, 'incoming', `acceptance-${name}`), { subbands: four, integrations: 6, ...params }))
const full = rawFolder(values.input ?? simulate(join(root, 'incoming/full-plain'), { sources: 30 }))
const small = made('small', { antennas: 24, channels: 12 })
const shapes: Shape[] = [
  { name: 'small: 24 antennas, 12 channels', raw: small, subbands: four, integrations: 6 },
  { name: '64 antennas', raw: made('64-antennas', { antennas: 64 }), subbands: four, integrations: 6 },
  {
    name: '4 polarisations',
    raw: made('4-polarisations', { antennas: 64, polarizations: 4 }),
    subbands: four,
    integrations: 6,
  },
  {
    name: 'a subband missing',
    raw: made('missing', { antennas: 64, missingSubbands: [5] }),
    subbands: four,
    integrations: 6,
  },
  { name: 'full size, 96 antennas', raw: full, subbands: full.subbands, integrations: 24 },
]

const results: (Comparison & { name: string; accepted: boolean })[] = []
for (const shape of shapes) {
  process.stderr.write(`${shape.name}\n`)
  results.push({ name: shape.name, ...(await accept(shape)) })
}
mkdirSync(join(checkout, 'bench/results'), { recursive: true })
writeFileSync(join(checkout, 'bench/results/acceptance.json'), `${JSON.stringify(results, null, 2)}\n`)
process.stdout.write(`${table()}\n`)
process.exitCode = results.every(({ accepted }) => accepted) ? 0 : 1

async function accept({ raw, subbands, integrations }: Shape): Promise<Comparison & { accepted: boolean }> {
  const work = join(root, 'contimg-bench')
  try {
    await convertOnce(work, { ...raw, subbands, integrations, workers: 2, keep: true })
    const { metadata } = await openMeasurementSet(keptSet(work))
    const eops = Array.from(metadata.beam.timeMjdS, (timeS) => {
      const { dut1S, xpArcsec, ypArcsec } = earthOrientationAt(readEarthOrientation(), timeS / DAY_S)
      return [dut1S, xpArcsec, ypArcsec]
    })
    const eopPath = join(work, 'eops.json')
    writeFileSync(eopPath, JSON.stringify(eops))
    const paths = raw.files.map((file) => join(raw.incoming, file))
    const found = runPython('conversion.py', [keptSet(work), eopPath, ...paths]) as Comparison
    return { ...found, accepted: within(found) }
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

/** The limits that the tests hold on small data. */
function within(found: Comparison): boolean {
  return (
    found.flagsEqual &&
    found.absentFlagged &&
    found.pairsEqual &&
    found.largestError < 5e-7 &&
    found.uvwErrorMm < 0.1 &&
    found.centreErrorArcsec < 0.1 &&
    found.timeErrorS < 1e-4 &&
    found.positionErrorM < 1e-3
  )
}

function table(): string {
  return markdown([
    ['data', 'rows', 'largest error of a visibility', 'UVW', 'phase centre', 'TIME', 'antenna positions', 'accepted'],
    ...results.map((found) => [
      found.name,
      String(found.rows),
      found.largestError.toExponential(1),
      `${found.uvwErrorMm.toFixed(3)} mm`,
      `${found.centreErrorArcsec.toFixed(3)}″`,
      `${found.timeErrorS.toExponential(1)} s`,
      `${found.positionErrorM.toExponential(1)} m`,
      found.accepted ? 'yes' : 'no',
    ]),
  ])
}
