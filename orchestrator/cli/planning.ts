import { join } from 'node:path'
import type { RunConfig } from '../pipeline/config.ts'
import { makePlan, missingUpstream, type Plan } from '../pipeline/plan.ts'
import { ProblemError } from '../pipeline/problem.ts'
import { lockHolder } from '../runs/lock.ts'
import { listProducts } from '../runs/product-store.ts'
import { listRuns } from '../runs/run-directory.ts'
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

/**
 * Products are made again only while no other run works on this data root, which may be reading them.
 * Throws ProblemError RUN_LOCKED.
 */
export async function requireAlone(root: string, own: string | undefined): Promise<void> {
  for (const name of await listRuns(root)) {
    const holder = name === own ? undefined : await lockHolder(join(root, 'runs', name, 'lock'))
    if (holder === undefined) continue
    throw new ProblemError(
      'RUN_LOCKED',
      `process ${holder.pid} works on the run "${name}", which may use what --fresh makes again`,
      {
        hint: `wait for it, end it with contimg cancel ${name}, or leave --fresh out; nothing was started`,
      },
    )
  }
}
