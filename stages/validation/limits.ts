import { z } from 'zod'

/** One check: what it measures, how it is graded, whether it decides the verdict, and where the limits come from. */
export interface CheckSpec {
  /** As shown to people. */
  title: string
  unit: string
  statistic: string
  /** Grades: `lower` good <= good, `higher` good >= good, `range` good inside [floor, good]. */
  better: 'lower' | 'higher' | 'range'
  good: number
  uncertain: number
  /** Lower edge of the good range; below it the grade is uncertain. */
  floor?: number
  /** Fewest samples. */
  needs: number
  /** A gating check decides the verdict; the others lower a good verdict to uncertain at most. */
  gating: boolean
  source: string
}

const askap = 'ASKAP continuum validation reports'

/** The one table of limits. `limits` in the parameters overrides numbers of it; every override is printed. */
export const checkTable = {
  fluxScale: {
    title: 'flux scale',
    unit: '1',
    statistic:
      'distance from 1 of the median ratio of measured to predicted flux density (S/N >= 20, isolated, unresolved)',
    better: 'lower',
    good: 0.1,
    uncertain: 0.2,
    needs: 5,
    gating: true,
    source: askap,
  },
  fluxScatter: {
    title: 'flux scatter',
    unit: '1',
    statistic: '1.4826 MAD of the flux ratio',
    better: 'lower',
    good: 0.1,
    uncertain: 0.2,
    needs: 8,
    gating: false,
    source: askap,
  },
  fluxSlope: {
    title: 'flux slope',
    unit: 'sigma',
    statistic:
      'largest significance of a slope of the flux ratio against flux density, radius, right ascension, declination',
    better: 'lower',
    good: 2,
    uncertain: 4,
    needs: 15,
    gating: false,
    source: 'our judgement; a slope with radius is an error of the beam model',
  },
  astrometry: {
    title: 'astrometry',
    unit: 'arcsec',
    statistic: 'length of the median offset from the catalogue (S/N >= 10)',
    better: 'lower',
    good: 2,
    uncertain: 5,
    needs: 5,
    gating: true,
    source: `2 arcsec: ${askap}; 5 arcsec: a tenth of the beam`,
  },
  astrometryScatter: {
    title: 'astrometric scatter',
    unit: 'arcsec',
    statistic: '1.4826 MAD of the offsets, the larger of the two axes',
    better: 'lower',
    good: 5,
    uncertain: 10,
    needs: 8,
    gating: false,
    source: askap,
  },
  astrometryDistortion: {
    title: 'astrometric distortion',
    unit: 'beam',
    statistic: 'largest displacement in the field of an affine fit to the offsets, without its mean',
    better: 'lower',
    good: 0.1,
    uncertain: 0.3,
    needs: 15,
    gating: false,
    source: 'our judgement; frame, epoch and frequency errors show here',
  },
  completeness: {
    title: 'completeness',
    unit: '1',
    statistic: 'lower Wilson bound of the found part of covered, isolated catalogue sources with predicted S/N >= 10',
    better: 'higher',
    good: 0.9,
    uncertain: 0.75,
    needs: 10,
    gating: true,
    source: 'our judgement; Gaussian noise leaves all of them above the threshold of 5 sigma',
  },
  reliability: {
    title: 'reliability',
    unit: '1',
    statistic: 'detections on the negative image, beyond what Gaussian noise gives, over detections',
    better: 'lower',
    good: 0.02,
    uncertain: 0.1,
    needs: 1,
    gating: true,
    source: 'our judgement; the allowance is the expected number of noise peaks and two sigma of it',
  },
  noiseThermal: {
    title: 'thermal noise',
    unit: '1',
    statistic: 'robust rms of the Stokes Q image over the noise expected from SEFD, visibilities and weighting',
    better: 'range',
    floor: 0.75,
    good: 1.2,
    uncertain: 1.5,
    needs: 0,
    gating: true,
    source:
      'our judgement; tests SEFD, weights and gains free of sidelobes; noise below what the system allows is as wrong',
  },
  noiseImage: {
    title: 'image noise',
    unit: '1',
    statistic: 'robust rms of the residual over thermal and confusion noise in quadrature',
    better: 'lower',
    good: 1.5,
    uncertain: 10,
    needs: 0,
    gating: false,
    source:
      'start values, to be derived again from 500 real fields; good up to 2.0 with a source above 1 Jy in the field',
  },
  dynamicRange: {
    title: 'dynamic range',
    unit: '1',
    statistic: 'peak over rms at the centre, where the peak exceeds 400 times the thermal noise',
    better: 'higher',
    good: 100,
    uncertain: 30,
    needs: 0,
    gating: false,
    source: 'warning and failure values of the previous pipeline',
  },
  residual: {
    title: 'residual peak',
    unit: 'sigma',
    statistic: 'largest absolute residual over the local noise where the mean beam exceeds 0.2',
    better: 'lower',
    good: 6,
    uncertain: 10,
    needs: 0,
    gating: false,
    source: 'our judgement',
  },
  resolvedFraction: {
    title: 'resolved fraction',
    unit: '1',
    statistic: 'sources whose integrated exceeds their peak flux density by 3 sigma',
    better: 'range',
    floor: 0.05,
    good: 0.3,
    uncertain: 0.5,
    needs: 20,
    gating: false,
    source: `${askap}; smearing and phase errors raise it`,
  },
  sourceCounts: {
    title: 'source counts',
    unit: '1',
    statistic: 'reduced chi-square against the counts of de Zotti et al. 2010 at 1.4 GHz',
    better: 'lower',
    good: 3,
    uncertain: 50,
    needs: 5,
    gating: false,
    source: askap,
  },
  spectralIndex: {
    title: 'spectral index',
    unit: '1',
    statistic: 'distance from -0.8 of the median in-band spectral index',
    better: 'lower',
    good: 0.1,
    uncertain: 0.3,
    needs: 20,
    gating: false,
    source: askap,
  },
  psf: {
    title: 'synthesised beam',
    unit: '1',
    statistic: 'largest relative difference of its widths from those predicted for the antennas present',
    better: 'lower',
    good: 0.15,
    uncertain: 0.3,
    needs: 0,
    gating: false,
    source: 'our judgement',
  },
  flagged: {
    title: 'flagged data',
    unit: '1',
    statistic: 'flagged part of the data',
    better: 'lower',
    good: 0.1,
    uncertain: 0.4,
    needs: 0,
    gating: true,
    source: 'the Science Ready Data Products of NRAO set apart data with more than 30 % flagged',
  },
  antennas: {
    title: 'antennas',
    unit: '1',
    statistic: 'antennas with data',
    better: 'higher',
    good: 90,
    uncertain: 60,
    needs: 0,
    gating: true,
    source: '96 antennas in use',
  },
  subbands: {
    title: 'subbands',
    unit: '1',
    statistic: 'present over expected subbands',
    better: 'higher',
    good: 1,
    uncertain: 0.75,
    needs: 0,
    gating: true,
    source: '16 subbands; 12 leave three quarters of the band',
  },
  integrations: {
    title: 'integrations',
    unit: '1',
    statistic: 'present over expected integrations',
    better: 'higher',
    good: 1,
    uncertain: 0.75,
    needs: 0,
    gating: true,
    source: '24 integrations; 18 leave three quarters of the time',
  },
} as const satisfies Record<string, CheckSpec>

export type CheckKey = keyof typeof checkTable

function limitSchema(spec: CheckSpec) {
  return z
    .strictObject({ good: z.number().default(spec.good), uncertain: z.number().default(spec.uncertain) })
    .prefault({})
    .describe(`${spec.title}: ${spec.statistic} (${spec.unit}); ${spec.source}`)
}

type LimitSchemas = { [K in CheckKey]: ReturnType<typeof limitSchema> }

/** Overridable limits, one pair for each check of the table. */
export const limitsSchema = z
  .strictObject(
    Object.fromEntries(Object.entries(checkTable).map(([key, spec]) => [key, limitSchema(spec)])) as LimitSchemas,
  )
  .prefault({})
export type Limits = z.output<typeof limitsSchema>
