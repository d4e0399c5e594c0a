import { access, constants, mkdtemp, rmdir, stat, statfs } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { ObservationShape, StagePlan } from '#runtime/stage/contract.ts'
import { ProblemError } from '../pipeline/problem.ts'
import { contracts, pipelineStages } from '../pipeline/stages.ts'
import { listCatalogues } from '../runs/catalogues.ts'
import { bytes, count } from '../view/format.ts'
import { readMachine, wscleanVersion } from '../executors/local/machine.ts'
import { checkInput, checkRoot } from '../executors/local/preflight.ts'

/** One finding about this machine; `warn`: it works, and could be better. */
export interface MachineCheck {
  name: string
  verdict: 'good' | 'warn' | 'bad'
  found: string
  fix?: string
}

interface Subject {
  root: string
  input: string | undefined
  /** Scratch folder that the user chose. */
  scratch: string | undefined
  nodeVersion: string
}

const NEEDED_NODE = 24
const NEEDED_WSCLEAN = [3, 1] as const
/** One observation of full size: 16 subbands, 96 antennas, 24 integrations. */
const fullObservation: ObservationShape = {
  antennas: 96,
  baselines: 4656,
  integrations: 24,
  subbands: 16,
  channelsPerSubband: 48,
  polarizations: 2,
}
/** What the products of one observation of full size take, measured: 1.7 GB, most of it the MeasurementSet. */
const PRODUCT_BYTES = 1.8e9
const SHARED_MEMORY = '/dev/shm'
/** File systems of other machines, by the magic number of statfs: NFS, SMB, CIFS, Lustre, CephFS, FUSE. */
const networkTypes = new Set([0x6969, 0x517b, 0xff534d42, 0x0bd00bd0, 0x00c36400, 0x65735546])

/** Looks at everything that a run needs of this machine; changes nothing but for a probe file in the data root. */
export async function examineMachine(subject: Subject): Promise<MachineCheck[]> {
  const need = largestNeed()
  return [
    nodeCheck(subject.nodeVersion),
    await wscleanCheck(),
    ...(await machineChecks(need)),
    ...(await rootChecks(subject.root)),
    await scratchCheck(subject, need),
    ...(subject.input === undefined ? [] : [await inputCheck(subject.input)]),
    await catalogueCheck(subject.root),
  ]
}

/** The most that a step of a full observation plans with the default parameters. */
function largestNeed(): StagePlan {
  const plans = pipelineStages.map((stage) => {
    const contract = contracts[stage]
    return (contract.plan as (params: unknown, shape: ObservationShape) => StagePlan)(
      contract.params.parse({}),
      fullObservation,
    )
  })
  return {
    workingBytes: Math.max(...plans.map(({ workingBytes }) => workingBytes)),
    scratchBytes: Math.max(...plans.map(({ scratchBytes }) => scratchBytes)),
    seconds: 0,
  }
}

function nodeCheck(version: string): MachineCheck {
  const good = Number(version.replace(/^v/, '').split('.')[0]) >= NEEDED_NODE
  return {
    name: 'node',
    verdict: good ? 'good' : 'bad',
    found: version,
    ...(good ? {} : { fix: `contimg needs Node ${NEEDED_NODE}: npm ci in the checkout installs it` }),
  }
}

async function wscleanCheck(): Promise<MachineCheck> {
  try {
    const version = await wscleanVersion()
    const [major = 0, minor = 0] = version.split('.').map(Number)
    const old = major < NEEDED_WSCLEAN[0] || (major === NEEDED_WSCLEAN[0] && minor < NEEDED_WSCLEAN[1])
    return {
      name: 'wsclean',
      verdict: old ? 'warn' : 'good',
      found: version,
      ...(old ? { fix: `contimg is tested with ${NEEDED_WSCLEAN.join('.')} and newer: install a newer one` } : {}),
    }
  } catch (error) {
    return { name: 'wsclean', verdict: 'bad', ...problemOf(error) }
  }
}

async function machineChecks(need: StagePlan): Promise<MachineCheck[]> {
  const { cores, availableMemoryBytes } = await readMachine()
  const enough = availableMemoryBytes >= need.workingBytes
  const tight = availableMemoryBytes < 2 * need.workingBytes
  return [
    {
      name: 'cores',
      verdict: cores > 1 ? 'good' : 'warn',
      found: String(cores),
      ...(cores > 1 ? {} : { fix: 'two cores or more make a run about twice as fast' }),
    },
    {
      name: 'memory',
      verdict: enough ? (tight ? 'warn' : 'good') : 'bad',
      found: `${bytes(availableMemoryBytes)} free; a step of a full observation plans up to ${bytes(need.workingBytes)}`,
      ...(enough && !tight
        ? {}
        : {
            fix: 'end other programs, or make smaller images: examples/small-machine.yaml, --set imaging.preset=quicklook',
          }),
    },
  ]
}

async function rootChecks(root: string): Promise<MachineCheck[]> {
  const exists = await isFolder(root)
  const place = exists ? root : await nearestParent(root)
  const writable = await writability(root, place, exists)
  const { bavail, bsize, type } = await statfs(place)
  const free = bavail * bsize
  const network = networkTypes.has(type)
  return [
    writable,
    {
      name: 'disk',
      verdict: free >= 2 * PRODUCT_BYTES ? 'good' : free >= PRODUCT_BYTES ? 'warn' : 'bad',
      found: `${bytes(free)} free for products${network ? ', on a network filesystem' : ''}; a full observation takes ${bytes(PRODUCT_BYTES)}`,
      ...(free >= 2 * PRODUCT_BYTES
        ? {}
        : { fix: `make room (contimg rm RUN --dry-run shows what a run takes), or choose another --root` }),
    },
  ]
}

async function writability(root: string, place: string, exists: boolean): Promise<MachineCheck> {
  try {
    if (exists) await checkRoot(root)
    else await rmdir(await mkdtemp(join(place, '.contimg-write-')))
    return { name: 'data root', verdict: 'good', found: `${root}${exists ? '' : ', which the first run makes'}` }
  } catch (error) {
    const problem = problemOf(error)
    return {
      name: 'data root',
      verdict: 'bad',
      found: error instanceof ProblemError ? problem.found : `${root} cannot be made: ${place} cannot be written`,
      fix: problem.fix ?? 'choose another with --root DIR or CONTIMG_ROOT, or make it writable',
    }
  }
}

async function scratchCheck({ scratch, root }: Subject, { scratchBytes }: StagePlan): Promise<MachineCheck> {
  const name = 'scratch'
  if (scratch !== undefined) {
    try {
      await access(scratch, constants.W_OK | constants.X_OK)
    } catch {
      return {
        name,
        verdict: 'bad',
        found: `${scratch} cannot be written`,
        fix: 'set CONTIMG_SCRATCH to a folder that can, or unset it',
      }
    }
  }
  const folder = scratch ?? SHARED_MEMORY
  const space = await statfs(folder).catch(() => undefined)
  const free = space === undefined ? 0 : space.bavail * space.bsize
  const found = `${bytes(free)} free in ${folder}; a full observation plans up to ${bytes(scratchBytes)}`
  if (free >= scratchBytes) return { name, verdict: 'good', found }
  return scratch === undefined
    ? {
        name,
        verdict: 'warn',
        found: `${found}, so scratch goes to the disk of ${root}`,
        fix: `a larger ${SHARED_MEMORY}, or CONTIMG_SCRATCH on a fast disk`,
      }
    : { name, verdict: 'bad', found, fix: 'set CONTIMG_SCRATCH to a folder with more room, or unset it' }
}

async function inputCheck(input: string): Promise<MachineCheck> {
  try {
    await checkInput(input)
    return { name: 'input', verdict: 'good', found: input }
  } catch (error) {
    return { name: 'input', verdict: 'bad', ...problemOf(error) }
  }
}

async function catalogueCheck(root: string): Promise<MachineCheck> {
  const name = 'catalogues'
  const all = await listCatalogues(root).catch(() => [])
  if (all.length > 0) {
    return {
      name,
      verdict: 'good',
      found: all.map((found) => `${found.name}@${found.hash12} (${count(found.rows, 'source')})`).join(', '),
    }
  }
  return {
    name,
    verdict: 'warn',
    found: `none under ${join(root, 'catalogues')}: flux scale, astrometry and completeness cannot be checked`,
    fix: 'contimg catalogue import FILE, as docs/catalogues.md says',
  }
}

function problemOf(error: unknown): { found: string; fix?: string } {
  if (!(error instanceof ProblemError)) return { found: (error as Error).message }
  const { message, hint } = error.problem
  return { found: message, ...(hint === undefined ? {} : { fix: hint }) }
}

/** What is there of the way to a path, a file even. */
async function nearestParent(path: string): Promise<string> {
  const parent = dirname(path)
  const exists = (await stat(parent).catch(() => undefined)) !== undefined
  return parent === path || exists ? parent : nearestParent(parent)
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() === true
}
