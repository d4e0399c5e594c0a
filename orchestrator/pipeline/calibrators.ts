import type { ScanObservation } from '../../stages/conversion/contract.ts'
import type { RunConfig } from './config.ts'
import { stepKey } from './key.ts'
import { chooseSolutions, type CalibrationChoice, type SolutionCandidate, type SolutionTarget } from './solutions.ts'
import { applyOnlyParams, contracts } from './stages.ts'

/** Length of one integration of the telescope, s. */
const INTEGRATION_S = 12.884901888
const DAY_S = 86_400
const DEG = 180 / Math.PI

type Calibrator = ScanObservation['calibrators'][number]

/** Rules of the ladder by which an observation always solves its own set; by the later ones only when no set covers it. */
const OWN_RULES = [3, 4, 5]

/** What the choice of solution sets depends on, of one observation. */
function solutionTarget(observation: ScanObservation, config: RunConfig): SolutionTarget {
  const { shape, startMjdUtc, decOfDateRad, id } = observation
  return {
    observation: id,
    midMjdUtc: startMjdUtc + (shape.integrations * INTEGRATION_S) / 2 / DAY_S,
    decOfDateDeg: decOfDateRad * DEG,
    grid: gridOf(observation, config),
  }
}

/**
 * The frequency grid of a converted observation in words: the correlator fixes the frequencies of a subband, so its
 * indices and its number of channels say range and width.
 */
function gridOf({ shape }: ScanObservation, { conversion }: RunConfig): string {
  const { subbands } = conversion.expect
  const range = `subbands ${Math.min(...subbands)} to ${Math.max(...subbands)}`
  return `${range} of ${shape.channelsPerSubband} channels, ${shape.polarizations} polarisations`
}

interface OwnInput {
  observation: ScanObservation
  config: RunConfig
  conversionKey: string
  catalogue: string | undefined
}

/** The solution set that an observation could solve on its own calibrator, by the first rule of the ladder that applies. */
export function ownCandidate({
  observation,
  config,
  conversionKey,
  catalogue,
}: OwnInput): SolutionCandidate | undefined {
  if (config.calibration.mode === 'none') return undefined
  const calibrator = ownCalibrator(observation, config.calibration.calibrator)
  if (calibrator === undefined) return undefined
  const solving = Object.fromEntries(
    Object.entries(config.calibration).filter(([name]) => !applyOnlyParams.includes(name)),
  )
  const solveKey = stepKey({
    stage: 'calibration',
    version: contracts.calibration.version,
    params: { ...solving, calibrator: calibrator.name },
    inputs: { measurementSet: `${conversionKey}:measurementSet`, ...(catalogue === undefined ? {} : { catalogue }) },
  })
  return {
    ...solutionTarget(observation, config),
    solveKey,
    calibrator: calibrator.name,
    apparentFluxJy: calibrator.apparentFluxJy,
  }
}

interface ChoiceInput {
  observation: ScanObservation
  own: SolutionCandidate | undefined
  candidates: readonly SolutionCandidate[]
  bad: ReadonlySet<string>
  config: RunConfig
}

/**
 * How an observation is calibrated: by its own calibrator when it holds a good one and the set is not bad; else by the
 * best set that covers it; else by a weak calibrator of its own; else not at all, which its calibration step will report.
 */
export function chooseCalibration({ observation, own, candidates, bad, config }: ChoiceInput): CalibrationChoice {
  if (config.calibration.mode === 'none') return { kind: 'none' }
  const calibrator = ownCalibrator(observation, config.calibration.calibrator)
  const ownChoice: CalibrationChoice | undefined =
    own === undefined || calibrator === undefined
      ? undefined
      : {
          kind: 'own',
          calibrator: own.calibrator,
          solveKey: own.solveKey,
          reason: ownReason(calibrator, config.calibration.calibrator),
        }
  const pinned = config.calibration.calibrator !== null
  if (
    ownChoice !== undefined &&
    own !== undefined &&
    !bad.has(own.solveKey) &&
    (pinned || OWN_RULES.includes(calibrator?.rule ?? 0))
  ) {
    return ownChoice
  }
  const others = candidates.filter(
    (candidate) => candidate.observation !== observation.id && candidate.solveKey !== own?.solveKey,
  )
  const fitting = pinned ? others.filter((candidate) => candidate.calibrator === config.calibration.calibrator) : others
  const { chosen, rejected } = chooseSolutions(solutionTarget(observation, config), fitting, {
    bad,
    windowHours: config.calibration.applyWindowHours,
  })
  if (chosen !== undefined) {
    return {
      kind: 'set',
      calibrator: chosen.calibrator,
      solveKey: chosen.solveKey,
      observation: chosen.observation,
      ...(chosen.product === undefined ? {} : { product: chosen.product }),
      reason: `${ownChoice === undefined ? 'no calibrator of its own' : 'its own is weak or bad'}; the set of ${chosen.observation} on ${chosen.calibrator} covers it`,
      rejected,
    }
  }
  return ownChoice ?? { kind: 'missing', reason: missingReason(observation), rejected }
}

function ownCalibrator(observation: ScanObservation, pinned: string | null): Calibrator | undefined {
  if (pinned !== null) return observation.calibrators.find(({ name }) => name === pinned)
  return [...observation.calibrators].sort(
    (a, b) => a.rule - b.rule || b.apparentFluxJy - a.apparentFluxJy || (a.name < b.name ? -1 : 1),
  )[0]
}

function ownReason({ rule, apparentFluxJy, meanBeam, name }: Calibrator, pinned: string | null): string {
  const how = pinned === null ? `rule ${rule}` : 'pinned by calibration.calibrator'
  return `${name} in its own beam at ${(100 * meanBeam).toFixed(0)} % response, ${apparentFluxJy.toFixed(1)} Jy apparent (${how})`
}

function missingReason({ calibrators }: ScanObservation): string {
  const [nearest] = [...calibrators].sort((a, b) => b.apparentFluxJy - a.apparentFluxJy)
  const near =
    nearest === undefined
      ? 'none is near'
      : `the best is ${nearest.name} with ${nearest.apparentFluxJy.toFixed(2)} Jy apparent`
  return `no usable calibrator in its beam (${near}) and no solution set covers it`
}
