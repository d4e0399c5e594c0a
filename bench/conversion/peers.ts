import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openMeasurementSet } from '#runtime/formats/measurement-set/read.ts'
import { readEarthOrientation } from '#runtime/formats/earth-orientation.ts'
import { DAY_S, DEGREE_RAD } from '#runtime/sky/constants.ts'
import { earthOrientationAt } from '#runtime/sky/time.ts'
import { environmentPython } from '../../test/oracles/pypi/environment.ts'
import { median } from './spread.ts'
import { convertOnce, keptSet, type RawFolder, type StageTime } from './stage.ts'

export interface Peer {
  name: string
  seconds: number
  steps: Record<string, number>
  cpuSeconds: number
  peakMemoryBytes: number
  /** Seconds over those of our conversion, fsync and hash left out of ours and not done by the peer. */
  ratio: number
  /** Of random cells, against our set. */
  agreement: { cells: number; uvwErrorMm: number; amplitudeError: number; phaseErrorRad: number }
}

export interface Peers {
  /** Median of the conversions between the peers, on the same disk. */
  conversionSeconds: number
  conversionCpuSeconds: number
  conversionPeakMemoryBytes: number
  peers: Peer[]
  notRun: { name: string; reason: string }[]
}

interface PeerRun {
  seconds: number
  steps: Record<string, number>
  cpuSeconds: number
  peakMemoryBytes: number
}

/** Limits of a peer that did the same work: float32 amplitudes; phases but for 0.2 mm of rounding in the files' w. */
const AMPLITUDE_LIMIT = 1e-6
const PHASE_LIMIT_RAD = 0.02
/** pyuvdata leaves polar motion out. */
const UVW_LIMIT_MM = 15
/** Debian's, with python3-casacore and python3-h5py. */
const DEBIAN_PYTHON = process.env['CONTIMG_PYTHON'] ?? '/usr/bin/python3'

/**
 * Three ways to the same set with the field's own packages, each in a process of its own, and our conversion between
 * them, all on disk. @throws when a peer's visibilities are not ours
 */
export async function measurePeers(
  raw: RawFolder,
  { root, integrations, casaPython }: { root: string; integrations: number; casaPython: string | undefined },
): Promise<Peers> {
  const work = join(root, 'contimg-bench-peers')
  const ourRoot = join(root, 'contimg-bench')
  const ours: StageTime[] = []
  const convert = async (): Promise<void> =>
    void ours.push(await convertOnce(ourRoot, { ...raw, integrations, workers: 2, keep: true }))
  rmSync(work, { recursive: true, force: true })
  mkdirSync(work, { recursive: true })
  try {
    await convert()
    ours.length = 0
    await convert()
    const call = { ...(await target(keptSet(ourRoot))), raw: raw.files.map((file) => join(raw.incoming, file)) }
    const output = join(work, 'peer.ms')
    const finished: (PeerRun & Pick<Peer, 'name' | 'agreement'>)[] = []
    const notRun: Peers['notRun'] = []
    const finish = async (name: string, result: PeerRun): Promise<void> => {
      finished.push({ name, ...result, agreement: compare(keptSet(ourRoot), output, name) })
      rmSync(output, { recursive: true, force: true })
      await convert()
    }

    await finish(
      'h5py and python-casacore, a plain loop',
      runPeer(DEBIAN_PYTHON, 'casacore_loop.py', work, { ...call, output }),
    )
    const pypi = environmentPython()
    if (pypi === undefined) {
      notRun.push({ name: 'pyuvdata', reason: 'npm run test:oracle has not made its environment' })
    } else {
      await finish(
        'pyuvdata: read along frequency, phase, write_ms',
        runPeer(pypi, 'pyuvdata_route.py', work, { ...call, output }, 'together'),
      )
      if (casaPython === undefined) {
        notRun.push({ name: 'pyuvdata by subband and CASA concat', reason: 'no --casa PYTHON with casatasks' })
      } else {
        const each = join(work, 'each')
        const first = runPeer(pypi, 'pyuvdata_route.py', work, { ...call, output: each }, 'each')
        const sets = readdirSync(each)
          .sort()
          .map((name) => join(each, name))
        const second = runPeer(casaPython, 'concat.py', work, { raw: sets, output })
        rmSync(each, { recursive: true, force: true })
        await finish("the incumbent's route: pyuvdata by subband, CASA concat", {
          seconds: first.seconds + second.seconds,
          steps: { ...first.steps, concat: second.steps['concat'] },
          cpuSeconds: first.cpuSeconds + second.cpuSeconds,
          peakMemoryBytes: Math.max(first.peakMemoryBytes, second.peakMemoryBytes),
        })
      }
    }
    const conversionSeconds = median(ours.map((time) => time.conversionSeconds))
    return {
      conversionSeconds,
      conversionCpuSeconds: median(ours.map(cpuWithoutHash)),
      conversionPeakMemoryBytes: Math.max(...ours.map((time) => time.peakMemoryBytes)),
      peers: finished.map((peer) => ({ ...peer, ratio: peer.seconds / conversionSeconds })),
      notRun,
    }
  } finally {
    rmSync(work, { recursive: true, force: true })
    rmSync(ourRoot, { recursive: true, force: true })
  }
}

function cpuWithoutHash({ cpuSeconds, phases }: StageTime): number {
  return cpuSeconds - (phases.find(({ name }) => name === 'hash')?.cpuSeconds ?? 0)
}

/** Where our set points and what the Earth did: the peers rotate to the same direction. */
async function target(path: string): Promise<Record<string, number>> {
  const { metadata } = await openMeasurementSet(path)
  const { timeMjdS } = metadata.beam
  const middle = (timeMjdS[0] + timeMjdS[timeMjdS.length - 1]) / 2 / DAY_S
  const { dut1S, xpArcsec, ypArcsec } = earthOrientationAt(readEarthOrientation(), middle)
  return {
    raDeg: metadata.phaseCentre.raRad / DEGREE_RAD,
    decDeg: metadata.phaseCentre.decRad / DEGREE_RAD,
    dut1S,
    xpArcsec,
    ypArcsec,
  }
}

function runPeer(python: string, script: string, work: string, call: object, ...args: string[]): PeerRun {
  const path = join(work, 'arguments.json')
  writeFileSync(path, JSON.stringify(call))
  process.stderr.write(`  ${script} ${args.join(' ')}\n`)
  const start = performance.now()
  const result = spawnPython(python, script, [path, ...args], work)
  return { ...(result as Omit<PeerRun, 'seconds'>), seconds: (performance.now() - start) / 1000 }
}

function compare(ours: string, peer: string, name: string): Peer['agreement'] {
  const found = spawnPython(DEBIAN_PYTHON, 'compare.py', [ours, peer]) as Peer['agreement']
  const { amplitudeError, phaseErrorRad, uvwErrorMm } = found
  if (amplitudeError > AMPLITUDE_LIMIT || phaseErrorRad > PHASE_LIMIT_RAD || uvwErrorMm > UVW_LIMIT_MM)
    throw new Error(`${name} differs from our set: ${JSON.stringify(found)}`)
  return found
}

/** The last line that a script prints, parsed. */
function spawnPython(python: string, script: string, args: readonly string[], cwd?: string): unknown {
  const path = fileURLToPath(new URL(`../peers/${script}`, import.meta.url))
  const { status, stdout, stderr } = spawnSync(python, [path, ...args], {
    encoding: 'utf8',
    cwd,
    maxBuffer: 2 ** 26,
  })
  if (status !== 0) throw new Error(`${script} failed: ${stderr.slice(-2000)}`)
  return JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '')
}
