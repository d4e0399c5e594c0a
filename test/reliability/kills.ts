import type { FailpointPlan } from '#runtime/stage/failpoint.ts'

export type Kill = NonNullable<FailpointPlan['kill']>

const targets: readonly Kill['target'][] = ['self', 'child', 'parent-and-group', 'parent']

/**
 * Every kill that the failpoints passed by an undisturbed run allow: first each passing by SIGKILL to the process itself; then, where
 * a child has been started, to the child; then in a stage to everything, and to the orchestrator alone.
 */
export function allKills(passed: readonly string[]): Kill[] {
  const passings = new Map<string, number>()
  const points = passed.map((at) => {
    const passing = (passings.get(at) ?? 0) + 1
    passings.set(at, passing)
    return { at, passing, once: '' }
  })
  return targets.flatMap((target) =>
    points.filter(({ at }) => applies(target, at)).map((point) => ({ ...point, target })),
  )
}

function applies(target: Kill['target'], at: string): boolean {
  if (target === 'child') return at.includes(' child.start.after ')
  return target === 'self' || !at.startsWith('orchestrator ')
}

export function describeKill({ at, passing, target }: Kill): string {
  return `${at}${passing > 1 ? ` (${passing})` : ''} [${target}]`
}
