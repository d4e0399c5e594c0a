import type { BeamTrack } from '#runtime/sky/beam.ts'
import { fluxAt, predictTransit, type SkySource } from '#runtime/sky/calibrators.ts'
import { DAY_S, DEGREE_RAD, INTEGRATION_S, SEFD_JY } from '#runtime/sky/constants.ts'
import { earthOrientationAt, type EarthOrientationTable } from '#runtime/sky/earth-orientation.ts'
import { icrsToApparent, meridianPlaceIcrs, type Direction } from '#runtime/sky/frames.ts'
import { jdToMjd, mjdFromIso, mjdToJd } from '#runtime/sky/time.ts'
import { baselineRows, correlatorOrder, site, stationPositions } from './array.ts'
import { channelWidthHz, subbandFrequencies } from './band.ts'
import type { ListedSource, SimulationParams } from './contract.ts'
import { drawCorruption, type Corruption } from './corrupt.ts'
import { placeFaults, type PlacedFault } from './faults.ts'
import { fileNames } from './faulty-names.ts'
import { makeGains, type Gains } from './gains.ts'
import { earthFixed, fileUvw, pointing } from './geometry.ts'
import { findCalibrator, listedSources, randomSources, seen, type TrueSource } from './sky.ts'

/** Declination of date where neither it nor a calibrator is given. */
const DEFAULT_DEC_DEG = 30.5

/** Everything about a synthetic observation but its noise: plain data that goes to the workers. */
export interface Observation {
  readonly params: SimulationParams
  /** Station numbers in correlator order. */
  readonly order: readonly number[]
  /** (station, 3) for all 117 stations, and (antenna, 3) in correlator order; ITRF axes, relative to the centre. */
  readonly stationsM: Float64Array
  readonly antennasM: Float64Array
  readonly ant1: Int32Array
  readonly ant2: Int32Array
  readonly uvwM: Float32Array
  /** Centres of the integrations, by repeated addition as the writer counts. */
  readonly timeJd: Float64Array
  readonly decOfDateRad: number
  /** ICRS place of (HA 0, dec) at mid-observation. */
  readonly centre: Direction
  /** Channel centres of each subband of the list, absent files too. */
  readonly freqHz: ReadonlyMap<number, Float64Array>
  readonly channelWidthHz: number
  readonly pointing: readonly [number, number, number]
  readonly sources: readonly TrueSource[]
  readonly calibrator: string | undefined
  /** Per integration: unit vectors (source, 3). */
  readonly towards: readonly Float64Array[]
  readonly gains: Gains
  readonly corruption: Corruption
  readonly faults: readonly PlacedFault[]
  /** Noise per real and imaginary part of a cross-correlation, Jy; 0 without noise. */
  readonly sigmaJy: number
  /** Natural-weight image noise in theory for SEFD 6500 Jy or the one given, Jy per beam. */
  readonly imageNoiseJy: number
  /** File name of each subband that is written. */
  readonly files: ReadonlyMap<number, string>
}

/**
 * Works out an observation from its parameters. Pure.
 * @param listed the sources of a file or list, instead of random ones
 * @throws StageError PARAMS_INVALID for a fault that does not fit
 */
export function planObservation(
  params: SimulationParams,
  listed: readonly ListedSource[] | undefined,
  table: EarthOrientationTable,
): Observation {
  const faults = placeFaults(params)
  const calibrator = params.calibrator === null ? undefined : findCalibrator(params.calibrator)
  const timeJd = integrationTimes(params, calibrator, table)
  const middleJd = (timeJd[0] + timeJd[timeJd.length - 1]) / 2
  const decOfDateRad = DEGREE_RAD * (params.decOfDateDeg ?? declinationFor(calibrator, middleJd, table))
  const track = beamTrack(timeJd, decOfDateRad, table)
  const centre = meridianPlaceIcrs(decOfDateRad, jdToMjd(middleJd), earthOrientationAt(table, jdToMjd(middleJd)), site)

  const order = correlatorOrder(params.antennas)
  const stationsM = stationPositions()
  const antennasM = Float64Array.from(
    order.flatMap((station) => [...stationsM.subarray(3 * (station - 1), 3 * station)]),
  )
  const { ant1, ant2 } = baselineRows(order)

  const freqHz = new Map(
    params.subbands.toSorted((a, b) => a - b).map((subband) => [subband, subbandFrequencies(subband, params.channels)]),
  )
  const allFreqHz = Float64Array.from([...freqHz.values()].flatMap((subband) => [...subband]))
  const widthHz = channelWidthHz(params.channels)
  const imageNoiseJy = naturalNoise(params, order.length, allFreqHz.length * widthHz)
  const skyOptions = { seed: params.seed, track, centre, freqHz: allFreqHz, imageNoiseJy, minSnr: params.minSnr }
  const others =
    listed === undefined
      ? randomSources(typeof params.sources === 'number' ? params.sources : 0, calibrator, skyOptions)
      : listedSources(listed)
  const sources = [...(calibrator === undefined ? [] : [calibrator]), ...others].map((source) =>
    seen(source, track, allFreqHz),
  )
  const directions = sources.map((source) => source.direction)

  return {
    params,
    order,
    stationsM,
    antennasM,
    ant1,
    ant2,
    uvwM: fileUvw(stationsM, ant1, ant2, { decOfDateRad, table }),
    timeJd,
    decOfDateRad,
    centre,
    freqHz,
    channelWidthHz: widthHz,
    pointing: pointing(decOfDateRad),
    sources,
    calibrator: calibrator?.name,
    towards: Array.from(timeJd, (jd) => earthFixed(directions, jd, table)),
    gains: makeGains(order, freqHz, { ...params, antennas: order.length }),
    corruption: drawCorruption(order, { ...params, channels: allFreqHz.length }),
    sigmaJy: params.sefdJy === null ? 0 : params.sefdJy / Math.sqrt(2 * widthHz * INTEGRATION_S),
    imageNoiseJy,
    faults,
    files: fileNames(params, timeJd[0], faults),
  }
}

/** Centres of the integrations. The writer adds the same increment again and again; so do we, rounding included. */
function integrationTimes(
  params: SimulationParams,
  calibrator: SkySource | undefined,
  table: EarthOrientationTable,
): Float64Array {
  const halfSpanDays = (params.integrations * INTEGRATION_S) / DAY_S / 2
  const earliestMjd = mjdFromIso(params.startUtc)
  const middleMjd =
    calibrator === undefined ? earliestMjd + halfSpanDays : nextTransit(calibrator, earliestMjd + halfSpanDays, table)
  const times = new Float64Array(params.integrations)
  let jd = mjdToJd(middleMjd - halfSpanDays) + INTEGRATION_S / DAY_S / 2
  for (let k = 0; k < times.length; k++, jd += INTEGRATION_S / DAY_S) times[k] = jd
  return times
}

function nextTransit(calibrator: SkySource, afterMjd: number, table: EarthOrientationTable): number {
  const transit = (near: number): number => predictTransit(calibrator, near, earthOrientationAt(table, near), site)
  const nearest = transit(afterMjd)
  return nearest >= afterMjd ? nearest : transit(nearest + 1)
}

/** The calibrator's apparent declination to the nearest half degree, in degrees. */
function declinationFor(calibrator: SkySource | undefined, jd: number, table: EarthOrientationTable): number {
  if (calibrator === undefined) return DEFAULT_DEC_DEG
  const mjd = jdToMjd(jd)
  const apparent = icrsToApparent(calibrator.direction, mjd, earthOrientationAt(table, mjd), site)
  return Math.round((2 * apparent.decRad) / DEGREE_RAD) / 2
}

function beamTrack(timeJd: Float64Array, decOfDateRad: number, table: EarthOrientationTable): BeamTrack {
  const centres = Array.from(timeJd, (jd) =>
    meridianPlaceIcrs(decOfDateRad, jdToMjd(jd), earthOrientationAt(table, jdToMjd(jd)), site),
  )
  return {
    timeMjdS: timeJd.map((jd) => jdToMjd(jd) * DAY_S),
    raRad: Float64Array.from(centres, (centre) => centre.raRad),
    decRad: Float64Array.from(centres, (centre) => centre.decRad),
    decOfDateRad,
  }
}

/** SEFD / sqrt(N (N - 1) n_pol B t), with two parallel hands. Noiseless observations take the nominal SEFD. */
function naturalNoise(params: SimulationParams, antennas: number, bandwidthHz: number): number {
  const sefdJy = params.sefdJy ?? SEFD_JY
  return sefdJy / Math.sqrt(antennas * (antennas - 1) * 2 * bandwidthHz * params.integrations * INTEGRATION_S)
}

/** Flux densities of all sources in the channels of a subband: (source, channel). */
export function sourceFluxes(observation: Observation, subband: number): Float64Array {
  const freqHz = observation.freqHz.get(subband) ?? new Float64Array()
  return Float64Array.from(
    observation.sources.flatMap((source) => Array.from(freqHz, (freq) => fluxAt(source.flux, freq))),
  )
}
