import type { BeamTrack } from '#runtime/sky/beam.ts'
import {
  nearestCalibrator,
  PERLEY_BUTLER_2017,
  rankCalibrators,
  type RankedCalibrator,
} from '#runtime/sky/calibrators.ts'
import { meanBeam } from '#runtime/sky/beam.ts'
import { DEGREE_RAD } from '#runtime/sky/constants.ts'
import { StageError } from '#runtime/stage/errors.ts'

/**
 * The calibrator to solve on: the one that is asked for by name, else the first of the ladder (first-choice sources of
 * Perley & Butler 2017, then the others, then weak ones). Throws a StageError NO_CALIBRATOR that says what was looked for
 * and how near the best candidate came, PARAMS_INVALID for an unknown name.
 */
export function chooseCalibrator(track: BeamTrack, freqHz: Float64Array, name: string | null): RankedCalibrator {
  const candidates = PERLEY_BUTLER_2017.filter(({ tier }) => tier !== 'avoid')
  if (name !== null && !candidates.some((source) => source.name === name)) {
    throw new StageError('PARAMS_INVALID', `calibrator ${name} is not in the list of flux calibrators`, {
      hint: `use one of ${candidates.map((source) => source.name).join(', ')}, or leave calibration.calibrator at null`,
    })
  }
  const ranked = rankCalibrators(track, freqHz)
  const chosen = name === null ? ranked[0] : ranked.find(({ source }) => source.name === name)
  if (chosen !== undefined) return chosen
  const wanted = candidates.filter((source) => name === null || source.name === name)
  const nearest = nearestCalibrator(track, wanted)
  const near =
    nearest === undefined
      ? ''
      : `; the nearest is ${nearest.source.name}, ${(nearest.separationRad / DEGREE_RAD).toFixed(2)} deg from the beam centre at best, mean beam response ${meanBeam(track, nearest.source.direction, freqHz).toFixed(3)}`
  throw new StageError(
    'NO_CALIBRATOR',
    `${name === null ? 'no flux calibrator of Perley & Butler 2017' : name} has a mean beam response of 0.2 and 1 Jy apparent in this observation (declination ${(track.decOfDateRad / DEGREE_RAD).toFixed(2)} deg)${near}, and no solution set was given`,
    { hint: 'give an observation of a calibrator within 12 hours at this declination, or use --uncalibrated' },
  )
}

/** What the flux scale of a set rests on. */
export type FluxAnchor = 'pb17-first-choice' | 'pb17-other'

export function fluxAnchorOf({ source }: RankedCalibrator): FluxAnchor {
  return source.tier === 'first-choice' ? 'pb17-first-choice' : 'pb17-other'
}
