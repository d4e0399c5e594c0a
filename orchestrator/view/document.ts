import { apiVersion, type StageName, type Usage } from '#runtime/stage/contract.ts'
import type { Quality, Verdict } from '#runtime/stage/quality.ts'
import type { LastWords, Problem } from '../pipeline/problem.ts'
import type { ObservationState, RunState, Status, StepState } from '../pipeline/state.ts'

/** What `run`, `get` and `list` print as JSON; removing a field is a breaking change. */
export interface RunDocument {
  apiVersion: string
  run: string
  status: Status
  observations: ObservationDocument[]
}

interface ErrorDocument {
  code: string
  message: string
  why?: string
  last?: LastWords
  hint?: string
}

interface ObservationDocument {
  id: string
  status: Status
  verdict: Verdict
  steps: StepDocument[]
  error?: ErrorDocument
}

interface StepDocument {
  stage: StageName
  key: string
  status: Status
  cached: boolean
  product: string | null
  outputs: Record<string, string>
  metrics: Record<string, number>
  quality: Quality | null
  usage: Usage | null
  error?: ErrorDocument
}

/** The state of a run as one document; paths are absolute. */
export function runDocument(state: RunState, root: string): RunDocument {
  return {
    apiVersion,
    run: state.run,
    status: state.status,
    observations: state.observations.map((observation) => observationDocument(observation, root)),
  }
}

/** A problem that ended a command before there was a run. */
export function errorDocument(problem: Problem): {
  apiVersion: string
  error: ErrorDocument & { details?: readonly string[] }
} {
  return {
    apiVersion,
    error: { ...errorOf(problem), ...(problem.details === undefined ? {} : { details: problem.details }) },
  }
}

function observationDocument(
  { id, status, verdict, steps, error }: ObservationState,
  root: string,
): ObservationDocument {
  return {
    id,
    status,
    verdict,
    steps: steps.map((step) => stepDocument(step, root)),
    ...(error === undefined ? {} : { error: errorOf(error) }),
  }
}

function stepDocument({ stage, key, status, product, error }: StepState, root: string): StepDocument {
  return {
    stage,
    key,
    status,
    cached: status === 'cached',
    product: product === undefined ? null : `${root}/${product.product}`,
    outputs: Object.fromEntries(
      Object.entries(product?.outputs ?? {}).map(([name, path]) => [name, `${root}/${path}`]),
    ),
    metrics: product?.metrics ?? {},
    quality: product?.quality ?? null,
    usage: product?.usage ?? null,
    ...(error === undefined ? {} : { error: errorOf(error) }),
  }
}

function errorOf({ code, message, why, last, hint }: Problem): ErrorDocument {
  return {
    code,
    message,
    ...(why === undefined ? {} : { why }),
    ...(last === undefined ? {} : { last }),
    ...(hint === undefined ? {} : { hint }),
  }
}
