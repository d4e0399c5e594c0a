import { createRandom, type Random } from '#runtime/numeric/random.ts'
import { SPEED_OF_LIGHT_M_S } from '#runtime/sky/constants.ts'
import type { Fault } from './fault-catalogue.ts'
import { faultsIn } from './faults.ts'
import { isAscending, reversedRows } from './faulty-file.ts'
import type { Observation } from './observation.ts'

type SampleFault = Extract<Fault, { name: 'samples' }>
type RfiFault = Extract<Fault, { name: 'rfi' }>

/** Of the samples of one integration of one subband. */
interface Block {
  readonly observation: Observation
  readonly subband: number
  readonly integration: number
  /** (row, channel, polarisation), re and im: changed in place. */
  readonly vis: Float32Array
  readonly random: Random
}

/** Applies the faults that are in the samples, those of the order of channels and pairs last. */
export function spoilSamples(
  observation: Observation,
  { subband, integration, vis }: Pick<Block, 'subband' | 'integration' | 'vis'>,
): void {
  const { faults } = observation
  if (faults.length === 0) return
  const random = createRandom(observation.params.seed).fork(`fault/${subband}/${integration}`)
  const block: Block = { observation, subband, integration, vis, random }
  if (faultsIn(faults, subband, 'no-fringe-stop').length > 0) undoFringeStop(block)
  for (const fault of faultsIn(faults, subband, 'rfi')) interfere(block, fault)
  for (const fault of faultsIn(faults, subband, 'samples')) replaceSamples(block, fault)
  reversePairs(block)
  if (isAscending(faults, subband)) reverseChannels(block)
}

function visit(
  { observation: { ant1, ant2, params }, vis }: Block,
  change: (
    at: number,
    place: { row: number; stations: [number, number]; channel: number; polarization: number },
  ) => void,
): void {
  const { channels, polarizations } = params
  for (let at = 0; at < vis.length; at += 2) {
    const sample = at / 2
    const row = Math.floor(sample / (channels * polarizations))
    change(at, {
      row,
      stations: [ant1[row] + 1, ant2[row] + 1],
      channel: Math.floor(sample / polarizations) % channels,
      polarization: sample % polarizations,
    })
  }
}

function replaceSamples(block: Block, fault: SampleFault): void {
  const { vis, random, integration, observation } = block
  const { value, integrations, channels, antennas, polarizations } = fault
  if (integrations !== undefined && !integrations.includes(integration)) return
  const sigma = observation.sigmaJy * observation.params.correlatorScale
  const fixed = { nan: Number.NaN, inf: Infinity, zero: 0, noise: undefined }[value]
  visit(block, (at, { stations, channel, polarization }) => {
    if (channels !== undefined && !channels.includes(channel)) return
    if (polarizations !== undefined && !polarizations.includes(polarization)) return
    if (antennas !== undefined && !stations.some((station) => antennas.includes(station))) return
    const auto = stations[0] === stations[1]
    // The level of an autocorrelation is noise already.
    if (fixed === undefined && auto) return
    vis[at] = fixed ?? sigma * random.normal()
    vis[at + 1] = fixed ?? sigma * random.normal()
  })
}

function interfere(block: Block, { jy, metres, channels, integrations }: RfiFault): void {
  const { vis, random, integration, observation } = block
  if (integrations !== undefined && !integrations.includes(integration)) return
  const amplitude = jy * observation.params.correlatorScale
  visit(block, (at, { row, stations, channel }) => {
    if (channels !== undefined && !channels.includes(channel)) return
    if (metres !== undefined && Math.hypot(...baselineM(observation, row)) > metres) return
    const phase = stations[0] === stations[1] ? 0 : 2 * Math.PI * random.next()
    vis[at] += amplitude * Math.cos(phase)
    vis[at + 1] += stations[0] === stations[1] ? 0 : amplitude * Math.sin(phase)
  })
}

/** V exp(+2 pi i nu/c w) with w = b.s0, and the loss in a channel that a delay of w/c brings: sinc(dnu w/c). */
function undoFringeStop(block: Block): void {
  const { vis, observation, subband } = block
  const freqHz = observation.freqHz.get(subband) ?? new Float64Array()
  const [x, y, z] = observation.pointing
  visit(block, (at, { row, channel }) => {
    const b = baselineM(observation, row)
    const delayS = (b[0] * x + b[1] * y + b[2] * z) / SPEED_OF_LIGHT_M_S
    const turn = 2 * Math.PI * freqHz[channel] * delayS
    const half = Math.PI * observation.channelWidthHz * delayS
    const loss = half === 0 ? 1 : Math.sin(half) / half
    const [re, im] = [vis[at], vis[at + 1]]
    vis[at] = loss * (re * Math.cos(turn) - im * Math.sin(turn))
    vis[at + 1] = loss * (re * Math.sin(turn) + im * Math.cos(turn))
  })
}

/** r(ant2) - r(ant1). */
function baselineM({ stationsM, ant1, ant2 }: Observation, row: number): [number, number, number] {
  const along = (axis: number): number => stationsM[3 * ant2[row] + axis] - stationsM[3 * ant1[row] + axis]
  return [along(0), along(1), along(2)]
}

/** <conj(B) A> is the conjugate of <conj(A) B>, with XY and YX exchanged. */
function reversePairs({ observation, subband, vis }: Block): void {
  const { channels, polarizations } = observation.params
  const reversed = reversedRows(observation, observation.faults, subband)
  const order = polarizations === 4 ? [0, 2, 1, 3] : [0, 1]
  const one = new Float32Array(2 * polarizations)
  reversed.forEach((swap, row) => {
    if (!swap) return
    for (let channel = 0; channel < channels; channel++) {
      const at = 2 * (row * channels + channel) * polarizations
      one.set(vis.subarray(at, at + one.length))
      order.forEach((from, to) => {
        vis[at + 2 * to] = one[2 * from]
        vis[at + 2 * to + 1] = -one[2 * from + 1]
      })
    }
  })
}

function reverseChannels({ observation: { params }, vis }: Block): void {
  const { channels, polarizations } = params
  const width = 2 * polarizations
  for (let start = 0; start < vis.length; start += channels * width) {
    const row = vis.slice(start, start + channels * width)
    for (let channel = 0; channel < channels; channel++)
      vis.set(row.subarray(channel * width, (channel + 1) * width), start + (channels - 1 - channel) * width)
  }
}
