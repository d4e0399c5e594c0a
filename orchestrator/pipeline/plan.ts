import type { InputReference, InputSpec, StageContract, StagePlan } from '#runtime/stage/contract.ts'
import type { Quality } from '#runtime/stage/quality.ts'
import type { Scan, ScanObservation } from '../../stages/conversion/contract.ts'
import { admit, type QuarantineEntry, type RejectedObservation } from './admission.ts'
import { chooseCalibration, ownCandidate } from './calibrators.ts'
import type { RunConfig } from './config.ts'
import { explainMiss, productPath, stepKey, type KeyParts } from './key.ts'
import type { CalibrationChoice, SolutionCandidate } from './solutions.ts'
import { contracts, engineParams, pipelineStages, type PipelineStage } from './stages.ts'

/** A file or folder that is no product and no raw data: the catalogue, the Earth-orientation table, the station table. */
export interface Asset {
  /** Its content hash: what enters keys. */
  identity: string
  reference: InputReference
}

/** A committed product as the planner needs it. */
export interface KnownProduct {
  observation: string
  stage: PipelineStage
  key: string
  /** Folder relative to the data root. */
  product: string
  quality: Quality
  outputs: readonly string[]
  /** What made its key; absent when that was not stored. */
  parts?: KeyParts
  /** The solution set it holds, when it solved one. */
  solution?: SolutionCandidate
}

/** What lies under `products/` of a data root. */
export interface Shelf {
  products: readonly KnownProduct[]
  /** By folder: why what lies there, or once lay there, cannot be reused. */
  unusable: ReadonlyMap<string, string>
}

export interface PlanInput extends Shelf {
  config: RunConfig
  scan: Scan
  assets: { earthOrientation?: Asset; stationTable?: Asset; catalogue?: Asset }
  /** Engine parameters found on this machine, such as `wscleanVersion`. */
  engines: Readonly<Record<string, string>>
  /** Solve keys of sets that turned out bad, or whose solve failed, in this run. */
  badSets: ReadonlySet<string>
  /** By observation: solve keys of sets that its calibration refused to apply in this run. */
  refusedSets: ReadonlyMap<string, ReadonlySet<string>>
  /** Products of the stages that are to run are made again. */
  fresh?: boolean
}

/** Where an input of a step comes from. */
export type PlannedInput =
  | { from: 'file'; reference: InputReference }
  | { from: 'step'; stage: PipelineStage; observation: string; key: string; output: string; optional: boolean }
  | { from: 'product'; product: string; output: string }

export interface PlannedStep {
  observation: string
  stage: PipelineStage
  key: string
  parts: KeyParts
  params: Record<string, unknown>
  inputs: Readonly<Record<string, PlannedInput | readonly PlannedInput[]>>
  /** The product that already exists under this key. */
  cached: string | undefined
  /** Why there is none, when the stage ran on this observation with other parts before. */
  miss: string | undefined
  /** A product that exists is made again. */
  fresh: boolean
  need: StagePlan
  /** The solution set that this step solves. */
  solves: SolutionCandidate | undefined
}

export interface PlannedObservation {
  id: string
  startMjdUtc: number
  calibration: CalibrationChoice
  steps: readonly PlannedStep[]
}

export interface Plan {
  /** Those whose solution sets others wait for come first. */
  observations: readonly PlannedObservation[]
  rejected: readonly RejectedObservation[]
  /** Raw files at fault, of rejected and of admitted observations. */
  quarantined: readonly QuarantineEntry[]
}

/** Plans a run: which observations are fit, their steps with keys, what exists already, and who is calibrated by what. */
export function makePlan(input: PlanInput): Plan {
  const { admitted, rejected, quarantined } = admit(input.scan, input.config)
  const drafts = admitted.map((observation) => draftOf(observation, input))
  const stored = input.products.flatMap(({ solution }) => (solution === undefined ? [] : [solution]))
  const candidates = mergeCandidates(
    drafts.flatMap(({ own }) => (own === undefined ? [] : [own])),
    stored,
  )
  const bad = new Set([
    ...input.badSets,
    ...stored.filter(({ grade }) => grade === 'bad').map(({ solveKey }) => solveKey),
  ])
  const choices = drafts.map(({ observation, own }) =>
    chooseCalibration({
      observation,
      own,
      candidates,
      bad: new Set([...bad, ...(input.refusedSets.get(observation.id) ?? [])]),
      config: input.config,
    }),
  )

  // Solvers first: the others take their sets from steps whose keys must be known.
  const solvers = new Map<string, PlannedStep>()
  const planned = new Map<string, PlannedObservation>()
  for (const pass of ['own', 'other'] as const) {
    drafts.forEach((draft, index) => {
      const calibration = choices[index]
      if ((calibration.kind === 'own') !== (pass === 'own')) return
      const steps = planSteps({ ...draft, calibration, solvers }, input)
      const solver = steps.find(({ solves }) => solves !== undefined)
      if (solver?.solves !== undefined) solvers.set(solver.solves.solveKey, solver)
      planned.set(draft.observation.id, {
        id: draft.observation.id,
        startMjdUtc: draft.observation.startMjdUtc,
        calibration,
        steps,
      })
    })
  }
  const observations = drafts.map(({ observation }) => planned.get(observation.id) as PlannedObservation)
  const serving = new Set(choices.flatMap((choice) => (choice.kind === 'set' ? [choice.observation] : [])))
  return {
    observations: [
      ...observations.filter(({ id }) => serving.has(id)),
      ...observations.filter(({ id }) => !serving.has(id)),
    ],
    rejected,
    quarantined,
  }
}

interface Draft {
  observation: ScanObservation
  conversion: PlannedStep
  own: SolutionCandidate | undefined
}

function draftOf(observation: ScanObservation, input: PlanInput): Draft {
  const conversion = planStep(
    'conversion',
    { observation, earlier: [], solutions: undefined, solves: undefined },
    input,
  )
  const catalogue = input.assets.catalogue?.identity
  const own = ownCandidate({ observation, config: input.config, conversionKey: conversion.key, catalogue })
  return { observation, conversion, own }
}

/** Sets that exist win over the same sets as planned: their grade is known. */
function mergeCandidates(
  planned: readonly SolutionCandidate[],
  stored: readonly SolutionCandidate[],
): SolutionCandidate[] {
  const known = new Set(stored.map(({ solveKey }) => solveKey))
  return [...stored, ...planned.filter(({ solveKey }) => !known.has(solveKey))]
}

interface StepsDraft extends Draft {
  calibration: CalibrationChoice
  solvers: ReadonlyMap<string, PlannedStep>
}

function planSteps(
  { observation, conversion, calibration, own, solvers }: StepsDraft,
  input: PlanInput,
): PlannedStep[] {
  const steps = [conversion]
  const solutions = calibration.kind === 'set' ? setInput(calibration, solvers) : undefined
  for (const stage of pipelineStages.slice(
    1,
    pipelineStages.indexOf(input.config.execution.until ?? 'validation') + 1,
  )) {
    const solves = stage === 'calibration' && calibration.kind === 'own' ? own : undefined
    steps.push(planStep(stage, { observation, earlier: steps, solutions, solves, calibration }, input))
  }
  return steps
}

/** Another observation's set as an input: from its product, or from the step of this run that will make it. */
function setInput(
  choice: CalibrationChoice & { kind: 'set' },
  solvers: ReadonlyMap<string, PlannedStep>,
): ResolvedInput | undefined {
  const source = solvers.get(choice.solveKey)
  if (choice.product !== undefined) {
    return { identity: choice.solveKey, input: { from: 'product', product: choice.product, output: 'solutions' } }
  }
  if (source === undefined) return undefined
  const { stage, observation, key } = source
  return {
    identity: choice.solveKey,
    input: { from: 'step', stage, observation, key, output: 'solutions', optional: false },
  }
}

interface StepDraft {
  observation: ScanObservation
  earlier: readonly PlannedStep[]
  solutions: ResolvedInput | undefined
  solves: SolutionCandidate | undefined
  calibration?: CalibrationChoice
}

function planStep(stage: PipelineStage, draft: StepDraft, input: PlanInput): PlannedStep {
  const contract: StageContract = contracts[stage]
  const { observation } = draft
  const params = stageParams(stage, draft, input)
  const inputs: Record<string, PlannedInput | PlannedInput[]> = {}
  const identities: KeyParts['inputs'] = {}
  for (const [name, spec] of Object.entries(contract.inputs)) {
    const found = resolveInput(name, spec, { ...draft, stage }, input)
    if (found === undefined) continue
    inputs[name] = found.input
    identities[name] = found.identity
  }
  const parts: KeyParts = { stage, version: contract.version, params, inputs: identities }
  const key = stepKey(parts)
  const siblings = input.products.filter((product) => product.observation === observation.id && product.stage === stage)
  const existing = siblings.find((product) => product.key === key)
  const fresh = input.fresh === true && isAtLeast(stage, input.config.execution.from)
  const cached = fresh ? undefined : existing
  const lost = input.unusable.get(productPath({ observation: observation.id, stage, key }))
  return {
    observation: observation.id,
    stage,
    key,
    parts,
    params,
    inputs,
    cached: cached?.product,
    miss:
      fresh && existing !== undefined
        ? 'as asked, although its product exists'
        : cached === undefined
          ? (lost ??
            explainMiss(
              parts,
              siblings.flatMap((product) => (product.parts === undefined ? [] : [product.parts])),
            ))
          : undefined,
    fresh,
    need: contract.plan(params, observation.shape),
    solves: draft.solves,
  }
}

/** The complete parameters of a step: the user's, the machine's engines, and the calibrator that the planner chose. */
function stageParams(
  stage: PipelineStage,
  { calibration }: StepDraft,
  { config, engines }: PlanInput,
): Record<string, unknown> {
  const found = Object.fromEntries(
    (engineParams[stage] ?? []).flatMap((name) => (engines[name] === undefined ? [] : [[name, engines[name]]])),
  )
  const chosen =
    stage === 'calibration' ? { calibrator: calibration?.kind === 'own' ? calibration.calibrator : null } : {}
  return contracts[stage].params.parse({ ...config[stage], ...found, ...chosen })
}

function isAtLeast(stage: PipelineStage, first: PipelineStage | undefined): boolean {
  return first === undefined || pipelineStages.indexOf(stage) >= pipelineStages.indexOf(first)
}

/** The steps before the first stage of the run that have no product, although they are not to run. */
export function missingUpstream({ observations }: Plan, first: PipelineStage | undefined): PlannedStep[] {
  return observations.flatMap(({ steps }) =>
    steps.filter(({ stage, cached }) => !isAtLeast(stage, first) && cached === undefined),
  )
}

interface ResolvedInput {
  identity: string | readonly string[]
  input: PlannedInput | PlannedInput[]
}

function resolveInput(
  name: string,
  spec: InputSpec,
  { stage, observation, earlier, solutions, solves, calibration }: StepDraft & { stage: PipelineStage },
  { assets, config }: PlanInput,
): ResolvedInput | undefined {
  switch (spec.kind) {
    case 'uvh5':
      return rawInput(observation, config)
    case 'earth-orientation':
      return assetInput(assets.earthOrientation)
    case 'station-table':
      return assetInput(assets.stationTable)
    case 'catalogue':
      // A set of another observation is applied without a model: its catalogue entered the key of its own solve.
      return stage === 'calibration' && solves === undefined ? undefined : assetInput(assets.catalogue)
    case 'solutions':
      if (stage === 'calibration' || calibration?.kind === 'set') return solutions
      if (calibration?.kind !== 'own') return undefined
  }
  const source = earlier.findLast((step) => name in contracts[step.stage].outputs)
  if (source === undefined) return undefined
  const outputs: StageContract['outputs'] = contracts[source.stage].outputs
  return {
    identity: `${source.key}:${name}`,
    input: {
      from: 'step',
      stage: source.stage,
      observation: source.observation,
      key: source.key,
      output: name,
      optional: spec.optional === true && outputs[name]?.optional === true,
    },
  }
}

function rawInput(observation: ScanObservation, config: RunConfig): ResolvedInput {
  const expected = new Set<number>(config.conversion.expect.subbands)
  const files = observation.files.filter(({ subband }) => expected.has(subband)).sort((a, b) => a.subband - b.subband)
  return {
    identity: files.map(({ fingerprint }) => fingerprint),
    input: files.map(({ path, bytes, fingerprint }): PlannedInput => ({
      from: 'file',
      reference: { path: `incoming:${path}`, bytes, kind: 'uvh5', fingerprint },
    })),
  }
}

function assetInput(asset: Asset | undefined): ResolvedInput | undefined {
  return asset === undefined
    ? undefined
    : { identity: asset.identity, input: { from: 'file', reference: asset.reference } }
}
