import type { RunConfig } from '../pipeline/config.ts'
import { makePlan, missingUpstream, type Plan } from '../pipeline/plan.ts'
import { ProblemError } from '../pipeline/problem.ts'
import { listProducts } from '../runs/product-store.ts'
import type { Prepared } from './prepare.ts'

/** How many steps without a product are named. */
const NAMED = 3

/** The plan of a run as it would begin now. */
export async function planOf(config: RunConfig, { scan, assets, engines }: Prepared, fresh = false): Promise<Plan> {
  const shelf = await listProducts(
    config.root,
    scan.observations.map(({ id }) => id),
  )
  return makePlan({ config, scan, assets, engines, fresh, ...shelf, badSets: new Set(), refusedSets: new Map() })
}

/** What comes before the first stage of a run must exist. Throws ProblemError UPSTREAM_NEEDED. */
export function requireUpstream(plan: Plan, { execution: { from } }: RunConfig): void {
  const missing = missingUpstream(plan, from)
  if (missing.length === 0) return
  const named = missing.slice(0, NAMED).map(({ observation, stage, miss }) => {
    return `${stage} of ${observation}${miss === undefined ? '' : ` (${miss})`}`
  })
  const more = missing.length > NAMED ? ` and ${missing.length - NAMED} more` : ''
  throw new ProblemError('UPSTREAM_NEEDED', `there is no product of ${named.join(', ')}${more}`, {
    hint: `leave --from and --only out, or begin at ${missing[0]?.stage}; nothing was started`,
  })
}
