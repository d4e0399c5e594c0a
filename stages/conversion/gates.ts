import { ARCSEC_RAD } from '#runtime/sky/constants.ts'
import type { Check } from '#runtime/stage/quality.ts'
import { stationTableCheck, type StationOffsets } from './station-offsets.ts'
import { statedWCheck, type StatedW } from './stated-w.ts'
import type { WFit } from './w-fit.ts'

/** What the gates look at. The measured numbers come from the set as it was read back, not from what was meant. */
export interface GateFacts {
  rows: { found: number; expected: number }
  integrations: { found: number; expected: number }
  /** Channel centres of the set and the width of a channel, Hz. */
  freqHz: Float64Array
  channelWidthHz: number
  fields: number
  /** Largest difference of the field's directions from the rotation target, radians. */
  centreErrorRad: number
  subbands: { present: number; expected: number; absent: readonly number[] }
  /** Shortest and longest baseline of two different antennas, metres. */
  shortestM: number
  longestM: number
  /** Largest abs(|UVW| - |b|) over rows, and largest |UVW| of an autocorrelation, metres. */
  uvwErrorM: number
  autoUvwM: number
  /** Largest distance of an antenna from the array centre, metres; NaN when a position is not finite. */
  farthestAntennaM: number
  /** Distance of the header's site from the array centre of the telescope, degrees. */
  siteOffsetDeg: number
  /** The antennas beside the station table, where the user gave one. */
  stations: StationOffsets | undefined
  /** What only files of the DSA-110 can be held against is checked of those alone. */
  dialect: 'dsa110' | 'other'
  /** Of those: what their w coordinates say. */
  wFit: WFit | undefined
  /** Of others: how w goes with what the file says that it is phased to. */
  statedW?: StatedW | undefined
  zeroFraction: number
  antennas: { present: number; dead: readonly string[] }
  reopen: { cells: number; different: number; largestError: number }
  /** How far the observation is beyond the table, days; 0 within. */
  earthOrientation: { beyondDays: number; source: string }
}

/** Limits of the gates; those of the telescope's geometry come from its station table. */
const CHANNEL_STEP_HZ = 1e-3
const CENTRE_RAD = 1e-9
const SHORTEST_M = 5
const LONGEST_M = 2708
const UVW_M = 1e-3
const ANTENNA_RADIUS_M = 5000
const SITE_WARN_DEG = 1e-5
const SITE_FAIL_DEG = 0.002
const W_WARN_ARCSEC = 1
const W_FAIL_ARCSEC = 60
const W_RESIDUAL_M = 1e-3
const ZERO_WARN = 0.3
const ZERO_FAIL = 0.5
const DEAD_WARN = 0.3
/** Part of the expected subbands from which on a set counts as whole enough: 12 of 16. */
const SUBBANDS_GOOD = 0.75

/** float32 rounding of a rotated visibility is 6e-8. */
export const REOPEN_TOLERANCE = 5e-7

/** The checks of a converted observation. All but the last three block what follows when they are bad. */
export function conversionChecks(facts: GateFacts): Check[] {
  const ofTelescope = (...checks: ((facts: GateFacts) => Check)[]): Check[] =>
    facts.dialect === 'dsa110' ? checks.map((check) => check(facts)) : []
  return [
    rowsCheck(facts),
    frequencyCheck(facts),
    centreCheck(facts),
    subbandCheck(facts),
    ...ofTelescope(baselineCheck),
    uvwCheck(facts),
    ...ofTelescope(antennaPositionCheck, siteCheck),
    ...(facts.stations === undefined ? [] : [stationTableCheck(facts.stations)]),
    ...(facts.wFit === undefined ? [] : [wFitCheck(facts.wFit), wResidualCheck(facts.wFit)]),
    ...(facts.statedW === undefined ? [] : [statedWCheck(facts.statedW)]),
    zeroCheck(facts),
    reopenCheck(facts),
    integrationCheck(facts),
    deadAntennaCheck(facts),
    earthOrientationCheck(facts),
  ]
}

type Grade = Pick<Check, 'name' | 'verdict' | 'message'> & Partial<Check>

function gate(grade: Grade): Check {
  return { gating: true, blocking: true, ...measured(grade) }
}

function note(grade: Grade): Check {
  return { gating: false, blocking: false, ...measured(grade) }
}

/** A value that is no number cannot stand in a result: the check says in words what it found, and is bad. */
function measured({ value, ...grade }: Grade): Grade {
  return value === undefined || !Number.isFinite(value) ? grade : { ...grade, value }
}

/** Good up to `warn`, uncertain up to `fail`, bad beyond and for NaN. */
function graded(value: number, warn: number, fail: number): Check['verdict'] {
  if (value <= warn) return 'good'
  return value <= fail ? 'uncertain' : 'bad'
}

function rowsCheck({ rows }: GateFacts): Check {
  return gate({
    name: 'rows',
    verdict: rows.found === rows.expected ? 'good' : 'bad',
    value: rows.found,
    unit: '1',
    limits: { good: `= ${rows.expected}` },
    message: `${rows.found} rows, integrations times baselines make ${rows.expected}`,
  })
}

function frequencyCheck({ freqHz, channelWidthHz }: GateFacts): Check {
  let worst = 0
  for (let channel = 1; channel < freqHz.length; channel++) {
    worst = Math.max(worst, Math.abs(freqHz[channel] - freqHz[channel - 1] - channelWidthHz))
  }
  return gate({
    name: 'frequency-order',
    verdict: worst <= CHANNEL_STEP_HZ ? 'good' : 'bad',
    value: worst,
    unit: 'Hz',
    n: freqHz.length,
    limits: { good: `<= ${CHANNEL_STEP_HZ}` },
    message: `${freqHz.length} channels ascend in steps of ${channelWidthHz} Hz to ${worst.toPrecision(2)} Hz`,
  })
}

function centreCheck({ fields, centreErrorRad }: GateFacts): Check {
  const good = fields === 1 && centreErrorRad <= CENTRE_RAD
  return gate({
    name: 'phase-centre',
    verdict: good ? 'good' : 'bad',
    value: centreErrorRad,
    unit: 'rad',
    limits: { good: `one field, <= ${CENTRE_RAD}` },
    message: `${fields} field, its directions within ${centreErrorRad.toPrecision(2)} rad of the rotation target`,
  })
}

function subbandCheck({ subbands: { present, expected, absent } }: GateFacts): Check {
  return gate({
    name: 'subbands',
    verdict: present >= SUBBANDS_GOOD * expected ? 'good' : 'uncertain',
    value: present,
    unit: '1',
    limits: { good: `>= ${Math.ceil(SUBBANDS_GOOD * expected)}` },
    message:
      absent.length === 0
        ? `all ${expected} subbands present`
        : `${present} of ${expected} subbands, absent and flagged: ${absent.join(', ')}`,
  })
}

function baselineCheck({ shortestM, longestM }: GateFacts): Check {
  return gate({
    name: 'baseline-length',
    verdict: shortestM >= SHORTEST_M && longestM <= LONGEST_M ? 'good' : 'bad',
    value: longestM,
    unit: 'm',
    limits: { good: `${SHORTEST_M} to ${LONGEST_M}` },
    message: `baselines of ${shortestM.toFixed(2)} to ${longestM.toFixed(1)} m`,
  })
}

function uvwCheck({ uvwErrorM, autoUvwM }: GateFacts): Check {
  return gate({
    name: 'uvw-length',
    verdict: uvwErrorM < UVW_M && autoUvwM === 0 ? 'good' : 'bad',
    value: 1000 * uvwErrorM,
    unit: 'mm',
    limits: { good: `< ${1000 * UVW_M}, autocorrelations exactly 0` },
    message: `UVW vectors are as long as their baselines to ${(1000 * uvwErrorM).toPrecision(2)} mm`,
  })
}

function antennaPositionCheck({ farthestAntennaM }: GateFacts): Check {
  return gate({
    name: 'antenna-positions',
    verdict: farthestAntennaM <= ANTENNA_RADIUS_M ? 'good' : 'bad',
    value: farthestAntennaM,
    unit: 'm',
    limits: { good: `<= ${ANTENNA_RADIUS_M}` },
    message: `the farthest antenna is ${farthestAntennaM.toFixed(0)} m from the array centre`,
  })
}

function siteCheck({ siteOffsetDeg }: GateFacts): Check {
  return gate({
    name: 'site',
    verdict: graded(siteOffsetDeg, SITE_WARN_DEG, SITE_FAIL_DEG),
    value: siteOffsetDeg,
    unit: 'deg',
    limits: { good: `<= ${SITE_WARN_DEG}`, uncertain: `<= ${SITE_FAIL_DEG}` },
    message: `the header puts the array centre ${siteOffsetDeg.toPrecision(2)} deg from the surveyed one`,
  })
}

function wFitCheck({ offsetRad }: WFit): Check {
  const wFitOffsetArcsec = offsetRad / ARCSEC_RAD
  const used = wFitOffsetArcsec > W_WARN_ARCSEC ? '; the fitted direction was used' : ''
  return gate({
    name: 'w-fit',
    verdict: graded(wFitOffsetArcsec, W_WARN_ARCSEC, W_FAIL_ARCSEC),
    value: wFitOffsetArcsec,
    unit: 'arcsec',
    limits: { good: `<= ${W_WARN_ARCSEC}`, uncertain: `<= ${W_FAIL_ARCSEC}` },
    message: `the w coordinates of the files belong to a direction ${wFitOffsetArcsec.toPrecision(3)} arcsec from the header's${used}`,
  })
}

function wResidualCheck({ fittedResidualM: wFitResidualM }: WFit): Check {
  const good = wFitResidualM <= W_RESIDUAL_M
  return gate({
    name: 'w-residual',
    verdict: good ? 'good' : 'uncertain',
    value: 1000 * wFitResidualM,
    unit: 'mm',
    limits: { good: `<= ${1000 * W_RESIDUAL_M}` },
    message: good
      ? `w coordinates and antenna positions of the files agree to ${(1000 * wFitResidualM).toPrecision(2)} mm`
      : `w coordinates and antenna positions of the files differ by up to ${(1000 * wFitResidualM).toPrecision(3)} mm: a station is not where the header has it`,
  })
}

function zeroCheck({ zeroFraction }: GateFacts): Check {
  return gate({
    name: 'zero-data',
    verdict: graded(zeroFraction, ZERO_WARN, ZERO_FAIL),
    value: zeroFraction,
    unit: '1',
    limits: { good: `<= ${ZERO_WARN}`, uncertain: `<= ${ZERO_FAIL}` },
    message: `${(100 * zeroFraction).toFixed(2)} % of the samples are zero or not finite, absent subbands and dead antennas not counted`,
  })
}

function reopenCheck({ reopen: { cells, different, largestError } }: GateFacts): Check {
  return gate({
    name: 'reopen',
    verdict: different === 0 && cells > 0 ? 'good' : 'bad',
    value: largestError,
    unit: '1',
    n: cells,
    limits: { good: `<= ${REOPEN_TOLERANCE} in each of ${cells} cells` },
    message:
      different === 0
        ? `${cells} random cells of the set equal the raw files`
        : `${different} of ${cells} random cells of the set differ from the raw files`,
  })
}

function integrationCheck({ integrations: { found, expected } }: GateFacts): Check {
  return note({
    name: 'integrations',
    verdict: found === expected ? 'good' : 'uncertain',
    value: found,
    unit: '1',
    limits: { good: `= ${expected}` },
    message: `${found} integrations, ${expected} expected`,
  })
}

function deadAntennaCheck({ antennas: { present, dead } }: GateFacts): Check {
  return note({
    name: 'dead-antennas',
    verdict: dead.length <= DEAD_WARN * present ? 'good' : 'uncertain',
    value: dead.length,
    unit: '1',
    n: present,
    limits: { good: `<= ${Math.floor(DEAD_WARN * present)}` },
    message:
      dead.length === 0
        ? `all ${present} antennas have data`
        : `${dead.length} of ${present} antennas have no data: ${dead.join(', ')}`,
  })
}

function earthOrientationCheck({ earthOrientation: { beyondDays, source } }: GateFacts): Check {
  return note({
    name: 'earth-orientation',
    verdict: beyondDays === 0 ? 'good' : 'uncertain',
    value: beyondDays,
    unit: 'd',
    limits: { good: '= 0' },
    message:
      beyondDays === 0
        ? `UT1 and polar motion from ${source}`
        : `the Earth-orientation table ends ${beyondDays.toFixed(1)} days from this date; its nearest value was used (${source})`,
  })
}
