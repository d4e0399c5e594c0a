import type { Peers } from './peers.ts'
import type { Profile } from './profile.ts'
import type { Scaling } from './scaling.ts'
import type { PlaceSpeed } from './speed.ts'
import type { Spread } from './spread.ts'

export interface WorkersPoint {
  workers: number
  conversionSeconds: number
  cpuSeconds: number
  peakMemoryBytes: number
  digest: string
}

/** bench/results/conversion.json */
export interface Report {
  machine?: { cpu: string; cores: number; memoryBytes: number; node: string }
  /** One-minute load average when a part began. */
  loadBefore?: Record<string, number>
  tmpfs?: PlaceSpeed
  disk?: PlaceSpeed
  workers?: WorkersPoint[]
  scaling?: Scaling
  peers?: Peers
  profile?: Profile
}

const seconds = (value: number): string => `${value.toFixed(2)} s`
const both = ({ min, median }: Spread): string => `${min.toFixed(2)} / ${median.toFixed(2)} s`
const three = ({ ofMinima, ofMedians, pairedMedian }: PlaceSpeed['ratios']['phasesToFloor']): string =>
  [ofMinima, ofMedians, pairedMedian].map((value) => value.toFixed(2)).join(' / ')
const megabytes = (bytes: number): string => `${Math.round(bytes / 1e6)} MB`

export function speedTables({ tmpfs, disk }: Report): { speed: string; phases: string } {
  const places = [tmpfs, disk].filter((place) => place !== undefined)
  const row = (name: string, cell: (place: PlaceSpeed) => string): string[] => [name, ...places.map(cell)]
  const speed = markdown([
    row('minimum / median', ({ place }) => place),
    ...Object.keys(places[0].floorSecondsByBlockKB).map((blockKB) =>
      row(`I/O floor, blocks of ${blockKB} kB`, (place) => both(place.floorSecondsByBlockKB[blockKB])),
    ),
    row('conversion, from the first header to the last gate', (place) => both(place.phasesSeconds)),
    row('its ratio to the floor, of minima / of medians / median of pairs', ({ ratios }) =>
      three(ratios.phasesToFloor),
    ),
    row('with the start and the end of the process', (place) => both(place.conversionSeconds)),
    row('its ratio to the floor', ({ ratios }) => three(ratios.conversionToFloor)),
    row('floor with fsync', (place) => both(place.floorSyncedSeconds)),
    row('fsync of the product', (place) => both(place.syncSeconds)),
    row('conversion with fsync to the floor with fsync', (place) => place.ratios.syncedToFloor.toFixed(2)),
    row('hash of the product', (place) => both(place.hashSeconds)),
    row('conversion with hash to conversion', (place) => place.ratios.withHashToConversion.toFixed(2)),
    row('process from start to end', (place) => both(place.wallSeconds)),
    row('CPU time, hash included', (place) => both(place.cpuSeconds)),
    row('peak resident memory', (place) => megabytes(place.peakMemoryBytes)),
  ])
  const phases = markdown([
    ['phase, median', ...places.flatMap(({ place }) => [`${place} wall`, `${place} CPU`])],
    ...Object.keys(places[0].phases).map((name) => [
      name,
      ...places.flatMap(({ phases: all }) => [seconds(all[name].wallSeconds), seconds(all[name].cpuSeconds)]),
    ]),
  ])
  return { speed, phases }
}

export function workersTable({ workers = [] }: Report): string {
  return markdown([
    ['threads', 'conversion', 'CPU time, hash included', 'peak memory', 'product digest'],
    ...workers.map((point) => [
      String(point.workers),
      seconds(point.conversionSeconds),
      seconds(point.cpuSeconds),
      megabytes(point.peakMemoryBytes),
      `${point.digest.slice(0, 12)}…`,
    ]),
  ])
}

export function scalingTable({ scaling }: Report): string {
  if (scaling === undefined) return ''
  const { points, fit, memoryRatio } = scaling
  const table = markdown([
    ['axis', 'value', 'visibilities', 'conversion', 'of it convert', 'beyond the fixed part, s per 1e6', 'peak memory'],
    ...points.map((point) => [
      point.axis,
      String(point.value),
      `${(point.visibilities / 1e6).toFixed(1)}e6`,
      seconds(point.seconds),
      seconds(point.convertSeconds),
      ((point.seconds - fit.fixedSeconds) / (point.visibilities / 1e6)).toFixed(4),
      megabytes(point.peakMemoryBytes),
    ]),
  ])
  const line = `seconds = ${fit.fixedSeconds.toFixed(2)} + ${fit.secondsPerMillion.toFixed(4)} x visibilities / 1e6, within ${(100 * fit.largestError).toFixed(0)} %; largest over smallest peak memory ${memoryRatio.toFixed(2)}`
  return `${table}\n\n${line}`
}

export function peersTable({ peers }: Report): string {
  if (peers === undefined) return ''
  const steps = (all: Record<string, number>): string =>
    Object.entries(all)
      .map(([name, value]) => `${name} ${value.toFixed(1)}`)
      .join(', ')
  return markdown([
    ['converter, disk to disk', 'wall', 'CPU', 'peak memory', 'times our wall', 'steps, s'],
    [
      'contimg, without hash and fsync',
      seconds(peers.conversionSeconds),
      seconds(peers.conversionCpuSeconds),
      megabytes(peers.conversionPeakMemoryBytes),
      '1',
      '',
    ],
    ...peers.peers.map((peer) => [
      peer.name,
      seconds(peer.seconds),
      seconds(peer.cpuSeconds),
      megabytes(peer.peakMemoryBytes),
      peer.ratio.toFixed(1),
      steps(peer.steps),
    ]),
    ...peers.notRun.map(({ name, reason }) => [name, `not run: ${reason}`, '', '', '', '']),
  ])
}

export function profileTable({ profile }: Report): string {
  if (profile === undefined) return ''
  const least = 0.005
  const total = (group: Profile['groups'][number]): number => group.mainSeconds + group.workerSeconds
  const shown = profile.groups.filter((group) => total(group) >= least)
  const table = markdown([
    ['what', 'main thread', 'worker', 'part'],
    ...shown.map((group) => [
      group.name,
      seconds(group.mainSeconds),
      seconds(group.workerSeconds),
      `${((100 * total(group)) / profile.seenSeconds).toFixed(1)} %`,
    ]),
  ])
  return `${table}\n\nSeen by the profiler: ${seconds(profile.seenSeconds)}; CPU time of the process: ${seconds(profile.cpuSeconds)}.`
}

export function markdown([head, ...rows]: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}
