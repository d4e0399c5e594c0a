import type { FitsCard } from '#runtime/formats/fits/cards.ts'
import type { RestoringBeam } from '#runtime/formats/fits/image.ts'
import { DEGREE_RAD } from '#runtime/sky/constants.ts'
import type { ImageWcs } from '#runtime/sky/projection.ts'
import { isoUtc } from '#runtime/sky/time.ts'

type Value = FitsCard['value']

/** All that the headers of one product say; one value for all its images. */
export interface HeaderFacts {
  wcs: ImageWcs
  freqHz: number
  bandwidthHz: number
  beam: RestoringBeam
  observation: string
  telescope: string
  instrument: string
  /** First and last edge of the data, MJD UTC. */
  startMjd: number
  endMjd: number
  exposureS: number
  /** Array centre, ITRF metres. */
  siteM: readonly [number, number, number]
  pointingDecRad: number
  driftRad: number
  beamCentre: { raRad: number; decRad: number }
  dishDiameterM: number
  pbCut: number
  /** Keywords of WSClean's own header. */
  wsclean: ReadonlyMap<string, Value>
  cleanStop: string
  majorCycles: number
  minorIterations: number
  /** Further facts of the MeasurementSet, among them those of the calibration. */
  extra: Readonly<Record<string, string | number>>
  uncalibrated: boolean
  noise: { sefdJy: number; thermalJy: number; rmsCentreJy: number; ratio: number }
  brightestJy: number
  antennas: number
  integrations: number
  channels: number
  flaggedFraction: number
  smearLoss: number
  contract: string
  key: string
}

/** What tells one image of a product from another. */
export interface ImageKind {
  unit: 'JY/BEAM' | 'JY/PIXEL' | ''
  type: string
  corrected: boolean
  stokes?: 'I' | 'Q'
}

/** Digits of measured numbers: more would differ between one thread and two. */
const noiseDigits = 5

const wscleanKeys = ['WSCVERSI', 'WSCWEIGH', 'WSCNITER', 'WSCMGAIN', 'WSCNVIS', 'WSCENVIS', 'WSCVWSUM', 'WSCNORMF']

/** Keywords of the calibration, and what they mean. */
const calibrationKeys: [string, string][] = [
  ['CALDATE', 'middle of the calibrator observation'],
  ['CALTBL', 'solution set'],
  ['CALNAME', 'calibrator'],
  ['CALGRADE', 'grade of the solution set'],
  ['CALAGEH', '[h] age of the solution set'],
  ['CALDDEC', '[deg] declination from the calibrator'],
  ['FLUXANCH', 'flux scale'],
  ['CALINTRP', 'interpolation in time'],
]

/** The keywords of one image, all but the mandatory ones. No wall clock, machine or path: equal data, equal bytes. */
export function imageCards(facts: HeaderFacts, kind: ImageKind): FitsCard[] {
  return [
    ...(kind.unit === '' ? [] : [card('BUNIT', kind.unit)]),
    card('BTYPE', kind.type),
    card('PBCOR', kind.corrected, 'divided by the primary beam'),
    ...beamCards(facts),
    ...axisCards(facts, kind.stokes ?? 'I'),
    ...timeCards(facts),
    ...placeCards(facts),
    ...wscleanCards(facts),
    ...calibrationCards(facts),
    ...noiseCards(facts),
    card('ORIGIN', 'contimg'),
    card('CONTRACT', facts.contract, 'stage and version of its contract'),
    card('STEPKEY', facts.key),
  ]
}

/** HISTORY lines: what was done, at the time of the observation. */
export function historyLines(facts: HeaderFacts, steps: readonly string[]): string[] {
  const when = isoUtc(facts.endMjd).slice(0, 19)
  return steps.map((step) => `${when} ${facts.contract}: ${step}`)
}

function card(key: string, value: Value, comment?: string): FitsCard {
  return comment === undefined ? { key, value } : { key, value, comment }
}

function beamCards({ beam }: HeaderFacts): FitsCard[] {
  return [
    card('BMAJ', beam.majorRad / DEGREE_RAD, '[deg] restoring beam, FWHM'),
    card('BMIN', beam.minorRad / DEGREE_RAD, '[deg]'),
    card('BPA', beam.positionAngleRad / DEGREE_RAD, '[deg] from north to east'),
  ]
}

function axisCards({ wcs, freqHz, bandwidthHz }: HeaderFacts, stokes: 'I' | 'Q'): FitsCard[] {
  const cell = wcs.cellRad / DEGREE_RAD
  return [
    card('CTYPE1', 'RA---SIN'),
    card('CRPIX1', wcs.referenceX + 1),
    card('CRVAL1', wcs.centre.raRad / DEGREE_RAD),
    card('CDELT1', -cell),
    card('CUNIT1', 'deg'),
    card('CTYPE2', 'DEC--SIN'),
    card('CRPIX2', wcs.referenceY + 1),
    card('CRVAL2', wcs.centre.decRad / DEGREE_RAD),
    card('CDELT2', cell),
    card('CUNIT2', 'deg'),
    card('CTYPE3', 'FREQ'),
    card('CRPIX3', 1),
    card('CRVAL3', freqHz, 'centre of the band'),
    card('CDELT3', bandwidthHz, 'width of the band'),
    card('CUNIT3', 'Hz'),
    card('CTYPE4', 'STOKES'),
    card('CRPIX4', 1),
    card('CRVAL4', stokes === 'I' ? 1 : 2, `Stokes ${stokes}`),
    card('CDELT4', 1),
    card('LONPOLE', 180),
    card('LATPOLE', wcs.centre.decRad / DEGREE_RAD),
    card('RADESYS', 'ICRS'),
    card('EQUINOX', 2000),
    card('SPECSYS', 'TOPOCENT'),
    card('RESTFRQ', freqHz, '[Hz]'),
  ]
}

function timeCards({ startMjd, endMjd, exposureS }: HeaderFacts): FitsCard[] {
  const middle = (startMjd + endMjd) / 2
  const iso = (mjd: number): string => isoUtc(mjd).replace('Z', '')
  return [
    card('TIMESYS', 'UTC'),
    card('DATE-OBS', iso(startMjd), 'first edge of the data'),
    card('DATE-BEG', iso(startMjd)),
    card('DATE-AVG', iso(middle)),
    card('DATE-END', iso(endMjd)),
    card('MJD-OBS', round(startMjd, 9)),
    card('MJD-BEG', round(startMjd, 9)),
    card('MJD-AVG', round(middle, 9)),
    card('MJD-END', round(endMjd, 9)),
    card('TELAPSE', round((endMjd - startMjd) * 86_400, 5), '[s]'),
    card('XPOSURE', round(exposureS, 6), '[s]'),
  ]
}

function placeCards(facts: HeaderFacts): FitsCard[] {
  return [
    card('TELESCOP', facts.telescope),
    card('INSTRUME', facts.instrument),
    card('OBJECT', facts.observation, 'observation'),
    ...facts.siteM.map((metres, i) => card(`OBSGEO-${'XYZ'[i]}`, round(metres, 3), '[m] ITRF')),
    card('POINTDEC', round(facts.pointingDecRad / DEGREE_RAD, 9), '[deg] pointing, declination of date'),
    card('DRIFTDEG', round(facts.driftRad / DEGREE_RAD, 9), '[deg] drift of the beam over the sky'),
    card('PBMODEL', 'AIRY', '(2 J1(x)/x)^2'),
    card('PBDIAM', facts.dishDiameterM, '[m]'),
    card('PBTAVG', true, 'beam averaged over time and band'),
    card('PBCUT', facts.pbCut, 'beam response below which pixels are blank'),
    card('PBCENRA', round(facts.beamCentre.raRad / DEGREE_RAD, 9), '[deg] mean beam centre, ICRS'),
    card('PBCENDE', round(facts.beamCentre.decRad / DEGREE_RAD, 9), '[deg]'),
  ]
}

function wscleanCards({ wsclean, cleanStop, majorCycles, minorIterations }: HeaderFacts): FitsCard[] {
  return [
    ...wscleanKeys.flatMap((key) => {
      const value = wsclean.get(key)
      return value === undefined ? [] : [card(key, value)]
    }),
    card('WSCMAJOR', majorCycles, 'major cycles, all rounds'),
    card('WSCMINOR', minorIterations, 'minor iterations, all rounds'),
    card('CLEANSTP', cleanStop, 'why CLEAN stopped'),
  ]
}

function calibrationCards({ extra, uncalibrated }: HeaderFacts): FitsCard[] {
  return [
    ...calibrationKeys.flatMap(([key, comment]) => (extra[key] === undefined ? [] : [card(key, extra[key], comment)])),
    card('UNCALIBR', uncalibrated, 'no calibration was applied'),
  ]
}

function noiseCards(facts: HeaderFacts): FitsCard[] {
  const { noise, extra } = facts
  const numbers: [string, number, string][] = [
    ['SEFD', noise.sefdJy, '[Jy] one antenna'],
    ['NOISETH', noise.thermalJy, '[Jy/beam] thermal noise as imaged, Stokes Q'],
    ['RMSCEN', noise.rmsCentreJy, '[Jy/beam] rms of the residual at the centre'],
    ['NOISERAT', noise.ratio, 'RMSCEN over NOISETH'],
    ['BRIGHTJY', facts.brightestJy, '[Jy] largest apparent flux density'],
    ['NANT', facts.antennas, 'antennas with data'],
    ['NTIME', facts.integrations, 'integrations with data'],
    ['NCHAN', facts.channels, 'channels with data'],
    ['CHANAVG', Number(extra['CHANAVG'] ?? 1), 'channels averaged into one'],
    ['FLAGFRAC', facts.flaggedFraction, 'flagged part of the data'],
    ['SMEARMAX', facts.smearLoss, 'peak loss by smearing where the beam is 0.5'],
  ]
  // A number that could not be measured has no keyword.
  return numbers.flatMap(([key, value, comment]) =>
    Number.isFinite(value) ? [card(key, Number(value.toPrecision(noiseDigits)), comment)] : [],
  )
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits))
}
