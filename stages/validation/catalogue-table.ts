import type { FitsColumn } from '#runtime/formats/fits/table.ts'
import type { ImageSource } from './sources.ts'

const DEG = 180 / Math.PI
const ARCSEC = DEG * 3600
const RADIO = 'em.radio.750-1500MHz'

interface ColumnSpec {
  name: string
  type: FitsColumn['type']
  unit?: string
  ucd: string
  description: string
  value: (source: ImageSource) => string | number
}

/** Columns of the source catalogue: the same in FITS, CSV and VOTable (UCD1+, VOUnits). */
const specs: readonly ColumnSpec[] = [
  {
    name: 'name',
    type: 'str',
    ucd: 'meta.id;meta.main',
    description: 'Source name from its position',
    value: ({ name }) => name,
  },
  {
    name: 'ra_deg',
    type: 'f8',
    unit: 'deg',
    ucd: 'pos.eq.ra;meta.main',
    description: 'Right ascension, ICRS',
    value: ({ direction }) => direction.raRad * DEG,
  },
  {
    name: 'dec_deg',
    type: 'f8',
    unit: 'deg',
    ucd: 'pos.eq.dec;meta.main',
    description: 'Declination, ICRS',
    value: ({ direction }) => direction.decRad * DEG,
  },
  {
    name: 'e_ra_arcsec',
    type: 'f4',
    unit: 'arcsec',
    ucd: 'stat.error;pos.eq.ra',
    description: 'Error of right ascension times cos(dec)',
    value: ({ eRaRad }) => eRaRad * ARCSEC,
  },
  {
    name: 'e_dec_arcsec',
    type: 'f4',
    unit: 'arcsec',
    ucd: 'stat.error;pos.eq.dec',
    description: 'Error of declination',
    value: ({ eDecRad }) => eDecRad * ARCSEC,
  },
  {
    name: 's_int_mjy',
    type: 'f4',
    unit: 'mJy',
    ucd: `phot.flux.density;${RADIO}`,
    description: 'Integrated flux density, corrected for the primary beam',
    value: ({ integratedJy }) => integratedJy * 1000,
  },
  {
    name: 'e_s_int_mjy',
    type: 'f4',
    unit: 'mJy',
    ucd: 'stat.error;phot.flux.density',
    description: 'Error of the integrated flux density',
    value: ({ eIntegratedJy }) => eIntegratedJy * 1000,
  },
  {
    name: 's_peak_mjy',
    type: 'f4',
    unit: 'mJy/beam',
    ucd: `phot.flux.density;stat.max;${RADIO}`,
    description: 'Peak flux density, corrected for the primary beam',
    value: ({ peakJy }) => peakJy * 1000,
  },
  {
    name: 'e_s_peak_mjy',
    type: 'f4',
    unit: 'mJy/beam',
    ucd: 'stat.error;phot.flux.density;stat.max',
    description: 'Error of the peak flux density',
    value: ({ ePeakJy }) => ePeakJy * 1000,
  },
  {
    name: 'apparent_peak_mjy',
    type: 'f4',
    unit: 'mJy/beam',
    ucd: `phot.flux.density;stat.max;${RADIO}`,
    description: 'Peak flux density on the flat-noise image',
    value: ({ apparentPeakJy }) => apparentPeakJy * 1000,
  },
  {
    name: 'rms_mjy',
    type: 'f4',
    unit: 'mJy/beam',
    ucd: 'instr.det.noise',
    description: 'Local noise of the flat-noise image',
    value: ({ rmsJy }) => rmsJy * 1000,
  },
  {
    name: 'background_mjy',
    type: 'f4',
    unit: 'mJy/beam',
    ucd: 'instr.background',
    description: 'Local background of the flat-noise image',
    value: ({ backgroundJy }) => backgroundJy * 1000,
  },
  { name: 'snr', type: 'f4', ucd: 'stat.snr', description: 'Apparent peak over local noise', value: ({ snr }) => snr },
  {
    name: 'mean_beam',
    type: 'f4',
    ucd: 'arith.factor;instr.beam',
    description: 'Mean primary beam at the source',
    value: ({ meanBeam }) => meanBeam,
  },
  {
    name: 'maj_arcsec',
    type: 'f4',
    unit: 'arcsec',
    ucd: 'phys.angSize.smajAxis',
    description: 'Fitted major axis (FWHM)',
    value: ({ fitted }) => fitted.major * ARCSEC,
  },
  {
    name: 'e_maj_arcsec',
    type: 'f4',
    unit: 'arcsec',
    ucd: 'stat.error;phys.angSize.smajAxis',
    description: 'Error of the major axis; 0 where the shape is that of the beam',
    value: ({ eMajorRad }) => eMajorRad * ARCSEC,
  },
  {
    name: 'min_arcsec',
    type: 'f4',
    unit: 'arcsec',
    ucd: 'phys.angSize.sminAxis',
    description: 'Fitted minor axis (FWHM)',
    value: ({ fitted }) => fitted.minor * ARCSEC,
  },
  {
    name: 'e_min_arcsec',
    type: 'f4',
    unit: 'arcsec',
    ucd: 'stat.error;phys.angSize.sminAxis',
    description: 'Error of the minor axis; 0 where the shape is that of the beam',
    value: ({ eMinorRad }) => eMinorRad * ARCSEC,
  },
  {
    name: 'pa_deg',
    type: 'f4',
    unit: 'deg',
    ucd: 'pos.posAng',
    description: 'Position angle of the major axis, north through east',
    value: ({ fitted }) => fitted.paRad * DEG,
  },
  {
    name: 'deconv_maj_arcsec',
    type: 'f4',
    unit: 'arcsec',
    ucd: 'phys.angSize.smajAxis',
    description: 'Major axis without the beam; 0 when not resolved along it',
    value: ({ deconvolved }) => deconvolved.major * ARCSEC,
  },
  {
    name: 'deconv_min_arcsec',
    type: 'f4',
    unit: 'arcsec',
    ucd: 'phys.angSize.sminAxis',
    description: 'Minor axis without the beam; 0 when not resolved along it',
    value: ({ deconvolved }) => deconvolved.minor * ARCSEC,
  },
  {
    name: 'deconv_pa_deg',
    type: 'f4',
    unit: 'deg',
    ucd: 'pos.posAng',
    description: 'Position angle without the beam',
    value: ({ deconvolved }) => deconvolved.paRad * DEG,
  },
  {
    name: 'resolved',
    type: 'i4',
    ucd: 'meta.code',
    description: '1 when integrated exceeds peak flux density by 3 sigma',
    value: ({ resolved }) => (resolved ? 1 : 0),
  },
  {
    name: 'island',
    type: 'i4',
    ucd: 'meta.id.assoc',
    description: 'Number of the island of pixels',
    value: ({ island }) => island,
  },
  {
    name: 'components',
    type: 'i4',
    ucd: 'meta.number',
    description: 'Gaussians in the island',
    value: ({ components }) => components,
  },
  {
    name: 'flags',
    type: 'str',
    ucd: 'meta.code',
    description: 'blended, fixed-shape, edge, near-bright, fit-failed',
    value: ({ flags }) => flags.join(' '),
  },
]

/** The source catalogue as columns. */
export function catalogueColumns(sources: readonly ImageSource[]): FitsColumn[] {
  return specs.map(({ name, type, unit, ucd, description, value }) => {
    const values = sources.map(value)
    return {
      name,
      type,
      ...(unit === undefined ? {} : { unit }),
      ucd,
      description,
      values: type === 'str' ? values.map(String) : values.map(Number),
    }
  })
}
