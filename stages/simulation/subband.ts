import type { Uvh5FileSpec, Uvh5Integration } from '#runtime/formats/uvh5/write.ts'
import { createRandom } from '#runtime/numeric/random.ts'
import { airyTable } from '#runtime/sky/beam.ts'
import {
  DEGREE_RAD,
  DISH_DIAMETER_M,
  DSA110_SITE,
  INTEGRATION_S,
  SAMPLES_PER_INTEGRATION,
} from '#runtime/sky/constants.ts'
import { STATIONS } from './array.ts'
import { interferenceAt, silenceDead } from './corrupt.ts'
import { faultsIn } from './faults.ts'
import { faultySpec, statedTimes } from './faulty-file.ts'
import { spoilSamples } from './faulty-samples.ts'
import { gainsAt } from './gains.ts'
import { pointing } from './geometry.ts'
import { sourceFluxes, type Observation } from './observation.ts'
import { antennaResponse, correlate } from './visibility.ts'

const POLARIZATIONS = { 2: [-5, -6], 4: [-5, -7, -8, -6] } as const

/**
 * The integrations of one subband, one after another. The arrays of a block are used again for the next one. Every block
 * has its own stream of random numbers, so that subbands can be made in any order and by any number of workers.
 */
export function* subbandIntegrations(observation: Observation, subband: number): Generator<Uvh5Integration> {
  const { params, order, sources, corruption } = observation
  const { polarizations, seed } = params
  const freqHz = frequencies(observation, subband)
  const channels = freqHz.length
  const samples = observation.ant1.length * channels * polarizations
  const vis = new Float32Array(2 * samples)
  const flags = new Uint8Array(samples)
  const nsamples = new Float32Array(samples).fill(SAMPLES_PER_INTEGRATION)
  const noise = params.sefdJy === null ? undefined : new Float32Array(2 * samples)
  const beam = airyTable()
  const fluxJy = sourceFluxes(observation, subband)
  const firstChannel = [...observation.freqHz.keys()].indexOf(subband) * channels
  const place = {
    seed,
    antennas: order.length,
    firstChannel,
    channels,
    allChannels: observation.freqHz.size * channels,
  }
  const last = observation.timeJd.length - 1
  const astrayDeg = faultsIn(observation.faults, subband, 'stale-declination').reduce(
    (sum, { degrees }) => sum + degrees,
    0,
  )
  const beamCentre = pointing(observation.decOfDateRad + astrayDeg * DEGREE_RAD)

  for (const [integration, timeJd] of statedTimes(observation.timeJd, observation.faults, subband).entries()) {
    const towards = observation.towards[integration]
    const view = { sources: sources.length, towards, pointing: observation.pointing, beamCentre, fluxJy }
    if (noise !== undefined) createRandom(seed).fork(`noise/${subband}/${integration}`).fillNormal(noise, 1)
    const signal = {
      antennas: order.length,
      channels,
      polarizations,
      sources: sources.length,
      response: antennaResponse(observation.antennasM, freqHz, view, beam),
      gains: gainsAt(observation.gains, { ...place, time: last === 0 ? 0 : (2 * integration) / last - 1 }),
      noise,
      sefdJy: params.sefdJy ?? 0,
      sigmaJy: observation.sigmaJy,
      noiseAfterGains: params.noiseAfterGains,
      interference: interferenceAt(corruption, { ...place, integration }),
      scale: params.correlatorScale,
    }
    correlate(signal, vis)
    silenceDead(vis, order, corruption.deadStations, 2 * channels * polarizations)
    spoilSamples(observation, { subband, integration, vis })
    yield { timeJd, vis, flags, nsamples }
  }
}

/** What the file of a subband holds besides its rows. */
export function subbandFile(observation: Observation, subband: number): Uvh5FileSpec {
  const { params, order } = observation
  const random = createRandom(params.seed).fork('delays')
  const decDeg = (observation.decOfDateRad * 180) / Math.PI
  const sound: Uvh5FileSpec = {
    ...DSA110_SITE,
    history: `written by contimg simulate: synthetic data, seed ${params.seed}`,
    decOfDateRad: observation.decOfDateRad,
    appliedDelaysNs: Array.from({ length: 2 * STATIONS }, () => 2 * random.int(600)).join(' '),
    fsTable: `fringestopping_table_dec${decDeg.toFixed(1)}deg_${order.length}ant.npz`,
    antennaNames: Array.from({ length: STATIONS }, (_, index) => String(index + 1)),
    antennaDiametersM: new Float64Array(STATIONS).fill(DISH_DIAMETER_M),
    antennaPositionsM: observation.stationsM,
    antennasInData: order.length,
    freqHz: frequencies(observation, subband),
    channelWidthHz: observation.channelWidthHz,
    polarizations: POLARIZATIONS[params.polarizations],
    ant1: observation.ant1,
    ant2: observation.ant2,
    uvwM: observation.uvwM,
    integrationS: INTEGRATION_S,
  }
  const { faults, timeJd } = observation
  if (faults.length === 0) return sound
  return faultySpec(sound, faults, { subband, integrations: statedTimes(timeJd, faults, subband).length })
}

function frequencies(observation: Observation, subband: number): Float64Array {
  const freqHz = observation.freqHz.get(subband)
  if (freqHz === undefined) throw new RangeError(`subband ${subband} is not part of the observation`)
  return freqHz
}
