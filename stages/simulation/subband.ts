import { rmSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { createUvh5Writer, type Uvh5FileSpec } from '#runtime/formats/uvh5/write.ts'
import { createRandom } from '#runtime/numeric/random.ts'
import { airyTable } from '#runtime/sky/beam.ts'
import { DISH_DIAMETER_M, DSA110_SITE, INTEGRATION_S, SAMPLES_PER_INTEGRATION } from '#runtime/sky/constants.ts'
import { jdToMjd, isoUtc } from '#runtime/sky/time.ts'
import { STATIONS } from './array.ts'
import { interferenceAt, silenceDead } from './corrupt.ts'
import { gainsAt } from './gains.ts'
import { sourceFluxes, type Observation } from './observation.ts'
import { antennaResponse, correlate } from './visibility.ts'

const POLARIZATIONS = { 2: [-5, -6], 4: [-5, -7, -8, -6] } as const

/**
 * Writes the file of one subband, integration by integration: under its `_incomplete` name until it is whole, as the
 * telescope does. `progress` is called after each integration.
 */
export function writeSubband(observation: Observation, subband: number, out: { dir: string; progress(): void }): void {
  const name = observation.files.get(subband)
  const freqHz = observation.freqHz.get(subband)
  if (name === undefined || freqHz === undefined) throw new RangeError(`subband ${subband} is not written`)
  const { params, order, sources, corruption } = observation
  const { polarizations, seed } = params
  const channels = freqHz.length
  const samples = observation.ant1.length * channels * polarizations
  const vis = new Float32Array(2 * samples)
  const flags = new Uint8Array(samples)
  const nsamples = new Float32Array(samples).fill(SAMPLES_PER_INTEGRATION)
  const noise = params.sefdJy === null ? undefined : new Float32Array(2 * samples)
  const beam = airyTable()
  const fluxJy = sourceFluxes(observation, subband)
  const subbandIndex = [...observation.freqHz.keys()].indexOf(subband)
  const place = { seed, antennas: order.length, firstChannel: subbandIndex * channels, channels, allChannels: observation.freqHz.size * channels }

  const incomplete = join(out.dir, name.replace(/\.hdf5$/, '_incomplete.hdf5'))
  const writer = createUvh5Writer(incomplete, fileSpec(observation, freqHz, name))
  try {
    observation.timeJd.forEach((timeJd, integration) => {
      const view = { sources: sources.length, towards: observation.towards[integration], pointing: observation.pointing, fluxJy }
      if (noise !== undefined) createRandom(seed).fork(`noise/${subband}/${integration}`).fillNormal(noise, 1)
      const last = observation.timeJd.length - 1
      correlate(
        {
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
        },
        vis,
      )
      silenceDead(vis, order, corruption.deadStations, 2 * channels * polarizations)
      writer.append({ timeJd, vis, flags, nsamples })
      out.progress()
    })
    writer.close()
    renameSync(incomplete, join(out.dir, name))
  } catch (error) {
    writer.abandon()
    rmSync(incomplete, { force: true })
    throw error
  }
}

function fileSpec(observation: Observation, freqHz: Float64Array, name: string): Uvh5FileSpec {
  const { params, decOfDateRad } = observation
  const random = createRandom(params.seed).fork('delays')
  const stamp = isoUtc(jdToMjd(observation.timeJd[0])).slice(0, 10)
  return {
    ...DSA110_SITE,
    history: `written by contimg simulate (synthetic data), seed ${params.seed}, as ${name.slice(0, 19)}`,
    decOfDateRad,
    appliedDelaysNs: Array.from({ length: 2 * STATIONS }, () => 2 * random.int(600)).join(' '),
    fsTable: `fringestopping_table_dec${((decOfDateRad * 180) / Math.PI).toFixed(1)}deg_${observation.order.length}ant_${stamp}.npz`,
    antennaNames: Array.from({ length: STATIONS }, (_, index) => String(index + 1)),
    antennaDiametersM: new Float64Array(STATIONS).fill(DISH_DIAMETER_M),
    antennaPositionsM: observation.stationsM,
    antennasInData: observation.order.length,
    freqHz,
    channelWidthHz: observation.channelWidthHz,
    polarizations: POLARIZATIONS[params.polarizations],
    ant1: observation.ant1,
    ant2: observation.ant2,
    uvwM: observation.uvwM,
    integrationS: INTEGRATION_S,
  }
}
