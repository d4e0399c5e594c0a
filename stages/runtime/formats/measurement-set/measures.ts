import type { KeywordRecord } from './record.ts'

function units(...names: string[]): { QuantumUnits: string[] } {
  return { QuantumUnits: names }
}

/** Column keywords of the MeasurementSet definition 2.0: units, and for measures their type and reference frame. */
export const second: KeywordRecord = units('s')
export const radian: KeywordRecord = units('rad')
export const hertz: KeywordRecord = units('Hz')
export const metre: KeywordRecord = units('m')
export const kelvin: KeywordRecord = units('K')
export const epoch: KeywordRecord = { ...units('s'), MEASINFO: { type: 'epoch', Ref: 'UTC' } }
export const position: KeywordRecord = { ...units('m', 'm', 'm'), MEASINFO: { type: 'position', Ref: 'ITRF' } }
export const direction: KeywordRecord = { ...units('rad', 'rad'), MEASINFO: { type: 'direction', Ref: 'J2000' } }

/** The ITRF label is casacore's default; the values follow J2000 north. */
export const uvw: KeywordRecord = { ...units('m', 'm', 'm'), MEASINFO: { type: 'uvw', Ref: 'ITRF' } }

/** Frequencies whose frame stands in the column MEAS_FREQ_REF. */
export const frequency: KeywordRecord = {
  ...units('Hz'),
  MEASINFO: {
    type: 'frequency',
    VarRefCol: 'MEAS_FREQ_REF',
    TabRefTypes: ['REST', 'LSRK', 'LSRD', 'BARY', 'GEO', 'TOPO', 'GALACTO', 'LGROUP', 'CMB', 'Undefined'],
    TabRefCodes: new Uint32Array([0, 1, 2, 3, 4, 5, 6, 7, 8, 64]),
  },
}

/** casacore's code of topocentric frequencies in MEAS_FREQ_REF. */
export const topocentric = 5
