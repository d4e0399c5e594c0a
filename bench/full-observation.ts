// A full-size synthetic observation (16 subbands, 2.33 GB) through all four stages, compared with its truth.
//   node bench/full-observation.ts [calibrator|plain] [--root DIR]
// calibrator: 3C286 at transit, 30 sources, gains, bandpasses, noise. plain: 30 sources and noise, no gains, uncalibrated.
// Writes bench/results/full-observation-<field>.json and prints the table of docs/performance.md.
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { readCatalogueCsv, recover } from './recovery.ts'

const checkout = fileURLToPath(new URL('..', import.meta.url))
const fields = {
  calibrator: {
    simulate: ['--sources', '30'],
    run: [],
    exitCodes: [0],
    seconds: { conversion: 10, calibration: 15, imaging: 90, validation: 15, all: 140 },
    noiseRatio: 2.0,
  },
  plain: {
    simulate: ['--sources', '30', '--calibrator', 'none', '--no-gains'],
    run: ['--uncalibrated'],
    // Uncalibrated images have the verdict bad, whatever they show.
    exitCodes: [3],
    seconds: { conversion: 10, calibration: 15, imaging: 60, validation: 15, all: 110 },
    noiseRatio: 1.3,
  },
} as const

interface Step {
  stage: string
  outputs: Record<string, string>
  metrics: Record<string, number>
  usage: {
    wallSeconds: number
    cpuSeconds: number
    peakMemoryBytes: number
    peakScratchBytes: number
    readBytes: number
    writtenBytes: number
  }
}

const { values, positionals } = parseArgs({ allowPositionals: true, options: { root: { type: 'string' } } })
const field = positionals[0] ?? 'calibrator'
if (field !== 'calibrator' && field !== 'plain')
  throw new Error('usage: node bench/full-observation.ts [calibrator|plain]')
const root = resolve(values.root ?? join(checkout, 'contimg-data'))
const input = join(root, 'incoming', `full-${field}`)
const settings = fields[field]

if (!existsSync(join(input, 'truth.json')))
  await contimg(['simulate', '--full', '--out', input, '-q', ...settings.simulate], [0])
const output = await contimg(
  ['run', join(input, 'contimg.yaml'), '--root', root, '-o', 'json', ...settings.run],
  settings.exitCodes,
)
const [{ steps }] = (JSON.parse(output) as { observations: { steps: Step[] }[] }).observations
const report = judge(steps)
mkdirSync(join(checkout, 'bench/results'), { recursive: true })
writeFileSync(join(checkout, `bench/results/full-observation-${field}.json`), `${JSON.stringify(report, null, 2)}\n`)
process.stdout.write(`${table(steps)}\n\n${JSON.stringify({ ...report.accuracy, ...report.met }, null, 2)}\n`)
process.exitCode = Object.values(report.met).every(Boolean) ? 0 : 1

function judge(all: readonly Step[]) {
  const step = (stage: string): Step => all.find((one) => one.stage === stage) as Step
  const truth = JSON.parse(readFileSync(join(input, 'truth.json'), 'utf8')) as {
    sources: { name: string; raDeg: number; decDeg: number; meanApparentJy: number; meanBeam: number }[]
  }
  const { rmsCentreJyPerBeam, noiseRatio, beamMinorArcsec } = step('imaging').metrics
  const recovery = recover(
    readCatalogueCsv(step('validation').outputs['catalogueCsv']),
    truth.sources.map((source) => ({
      ...source,
      fluxJy: source.meanApparentJy / source.meanBeam,
      apparentJy: source.meanApparentJy,
    })),
    { rmsJy: rmsCentreJyPerBeam },
  )
  const wallSeconds = all.reduce((sum, { usage }) => sum + usage.wallSeconds, 0)
  // Scratch lies in memory here, and the two peaks need not come together: an upper limit.
  const peakMemoryBytes = Math.max(...all.map(({ usage }) => usage.peakMemoryBytes + usage.peakScratchBytes))
  const seconds: Record<string, number> = {
    ...Object.fromEntries(all.map(({ stage, usage }) => [stage, usage.wallSeconds])),
    all: wallSeconds,
  }
  return {
    machine: { cpu: cpus()[0].model, cores: cpus().length, memoryBytes: totalmem(), node: process.version },
    usage: all.map(({ stage, usage }) => ({ stage, ...usage })),
    wallSeconds,
    peakMemoryBytes,
    accuracy: {
      ...recovery,
      noiseRatio,
      rmsCentreJyPerBeam,
      offsetMedianBeams: recovery.offsetMedianArcsec / beamMinorArcsec,
    },
    met: {
      everySourceFound: recovery.missed.length === 0,
      fluxWithin3Percent: Math.abs(recovery.fluxRatioMedian - 1) <= 0.03,
      offsetBelowTenthBeam: recovery.offsetMedianArcsec <= 0.1 * beamMinorArcsec,
      noise: noiseRatio <= settings.noiseRatio,
      ...Object.fromEntries(
        Object.entries(settings.seconds).map(([stage, limit]) => [
          `${stage}Within${limit}Seconds`,
          seconds[stage] <= limit,
        ]),
      ),
      memoryBelow2500MB: peakMemoryBytes <= 2.5e9,
    },
  }
}

function table(all: readonly Step[]): string {
  const rows = all.map(({ stage, usage }) => [
    stage,
    `${usage.wallSeconds.toFixed(1)} s`,
    `${usage.cpuSeconds.toFixed(1)} s`,
    `${Math.round(usage.peakMemoryBytes / 1e6)} MB`,
    `${Math.round(usage.peakScratchBytes / 1e6)} MB`,
    `${(usage.readBytes / 1e9).toFixed(2)} GB`,
    `${(usage.writtenBytes / 1e9).toFixed(2)} GB`,
  ])
  return [
    ['stage', 'wall', 'CPU', 'peak memory', 'scratch', 'read', 'written'],
    ['---', '---', '---', '---', '---', '---', '---'],
    ...rows,
  ]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n')
}

async function contimg(args: readonly string[], allowed: readonly number[]): Promise<string> {
  const child = spawn(process.execPath, [join(checkout, 'orchestrator/main.ts'), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let text = ''
  child.stdout.on('data', (block: Buffer) => (text += block.toString()))
  const code = await new Promise<number | null>((done) => child.on('close', done))
  if (code === null || !allowed.includes(code)) throw new Error(`contimg ${args[0]} ended with exit code ${code}`)
  return text
}
