import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { measureFloor } from './floor.ts'
import { convertOnce, type RawFolder, type StageTime } from './stage.ts'
import { median, spread, type Spread } from './spread.ts'

const FLOOR_BLOCKS_KB = [64, 256, 1024] as const
const WORKERS = 2

export interface PlaceSpeed {
  place: string
  rounds: number
  readBytes: number
  writeBytes: number
  floorSecondsByBlockKB: Record<string, Spread>
  /** Block size whose median is least. */
  bestBlockKB: number
  floorSeconds: Spread
  floorSyncedSeconds: Spread
  conversionSeconds: Spread
  /** From the first header to the last gate. */
  phasesSeconds: Spread
  wallSeconds: Spread
  hashSeconds: Spread
  syncSeconds: Spread
  cpuSeconds: Spread
  peakMemoryBytes: number
  phases: Record<string, { wallSeconds: number; cpuSeconds: number }>
  ratios: {
    conversionToFloor: Ratio
    phasesToFloor: Ratio
    /** Conversion with its fsync to the floor with an fsync. */
    syncedToFloor: number
    /** Conversion and hash to conversion: what hashing the product does to the time. */
    withHashToConversion: number
  }
}

interface Ratio {
  ofMedians: number
  ofMinima: number
  pairedMedian: number
}

/** Floor and conversion in turn, so that whatever else the machine does hits both. The first round warms the cache. */
export async function measureSpeed(
  raw: RawFolder,
  { place, root, rounds, integrations }: { place: string; root: string; rounds: number; integrations: number },
): Promise<PlaceSpeed> {
  const work = join(root, 'contimg-bench')
  const convert = (): Promise<StageTime> => convertOnce(work, { ...raw, integrations, workers: WORKERS })
  const warm = await convert()
  // What the stage writes while it converts, FLAG tiles included where anything is flagged.
  const writeBytes = warm.writtenBytes
  const floors = FLOOR_BLOCKS_KB.map((): { seconds: number; syncedSeconds: number }[] => [])
  const ours: StageTime[] = []
  for (let round = 0; round < rounds; round++) {
    for (const [index, blockKB] of FLOOR_BLOCKS_KB.entries()) {
      settle()
      floors[index].push(await measureFloor(raw, { root: work, blockBytes: 1024 * blockKB, writeBytes, sync: true }))
    }
    settle()
    ours.push(await convert())
  }
  const byBlock = floors.map((times) => spread(times.map(({ seconds }) => seconds)))
  const best = byBlock.reduce((least, { median: value }, index) => (value < byBlock[least].median ? index : least), 0)
  const of = (pick: (time: StageTime) => number): Spread => spread(ours.map(pick))
  const floor = byBlock[best]
  const floorSynced = spread(floors[best].map(({ syncedSeconds }) => syncedSeconds))
  const conversion = of((time) => time.conversionSeconds)
  const toFloor = (pick: (time: StageTime) => number): Ratio => ({
    ofMedians: of(pick).median / floor.median,
    ofMinima: of(pick).min / floor.min,
    pairedMedian: median(ours.map((time, round) => pick(time) / floors[best][round].seconds)),
  })
  const synced = of((time) => time.conversionSeconds + time.syncSeconds)
  const hash = of((time) => time.hashSeconds)
  return {
    place,
    rounds,
    readBytes: raw.bytes,
    writeBytes,
    floorSecondsByBlockKB: Object.fromEntries(FLOOR_BLOCKS_KB.map((blockKB, index) => [blockKB, byBlock[index]])),
    bestBlockKB: FLOOR_BLOCKS_KB[best],
    floorSeconds: floor,
    floorSyncedSeconds: floorSynced,
    conversionSeconds: conversion,
    phasesSeconds: of((time) => time.phasesSeconds),
    wallSeconds: of((time) => time.wallSeconds),
    hashSeconds: hash,
    syncSeconds: of((time) => time.syncSeconds),
    cpuSeconds: of((time) => time.cpuSeconds),
    peakMemoryBytes: Math.max(...ours.map((time) => time.peakMemoryBytes)),
    phases: phaseMedians(ours),
    ratios: {
      conversionToFloor: toFloor((time) => time.conversionSeconds),
      phasesToFloor: toFloor((time) => time.phasesSeconds),
      syncedToFloor: synced.median / floorSynced.median,
      withHashToConversion: 1 + hash.median / conversion.median,
    },
  }
}

function phaseMedians(times: readonly StageTime[]): PlaceSpeed['phases'] {
  return Object.fromEntries(
    times[0].phases.map(({ name }, index) => [
      name,
      {
        wallSeconds: median(times.map(({ phases }) => phases[index].wallSeconds)),
        cpuSeconds: median(times.map(({ phases }) => phases[index].cpuSeconds)),
      },
    ]),
  )
}

/** Writes out what earlier work left dirty, so that it is not written during the next. */
function settle(): void {
  spawnSync('sync')
}
