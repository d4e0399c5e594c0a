import type { StageOutcome } from '#runtime/stage/contract.ts'
import type { Check } from '#runtime/stage/quality.ts'
import { DAY_S } from '#runtime/sky/constants.ts'
import { separation } from '#runtime/sky/frames.ts'
import { cleanStopCodes, imageChecks } from './checks.ts'
import { imaging } from './contract.ts'
import type { Stage } from './engine.ts'
import type { HeaderFacts } from './fits-headers.ts'
import { noiseMap } from './first-pass.ts'
import type { Imaged } from './image-observation.ts'
import { centreResponse, confusionJy, radiometerNoiseJy, residualStatistics, rmsInBeam } from './image-statistics.ts'
import type { SurveyedSet } from './peel.ts'
import type { ImagingSettings } from './presets.ts'
import { meanBeamCentre, primaryBeamImage } from './primary-beam.ts'
import type { Planes } from './products.ts'
import { addToModel, restoreSources } from './restore.ts'
import { smearing } from './smearing.ts'
import { nearestStrongSource, sunAltitude } from './strong-sources.ts'

export interface Summary {
  planes: Planes
  facts: HeaderFacts
  metrics: StageOutcome<typeof imaging>['metrics']
  checks: Check[]
  /** What was done, for HISTORY. */
  steps: string[]
}

export interface SummaryInput {
  imaged: Imaged
  /** Dirty image of Stokes Q. */
  noise: Float32Array
  sets: readonly SurveyedSet[]
  settings: ImagingSettings
}

/** Radius at which the mean beam is about 0.5, radians: half of 2.706 degrees at 1.405 GHz. */
const halfPowerRad = (1.353 * Math.PI) / 180

/** Restores the subtracted sources, corrects the beam, measures the noise: all numbers and planes of a product. */
export function summarize(stage: Stage, { imaged, noise, sets, settings }: SummaryInput): Summary {
  const { params } = stage
  const { metadata, rows } = sets[0].set
  const wcs = { ...imaged.psf.wcs, centre: metadata.phaseCentre }
  const beam = imaged.psf.beam
  if (beam === undefined) throw new RangeError('the dirty beam has no fitted beam')
  const restored = imaged.bright.map(({ source, apparentFluxJy }) => ({ direction: source.direction, apparentFluxJy }))
  const image = imaged.image.data
  restoreSources(image, wcs, { sources: restored, beam })
  addToModel(imaged.model, wcs, restored)
  const dishDiameterM = metadata.antennas[0].diameterM
  const beams = sets.map(({ set, survey }) => ({
    track: set.metadata.beam,
    freqHz: set.metadata.freqHz,
    weights: survey.weights,
    diameterM: dishDiameterM,
  }))
  const primaryBeam = primaryBeamImage(wcs, beams)
  const planes: Planes = {
    image,
    imagePbCorrected: image.map((value, i) => (primaryBeam[i] >= params.pbCut ? value / primaryBeam[i] : Number.NaN)),
    residual: imaged.residual,
    model: imaged.model,
    psf: imaged.psf.data,
    primaryBeam,
    rms: noiseMap(image, wcs.width, beam.majorRad / wcs.cellRad),
    weight: primaryBeam.map((value) => value * value),
    noise,
  }
  const statistics = residualStatistics(imaged.residual, primaryBeam)
  const thermalJy = rmsInBeam(noise, primaryBeam, { low: centreResponse })
  const freqHz = Number(imaged.psf.cards.get('CRVAL3'))
  const confusion = confusionJy(freqHz, beam)
  const integrationS = rows.intervalS[0]
  const smear = smearing({
    radiusRad: halfPowerRad,
    channelWidthHz: metadata.channelWidthHz,
    freqHz,
    integrationS,
    beamMinorRad: beam.minorRad,
  })
  const survey = totals(sets)
  const sefdJy = Number(metadata.extra['SEFD'] ?? params.sefdJy)
  const effective = Number(imaged.counts.get('WSCENVIS') ?? Number.NaN)
  const centre = meanBeamCentre(beams)
  const track = metadata.beam
  const uncalibrated =
    Number(metadata.extra['UNCALIBR'] ?? stage.upstream['calibration']?.metrics['uncalibrated'] ?? 0) === 1
  const noiseRatio = statistics.rmsCentre / thermalJy
  const residualPeak = Math.max(statistics.highest, -statistics.lowest)
  const peak = image.reduce((most, value) => (value > most ? value : most), 0)
  const middleMjd = (metadata.timeRangeMjdS[0] + metadata.timeRangeMjdS[1]) / 2 / DAY_S
  const facts: HeaderFacts = {
    wcs,
    freqHz,
    bandwidthHz: Number(imaged.psf.cards.get('CDELT3')),
    beam,
    observation: stage.observation,
    telescope: 'DSA-110',
    instrument: 'DSA',
    startMjd: metadata.timeRangeMjdS[0] / DAY_S,
    endMjd: metadata.timeRangeMjdS[1] / DAY_S,
    exposureS: survey.integrations * integrationS,
    siteM: meanPosition(metadata.antennas.map(({ positionM }) => positionM)),
    pointingDecRad: track.decOfDateRad,
    driftRad: separation(
      { raRad: track.raRad[0], decRad: track.decRad[0] },
      { raRad: track.raRad[track.raRad.length - 1], decRad: track.decRad[track.decRad.length - 1] },
    ),
    beamCentre: centre,
    dishDiameterM,
    pbCut: params.pbCut,
    wsclean: new Map([...imaged.image.cards, ...imaged.counts]),
    cleanStop: imaged.cleanStop,
    majorCycles: imaged.log.majorCycles,
    minorIterations: imaged.log.minorIterations,
    extra: metadata.extra,
    uncalibrated,
    noise: { sefdJy, thermalJy, rmsCentreJy: statistics.rmsCentre, ratio: noiseRatio },
    brightestJy: imaged.brightestJy,
    ...survey,
    smearLoss: smear.loss,
    contract: `${imaging.name}/${imaging.version}`,
    key: stage.key,
  }
  const brightFluxJy = imaged.bright.reduce((sum, { apparentFluxJy }) => sum + apparentFluxJy, 0)
  return {
    planes,
    facts,
    steps: steps(imaged, settings),
    checks: imageChecks({
      cleanStop: imaged.cleanStop,
      minorIterations: imaged.log.minorIterations,
      majorCycles: imaged.log.majorCycles,
      retries: imaged.retries,
      noiseRatio,
      noiseOverExpected: statistics.rmsCentre / Math.hypot(thermalJy, confusion),
      residualPeakSnr: residualPeak / statistics.rmsCentre,
      brightestJy: imaged.brightestJy,
      flaggedFraction: survey.flaggedFraction,
      smearLoss: smear.loss,
      uncalibrated,
    }),
    metrics: {
      rmsCentreJyPerBeam: statistics.rmsCentre,
      rmsOuterJyPerBeam: statistics.rmsOuter,
      thermalNoiseJyPerBeam: thermalJy,
      noiseRatio,
      radiometerNoiseJyPerBeam: radiometerNoiseJy({
        sefdJy,
        channelWidthHz: metadata.channelWidthHz,
        integrationS,
        effectiveSamples: effective,
      }),
      confusionJyPerBeam: confusion,
      peakJyPerBeam: peak,
      dynamicRange: peak / statistics.rmsCentre,
      residualPeakSnr: residualPeak / statistics.rmsCentre,
      negativePeakSnr: statistics.lowest / statistics.rmsCentre,
      residualSkewness: statistics.skewness,
      residualKurtosis: statistics.kurtosis,
      beamMajorArcsec: arcsec(beam.majorRad),
      beamMinorArcsec: arcsec(beam.minorRad),
      beamPaDeg: (beam.positionAngleRad * 180) / Math.PI,
      psfSidelobe: imaged.psfSidelobe,
      cleanStop: cleanStopCodes[imaged.cleanStop],
      majorCycles: imaged.log.majorCycles,
      minorIterations: imaged.log.minorIterations,
      cleanFluxJy: imaged.model.reduce((sum, value) => sum + value, 0),
      maskIslands: imaged.islands.length,
      maskFraction: imaged.maskFraction,
      maskRounds: imaged.maskRounds,
      brightSources: imaged.bright.length,
      brightFluxJy,
      brightestJy: imaged.brightestJy,
      retries: imaged.retries,
      visibilities: Number(imaged.counts.get('WSCNVIS') ?? Number.NaN),
      effectiveVisibilities: effective,
      flaggedFraction: survey.flaggedFraction,
      antennas: survey.antennas,
      integrations: survey.integrations,
      channels: survey.channels,
      smearLossAtHalfPower: smear.loss,
      uncalibrated: uncalibrated ? 1 : 0,
      strongSourceDeg: nearestStrongSource(centre).separationDeg,
      sunAltitudeDeg: sunAltitude(middleMjd, meanPosition(metadata.antennas.map(({ positionM }) => positionM))),
    },
  }
}

function steps(imaged: Imaged, settings: ImagingSettings): string[] {
  const weighting = typeof settings.weighting === 'string' ? settings.weighting : `Briggs ${settings.weighting.briggs}`
  return [
    `WSClean, ${settings.sizePixels} px at ${settings.cellArcsec} arcsec, ${weighting}, w-gridder at ${settings.gridderAccuracy}`,
    ...imaged.bright.map(
      ({ source, apparentFluxJy }) =>
        `subtracted from the visibilities and restored: ${source.name.startsWith('bright') ? 'a source' : source.name}, apparent ${apparentFluxJy.toFixed(5)} Jy`,
    ),
    ...(imaged.cleanStop === 'none'
      ? ['not cleaned']
      : [
          `cleaned in a mask of ${imaged.islands.length} islands, round ${imaged.maskRounds}, stopped by ${imaged.cleanStop}`,
        ]),
  ]
}

function totals(
  sets: readonly SurveyedSet[],
): Pick<HeaderFacts, 'antennas' | 'integrations' | 'channels' | 'flaggedFraction'> {
  const most = (pick: (set: SurveyedSet) => number): number => Math.max(...sets.map(pick))
  const sum = (pick: (set: SurveyedSet) => number): number => sets.reduce((total, set) => total + pick(set), 0)
  return {
    antennas: most(({ survey }) => survey.antennas),
    integrations: most(({ survey }) => survey.integrations),
    channels: most(({ survey }) => survey.channels),
    flaggedFraction: sum(({ survey }) => survey.flagged) / sum(({ survey }) => survey.samples),
  }
}

function meanPosition(positions: readonly (readonly [number, number, number])[]): [number, number, number] {
  const mean = (axis: 0 | 1 | 2): number =>
    positions.reduce((sum, position) => sum + position[axis], 0) / positions.length
  return [mean(0), mean(1), mean(2)]
}

function arcsec(rad: number): number {
  return (rad * 648_000) / Math.PI
}
