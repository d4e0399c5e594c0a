import { createRandom } from '#runtime/numeric/random.ts'
import { DAY_S, INTEGRATION_S } from '#runtime/sky/constants.ts'
import { isoUtc, jdToMjd } from '#runtime/sky/time.ts'
import type { SimulationParams } from './contract.ts'
import { faultsIn, type PlacedFault } from './faults.ts'

/**
 * Name of the file of each subband that is written. Each node stamps its file with the time it opened it: a second or
 * two late, a few nodes much later.
 */
export function fileNames(
  params: SimulationParams,
  firstJd: number,
  faults: readonly PlacedFault[],
): Map<number, string> {
  const startMjd = jdToMjd(firstJd) - INTEGRATION_S / DAY_S / 2
  const names = new Map<number, string>()
  for (const subband of params.subbands.toSorted((a, b) => a - b)) {
    const random = createRandom(params.seed).fork(`names/${subband}`)
    let lateS = random.next() < 0.15 ? 15 + 4 * random.next() : 2 * random.next()
    for (const { seconds } of faultsIn(faults, subband, 'stamp')) lateS += seconds
    const absent = params.missingSubbands.includes(subband) || faultsIn(faults, subband, 'missing').length > 0
    const label = faultsIn(faults, subband, 'label').at(-1)?.says ?? subband
    if (!absent) names.set(subband, fileName(startMjd + lateS / DAY_S, label))
  }
  return names
}

/** All names that files of an observation have or may get, one subband after another. */
export function ownNames(files: ReadonlyMap<number, string>, faults: readonly PlacedFault[]): Set<string> {
  return new Set(
    [...files].flatMap(([subband, name]) => [
      name,
      incompleteName(name),
      ...faultsIn(faults, subband, 'duplicate').map(({ seconds }) => laterName(name, seconds)),
    ]),
  )
}

/** While a file is written, and for ever where its writer dies. */
export function incompleteName(name: string): string {
  return name.replace(/\.hdf5$/, '_incomplete.hdf5')
}

/** A file that nobody is to see yet. */
export function heldName(name: string): string {
  return `.${name}.held`
}

/** The name of a file with a stamp `seconds` later. */
export function laterName(name: string, seconds: number): string {
  const stamp = new Date(Date.parse(`${name.slice(0, 19)}Z`) + 1000 * seconds)
  return stamp.toISOString().slice(0, 19) + name.slice(19)
}

function fileName(stampMjd: number, label: number): string {
  return `${isoUtc(stampMjd).slice(0, 19)}_sb${String(label).padStart(2, '0')}.hdf5`
}
