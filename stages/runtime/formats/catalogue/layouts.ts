/** What a column of a catalogue file means. */
export type SourceField =
  | 'id'
  | 'ra'
  | 'dec'
  | 'eRa'
  | 'eDec'
  | 'sInt'
  | 'eSInt'
  | 'sPeak'
  | 'noise'
  | 'maj'
  | 'min'
  | 'pa'
  | 'limitMaj'
  | 'limitMin'
  | 'flags'

/** A known survey: how its table is told, which column is what (first that exists), and its facts. */
export interface SurveyLayout {
  name: string
  version: string
  vizier?: string
  citation: string
  freqHz: number
  resolutionArcsec: number
  completeMjy: number
  /** Fitted sizes hold the survey's beam; deconvolved ones do not. */
  sizes: 'deconvolved' | 'fitted'
  recognise: readonly RegExp[]
  columns: Partial<Record<SourceField, readonly string[]>>
}

const racsColumns: SurveyLayout['columns'] = {
  ra: ['_RAJ2000', 'RAJ2000', 'RAdeg', 'RA'],
  // DEdegc is corrected for the declination-dependent offset of the survey; DEJ2000 is not.
  dec: ['DEdegc', '_DEJ2000', 'DEJ2000', 'DEdeg', 'Dec'],
  eRa: ['e_RAJ2000', 'e_RAdeg', 'e_RA'],
  eDec: ['e_DEdegc', 'e_DEJ2000', 'e_DEdeg', 'e_Dec'],
  sInt: ['Ftot', 'Total_flux'],
  eSInt: ['e_Ftot', 'e_Total_flux'],
  sPeak: ['Fpeak', 'Fpk', 'Peak_flux'],
  noise: ['Noise'],
  maj: ['Maj', 'amaj'],
  min: ['Min', 'bmin'],
  pa: ['PA'],
  flags: ['Flag'],
}

const surveyLayouts: readonly SurveyLayout[] = [
  {
    name: 'racs-high',
    version: 'dr1',
    vizier: 'J/other/PASA/42.38/sourcesh',
    citation: 'Duchesne et al. 2025, PASA 42, e038',
    freqHz: 1655.5e6,
    resolutionArcsec: 11.8,
    completeMjy: 2,
    sizes: 'fitted',
    recognise: [/^RACS-HIGH/i],
    columns: { ...racsColumns, id: ['RACS-HIGH1', 'RACS-HIGH', 'ID', 'Name'] },
  },
  {
    name: 'racs-mid',
    version: 'dr1',
    vizier: 'J/other/PASA/41.3/sourcesm',
    citation: 'Duchesne et al. 2024, PASA 41, e003',
    freqHz: 1367.5e6,
    resolutionArcsec: 11.2,
    completeMjy: 2,
    sizes: 'fitted',
    recognise: [/^RACS-MID/i, /^DEdegc$/i],
    columns: { ...racsColumns, id: ['RACS-MID1', 'RACS-MID', 'ID', 'Name'] },
  },
  {
    name: 'racs-low',
    version: 'dr1',
    vizier: 'J/other/PASA/38.58/galcut',
    citation: 'Hale et al. 2021, PASA 38, e058',
    freqHz: 887.5e6,
    resolutionArcsec: 25,
    completeMjy: 5,
    sizes: 'fitted',
    recognise: [/^RACS_DR1|^RACS-DR1/i, /^amaj$/i],
    columns: { ...racsColumns, id: ['RACS-DR1', 'RACS_DR1', 'ID', 'Name'] },
  },
  {
    name: 'nvss',
    version: '1998',
    vizier: 'VIII/65/nvss',
    citation: 'Condon et al. 1998, AJ 115, 1693',
    freqHz: 1400e6,
    resolutionArcsec: 45,
    completeMjy: 2.5,
    sizes: 'deconvolved',
    recognise: [/^S1\.4$/i, /^NVSS$/i],
    columns: {
      id: ['NVSS'],
      ra: ['_RAJ2000', 'RAJ2000'],
      dec: ['_DEJ2000', 'DEJ2000'],
      eRa: ['e_RAJ2000'],
      eDec: ['e_DEJ2000'],
      sInt: ['S1.4'],
      eSInt: ['e_S1.4'],
      maj: ['MajAxis'],
      min: ['MinAxis'],
      pa: ['PA'],
      limitMaj: ['l_MajAxis'],
      limitMin: ['l_MinAxis'],
    },
  },
]

/** Names that a table of unknown origin may use, in the order in which they are tried. */
export const genericColumns: SurveyLayout['columns'] = {
  id: ['id', 'name', 'source_id', 'source_name', 'component_name', 'source'],
  ra: ['ra_deg', 'ra', '_raj2000', 'raj2000', 'ra_icrs', 'radeg', 'ra_j2000', 'alpha_j2000'],
  dec: ['dec_deg', 'dec', '_dej2000', 'dej2000', 'de_icrs', 'dedeg', 'decj2000', 'dec_j2000', 'delta_j2000'],
  eRa: ['e_ra_arcsec', 'ra_err_arcsec', 'e_ra', 'e_raj2000', 'ra_err', 'err_ra'],
  eDec: ['e_dec_arcsec', 'dec_err_arcsec', 'e_dec', 'e_dej2000', 'dec_err', 'err_dec'],
  sInt: ['s_int_mjy', 'flux_mjy', 'flux_jy', 's_int', 'ftot', 'fint', 'total_flux', 'int_flux', 'flux', 's'],
  eSInt: ['e_s_int_mjy', 'e_flux_mjy', 'flux_err_mjy', 'flux_err_jy', 'e_s_int', 'e_ftot', 'e_total_flux', 'err_int_flux', 'e_flux', 'flux_err'], // prettier-ignore
  sPeak: ['s_peak_mjy', 'peak_flux_mjy', 'peak_flux_jy', 's_peak', 'fpeak', 'peak_flux'],
  maj: ['maj_arcsec', 'major_arcsec', 'maj', 'majaxis', 'a'],
  min: ['min_arcsec', 'minor_arcsec', 'min', 'minaxis', 'b'],
  pa: ['pa_deg', 'position_angle_deg', 'pa'],
  limitMaj: ['l_majaxis', 'size_is_limit'],
  limitMin: ['l_minaxis'],
  flags: ['flags', 'flag'],
}

/** The survey whose tell-tale column the table has; undefined for a table of unknown origin. */
export function recogniseSurvey(names: readonly string[]): SurveyLayout | undefined {
  return surveyLayouts.find((layout) => layout.recognise.some((pattern) => names.some((name) => pattern.test(name))))
}

/** Index of the column of each field, by name in any letter case. */
export function locateColumns(
  names: readonly string[],
  columns: SurveyLayout['columns'],
): Partial<Record<SourceField, number>> {
  const lower = names.map((name) => name.toLowerCase())
  const found: Partial<Record<SourceField, number>> = {}
  for (const [field, candidates] of Object.entries(columns) as [SourceField, readonly string[]][]) {
    const index = candidates.map((candidate) => lower.indexOf(candidate.toLowerCase())).find((place) => place >= 0)
    if (index !== undefined) found[field] = index
  }
  return found
}
