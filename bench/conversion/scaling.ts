import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { checkout, convertOnce, rawFolder, type RawFolder } from './stage.ts'

export interface ScalePoint {
  axis: 'subbands' | 'antennas' | 'integrations' | 'channels'
  value: number
  visibilities: number
  /** Least of the repeats, without hash and fsync. */
  seconds: number
  /** Of the phase `convert` alone. */
  convertSeconds: number
  cpuSeconds: number
  peakMemoryBytes: number
}

export interface Scaling {
  points: ScalePoint[]
  /** seconds = fixed + perMillion x visibilities / 1e6, least squares of relative errors; largest relative error. */
  fit: { fixedSeconds: number; secondsPerMillion: number; largestError: number }
  /** Largest over smallest peak. */
  memoryRatio: number
}

const REPEATS = 3
const WORKERS = 2
const FOUR = [4, 5, 6, 7]

/** Time and memory along each axis of the data; the other axes stay at 96 antennas, 24 integrations, 48 channels. */
export async function measureScaling(
  full: RawFolder,
  { root, memory }: { root: string; memory: string },
): Promise<Scaling> {
  const work = join(memory, 'contimg-bench')
  const simulated = (name: string, params: Record<string, unknown>): RawFolder =>
    rawFolder(simulate(join(root, 'incoming', `scale-${name}`), { subbands: FOUR, ...params }))
  const points: ScalePoint[] = []
  const measure = async (
    axis: ScalePoint['axis'],
    value: number,
    { raw, integrations = 24 }: { raw: RawFolder; integrations?: number },
  ): Promise<void> => {
    const times = []
    for (let repeat = 0; repeat <= REPEATS; repeat++)
      times.push(await convertOnce(work, { ...raw, integrations, workers: WORKERS }))
    times.shift()
    points.push({
      axis,
      value,
      visibilities: times[0].visibilities,
      seconds: Math.min(...times.map((time) => time.conversionSeconds)),
      convertSeconds: Math.min(
        ...times.map(({ phases }) => phases.find(({ name }) => name === 'convert')?.wallSeconds ?? 0),
      ),
      cpuSeconds: Math.min(...times.map((time) => time.cpuSeconds)),
      peakMemoryBytes: Math.max(...times.map((time) => time.peakMemoryBytes)),
    })
  }
  for (const count of [1, 2, 4, 8, 16])
    await measure('subbands', count, { raw: rawFolder(full.incoming, full.subbands.slice(0, count)) })
  for (const antennas of [24, 64, 96, 117])
    await measure('antennas', antennas, {
      raw: antennas === 96 ? rawFolder(full.incoming, FOUR) : simulated(`${antennas}-antennas`, { antennas }),
    })
  for (const integrations of [1, 6, 24])
    await measure('integrations', integrations, {
      raw:
        integrations === 24
          ? rawFolder(full.incoming, FOUR)
          : simulated(`${integrations}-integrations`, { integrations }),
      integrations,
    })
  for (const channels of [12, 24, 48])
    await measure('channels', channels, {
      raw: channels === 48 ? rawFolder(full.incoming, FOUR) : simulated(`${channels}-channels`, { channels }),
    })
  const peaks = points.map(({ peakMemoryBytes }) => peakMemoryBytes)
  return { points, fit: fitLine(points), memoryRatio: Math.max(...peaks) / Math.min(...peaks) }
}

/** A folder with a simulated observation; made when it is not there. */
export function simulate(folder: string, params: Record<string, unknown>): string {
  if (existsSync(join(folder, 'truth.json'))) return folder
  mkdirSync(folder, { recursive: true })
  const paramsPath = `${folder}.json`
  writeFileSync(
    paramsPath,
    JSON.stringify({
      preset: 'full',
      sources: 5,
      calibrator: null,
      gains: false,
      bandpass: false,
      catalogue: false,
      ...params,
    }),
  )
  const { status, stdout } = spawnSync(
    process.execPath,
    [join(checkout, 'stages/simulation/main.ts'), '--params', paramsPath, '--out', folder],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] },
  )
  if (status !== 0) throw new Error(`the simulation of ${folder} failed: ${stdout.slice(-500)}`)
  return folder
}

/** Minimises the sum of squared relative residuals of seconds = a + b x, x in millions of visibilities. */
function fitLine(points: readonly ScalePoint[]): Scaling['fit'] {
  let [ww, wx, wxx, wy, wxy] = [0, 0, 0, 0, 0]
  for (const { seconds, visibilities } of points) {
    const x = visibilities / 1e6
    const weight = seconds ** -2
    ww += weight
    wx += weight * x
    wxx += weight * x * x
    wy += weight * seconds
    wxy += weight * x * seconds
  }
  const determinant = ww * wxx - wx * wx
  const fixedSeconds = (wxx * wy - wx * wxy) / determinant
  const secondsPerMillion = (ww * wxy - wx * wy) / determinant
  const errors = points.map(
    ({ seconds, visibilities }) =>
      Math.abs(fixedSeconds + (secondsPerMillion * visibilities) / 1e6 - seconds) / seconds,
  )
  return { fixedSeconds, secondsPerMillion, largestError: Math.max(...errors) }
}
