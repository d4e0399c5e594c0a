import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { encodeCsv, encodeVotable } from '#runtime/formats/catalogue/export.ts'
import { openCatalogue } from '#runtime/formats/catalogue/strips.ts'
import { readFitsImage, type FitsImage } from '#runtime/formats/fits/image.ts'
import { writeFitsTable } from '#runtime/formats/fits/table.ts'
import type { Run, StageRun } from '#runtime/stage/contract.ts'
import { checkPlan } from '#runtime/stage/plan-check.ts'
import { z } from 'zod'
import { assess, type Assessment } from './assess.ts'
import { calibrationSummarySchema } from './calibration-summary.ts'
import { catalogueColumns } from './catalogue-table.ts'
import { validation, validationBytes } from './contract.ts'
import { expectedFalsePeaks } from './false-peaks.ts'
import { coverage, coveredRadiusRad, type Field } from './field.ts'
import { dataFacts, fieldOf, imageFacts, noiseTheory } from './header.ts'
import type { ImageNumbers } from './image-checks.ts'
import { outcomeMetrics } from './metrics.ts'
import { centralRms, confusionNoiseJy, expectedNoiseJy, histogram, largestRatio, largestValue } from './noise.ts'
import { calibrationFigures } from './page/calibration-plots.ts'
import type { PointSpreadPictures } from './page/point-spread.ts'
import { report } from './page/report.ts'
import { drawCalibration, drawCutOuts, drawPictures, drawPointSpread } from './pictures.ts'
import { noiseMapHistogram, noiseRings } from './noise-map.ts'
import { measurePointSpread, type PointSpread } from './psf.ts'
import { qaDocument } from './qa.ts'
import { detectSources } from './sources.ts'

/** Residual histogram: reach in units of its rms, and bins. */
const HISTOGRAM_SIGMA = 8
const HISTOGRAM_BINS = 96

/** Finds the sources of an image, compares them with a catalogue, grades the checks, writes catalogue, JSON and report. */
export const run: Run<typeof validation> = async (stage) => {
  const { inputs, params, observation, key, outputDir } = stage
  const out = (name: keyof typeof validation.outputs): string => join(outputDir, validation.outputs[name].path)
  const pixels = inputs.image.bytes / Float32Array.BYTES_PER_ELEMENT
  await checkPlan('validation', { workingBytes: validationBytes(pixels) }, stage)
  const { field, cards } = await stage.phase('read', async () => {
    const image = await readFitsImage(inputs.image.path)
    const bare = fieldOf(image, await readFitsImage(inputs.primaryBeam.path))
    const whole: Field = { ...bare, covered: coverage(bare.image, bare.primaryBeam, params.beamCut) }
    return { field: whole, cards: image.cards }
  })
  const { assessment, psf, residual, pointSpread } = await examine(stage, field, cards)
  stage.progress({ done: 2, total: 3, unit: 'steps' })
  await stage.phase('write', async () => {
    await writeCatalogueFiles(assessment, { observation, out })
    const shared = { observation, key, assessment, field, facts: imageFacts(cards, field.freqHz), params, psf }
    await writeFile(out('qa'), `${JSON.stringify(qaDocument(shared), null, 1)}\n`)
    const { rmsCentreJy } = assessment.numbers
    const rms = (await readFitsImage(inputs.rms.path)).data
    const range = { sigma: rmsCentreJy, beamCut: params.noiseBeamCut, limit: HISTOGRAM_SIGMA, bins: HISTOGRAM_BINS }
    const warnings: string[] = []
    const calibration = await readCalibration(inputs.solutions?.path, (message) => warnings.push(message))
    for (const message of warnings) stage.warn(message)
    const page = report({
      ...shared,
      warnings,
      pointSpread,
      pictures: drawPictures({ field, residual, rms, quicklook: await readFile(inputs.quicklook.path), rmsCentreJy }),
      noise: {
        residual: { counts: histogram(residual, field.primaryBeam, range), limit: HISTOGRAM_SIGMA },
        map: noiseMapHistogram(rms, field.covered),
        rings: noiseRings(rms, field),
      },
      outliers: drawCutOuts(assessment, field),
      calibration,
    })
    await writeFile(out('report'), page)
  })
  return {
    outputs: ['catalogue', 'catalogueCsv', 'catalogueVotable', 'qa', 'report'],
    metrics: outcomeMetrics(assessment),
    quality: assessment.quality,
  }
}

/** Finds the sources, measures the other planes one after another, and grades; the planes it needs alone end with it. */
async function examine(stage: StageRun<typeof validation>, field: Field, cards: FitsImage['cards']) {
  const { inputs, params, upstream, log } = stage
  const { rms, ...detections } = await stage.phase('find', () => detectSources(field, params))
  log.info('found sources', { sources: detections.sources.length, negatives: detections.negatives })
  stage.progress({ done: 1, total: 3, unit: 'steps' })
  const { spread, residual, numbers } = await stage.phase('measure', async () => {
    const noiseThJy = centralRms((await readFitsImage(inputs.noise.path)).data, field.primaryBeam, params.noiseBeamCut)
    const spread = await readPointSpread(inputs.psf.path, field)
    const plane = (await readFitsImage(inputs.residual.path)).data
    const theory = noiseTheory(upstream, cards)
    const measured: ImageNumbers = {
      rmsCentreJy: centralRms(plane, field.primaryBeam, params.noiseBeamCut),
      noiseThJy,
      ...('missing' in theory
        ? { noiseExpectedJy: NaN, noiseMissing: theory.missing }
        : { noiseExpectedJy: expectedNoiseJy(theory) }),
      confusionJy: confusionNoiseJy(field.freqHz, field.beam),
      peakJy: largestValue(field.image, field.covered),
      residualPeakSnr: largestRatio(plane, rms, field.covered),
      brightestJy: Math.max(0, ...detections.sources.map(({ apparentPeakJy }) => apparentPeakJy)),
      expectedNegatives: expectedFalsePeaks(
        { plane, rms, covered: field.covered, width: field.width },
        params.seedSigma,
      ),
    }
    return { spread, residual: plane, numbers: measured }
  })
  const assessment = await stage.phase('compare', async () => {
    const catalogue = await readCatalogue(inputs.catalogue?.path, field)
    return assess({ field, detections, rms, numbers, data: dataFacts(upstream, cards), catalogue, params })
  })
  return { assessment, ...spread, residual }
}

async function readPointSpread(
  path: string,
  field: Field,
): Promise<{ psf: PointSpread | undefined; pointSpread: PointSpreadPictures }> {
  const { data, wcs } = await readFitsImage(path)
  const size = { width: wcs.width, height: wcs.height, cellRad: wcs.cellRad }
  return {
    psf: measurePointSpread(data, size, field.beam),
    pointSpread: drawPointSpread(data, size, field.beam.major),
  }
}

/** Plots of the solution set. They decide nothing: a summary that cannot be read is a warning, not a failure. */
async function readCalibration(path: string | undefined, warn: (message: string) => void) {
  if (path === undefined) return undefined
  const parsed = calibrationSummarySchema.safeParse(JSON.parse(await readFile(join(path, 'summary.json'), 'utf8')))
  if (parsed.success) return calibrationFigures(parsed.data, drawCalibration(parsed.data))
  warn(`the summary of the solution set does not have the expected form: ${z.prettifyError(parsed.error)}`)
  return undefined
}

async function readCatalogue(path: string | undefined, field: Field) {
  if (path === undefined) return undefined
  const catalogue = await openCatalogue(path)
  try {
    // Sources just outside of the field still count as neighbours of those inside.
    const sources = catalogue.cone(field.wcs.centre, coveredRadiusRad(field) + 3 * field.beam.major)
    return { info: catalogue.info, sources }
  } finally {
    catalogue.close()
  }
}

async function writeCatalogueFiles(
  assessment: Assessment,
  {
    observation,
    out,
  }: { observation: string; out: (name: 'catalogue' | 'catalogueCsv' | 'catalogueVotable') => string },
): Promise<void> {
  const columns = catalogueColumns(assessment.detections.sources)
  const uncalibrated = assessment.data.uncalibrated === true
  await writeFitsTable(out('catalogue'), {
    columns,
    cards: [
      { key: 'EXTNAME', value: 'SOURCES' },
      { key: 'OBJECT', value: observation, comment: 'observation' },
      { key: 'RADESYS', value: 'ICRS' },
      { key: 'VERDICT', value: assessment.quality.verdict, comment: 'of the validation' },
      ...(uncalibrated ? [{ key: 'UNCALIBR', value: true, comment: 'no calibration was applied' }] : []),
    ],
  })
  await writeFile(out('catalogueCsv'), encodeCsv(columns))
  await writeFile(
    out('catalogueVotable'),
    encodeVotable(columns, {
      name: 'sources',
      description: `Sources of observation ${observation}${uncalibrated ? ', not calibrated' : ''}`,
      params: [
        { name: 'observation', value: observation, ucd: 'meta.id' },
        { name: 'verdict', value: assessment.quality.verdict },
      ],
    }),
  )
}
