import type { FitsImage } from '#runtime/formats/fits/image.ts'
import type { StageContext } from '#runtime/stage/contract.ts'
import { StageError } from '#runtime/stage/errors.ts'
import { cleanStops, type CleanStop, type DataFacts } from './data-checks.ts'
import type { Field } from './field.ts'
import { weightingLoss, type NoiseTheory } from './noise.ts'

type Cards = FitsImage['cards']

/** What the header says of the observation, for the page and the JSON. */
export interface ImageFacts {
  telescope: string | undefined
  dateBegin: string | undefined
  mjd: number | undefined
  pointingDecDeg: number | undefined
  freqHz: number
  bandwidthHz: number | undefined
  weighting: string | undefined
  wsclean: string | undefined
  cleanIterations: number | undefined
  majorCycles: number | undefined
}

/**
 * The field from the flat-noise image and the mean primary beam.
 *
 * @throws StageError DATA_UNUSABLE when they do not belong together or tell no beam or frequency
 */
export function fieldOf(image: FitsImage, primaryBeam: FitsImage): Omit<Field, 'covered'> {
  const { wcs, beam, cards, data } = image
  if (beam === undefined) throw new StageError('DATA_UNUSABLE', 'the image tells no restoring beam (BMAJ, BMIN)')
  if (primaryBeam.data.length !== data.length)
    throw new StageError('DATA_UNUSABLE', 'image and primary beam differ in size')
  const freqHz = numberOf(cards, 'RESTFRQ') ?? numberOf(cards, 'CRVAL3')
  if (freqHz === undefined || !(freqHz > 0))
    throw new StageError('DATA_UNUSABLE', 'the image tells no frequency (RESTFRQ, CRVAL3)')
  return {
    width: wcs.width,
    height: wcs.height,
    wcs,
    beam: { major: beam.majorRad, minor: beam.minorRad, paRad: beam.positionAngleRad },
    image: data,
    primaryBeam: primaryBeam.data,
    freqHz,
  }
}

export function imageFacts(cards: Cards, freqHz: number): ImageFacts {
  return {
    telescope: textOf(cards, 'TELESCOP'),
    dateBegin: textOf(cards, 'DATE-BEG') ?? textOf(cards, 'DATE-OBS'),
    mjd: numberOf(cards, 'MJD-AVG') ?? numberOf(cards, 'MJD-OBS'),
    pointingDecDeg: numberOf(cards, 'POINTDEC'),
    freqHz,
    bandwidthHz: numberOf(cards, 'CDELT3'),
    weighting: textOf(cards, 'WSCWEIGH'),
    wsclean: textOf(cards, 'WSCVERSI'),
    cleanIterations: numberOf(cards, 'WSCNITER'),
    majorCycles: numberOf(cards, 'WSCMAJOR'),
  }
}

/** Facts of the data from the earlier stages' metrics and the header of the image; what nobody tells stays undefined. */
export function dataFacts(upstream: StageContext['upstream'], cards: Cards): DataFacts {
  const metric = (name: string): number | undefined =>
    upstream['calibration']?.metrics[name] ?? upstream['conversion']?.metrics[name]
  const flag = cards.get('UNCALIBR')
  const uncalibratedMetric = upstream['calibration']?.metrics['uncalibrated']
  return {
    flaggedFraction: metric('flaggedFraction') ?? numberOf(cards, 'FLAGFRAC'),
    antennas: metric('antennasPresent') ?? numberOf(cards, 'NANT'),
    subbandsPresent: upstream['conversion']?.metrics['subbandsPresent'],
    subbandsExpected: upstream['conversion']?.metrics['subbandsExpected'],
    integrations: upstream['conversion']?.metrics['integrations'] ?? numberOf(cards, 'NTIME'),
    integrationsExpected: upstream['conversion']?.metrics['integrationsExpected'],
    // Either witness is enough to call an image uncalibrated; without any it is not known.
    uncalibrated:
      flag === true || uncalibratedMetric === 1
        ? true
        : flag === undefined && uncalibratedMetric === undefined
          ? undefined
          : false,
    calibrationQuality: upstream['calibration']?.quality,
    solutionSet: textOf(cards, 'CALTBL'),
    solutionGrade: textOf(cards, 'CALGRADE'),
    solutionAgeHours: numberOf(cards, 'CALAGEH'),
    calibrator: textOf(cards, 'CALNAME'),
    fluxAnchor: textOf(cards, 'FLUXANCH'),
    cleanStop: cleanStop(upstream, cards),
  }
}

/** Imaging tells it as the number of its place in the list, and in words in the header. */
function cleanStop(upstream: StageContext['upstream'], cards: Cards): CleanStop | undefined {
  const code = upstream['imaging']?.metrics['cleanStop']
  return code === undefined ? cleanStops.find((stop) => stop === textOf(cards, 'CLEANSTP')) : cleanStops[code]
}

/** What the expected noise needs, or the first thing that is missing for it. */
export function noiseTheory(upstream: StageContext['upstream'], cards: Cards): NoiseTheory | { missing: string } {
  const weighting = textOf(cards, 'WSCWEIGH')
  const found = {
    'the width of a channel': upstream['conversion']?.metrics['channelWidthHz'],
    'the number of averaged channels':
      upstream['calibration']?.metrics['channelsAveraged'] ?? numberOf(cards, 'CHANAVG'),
    'the number of integrations': numberOf(cards, 'NTIME'),
    'the exposure': numberOf(cards, 'XPOSURE') ?? numberOf(cards, 'TELAPSE'),
    'the system equivalent flux density': numberOf(cards, 'SEFD'),
    'the number of visibilities': numberOf(cards, 'WSCNVIS'),
    'the loss by the weighting': weighting === undefined ? undefined : weightingLoss(weighting),
  }
  const missing = Object.entries(found).find(([, value]) => value === undefined || !(value > 0))?.[0]
  if (missing !== undefined) return { missing }
  const [channelWidthHz, averaged, times, exposureS, sefdJy, visibilities, loss] = Object.values(found).map(Number)
  return {
    sefdJy,
    channelWidthHz: channelWidthHz * averaged,
    integrationS: exposureS / times,
    visibilities,
    weightingLoss: loss,
  }
}

function numberOf(cards: Cards, key: string): number | undefined {
  const value = cards.get(key)
  return typeof value === 'number' ? value : undefined
}

function textOf(cards: Cards, key: string): string | undefined {
  const value = cards.get(key)
  return typeof value === 'string' && value.trim() !== '' ? value : undefined
}
