import type { FailpointPlan } from '#runtime/stage/failpoint.ts'

export type Kill = NonNullable<FailpointPlan['kill']>

/**
 * Every kill that the failpoints passed by an undisturbed run allow: each passing by SIGKILL to the process itself; in a stage also
 * to the orchestrator alone and to both with all below; where a child has been started, to the child.
 */
export function allKills(passed: readonly string[]): Kill[] {
  const passings = new Map<string, number>()
  return passed.flatMap((at) => {
    const passing = (passings.get(at) ?? 0) + 1
    passings.set(at, passing)
    const targets: Kill['target'][] = at.startsWith('orchestrator ') ? ['self'] : ['self', 'parent', 'parent-and-group']
    if (at.includes('child.start.after')) targets.push('child')
    return targets.map((target) => ({ at, passing, target, once: '' }))
  })
}

export function describeKill({ at, passing, target }: Kill): string {
  return `${at}${passing > 1 ? ` (${passing})` : ''} [${target}]`
}
