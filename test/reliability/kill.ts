// Kills runs at every failpoint and at random moments, runs the same command again and compares with an undisturbed run. By hand:
//   node test/reliability/kill.ts scripted           every failpoint, with stages that do no science
//   node test/reliability/kill.ts scripted 1 100     the same, from the hundredth kill on
//   node test/reliability/kill.ts real [EVERY]       every EVERYth failpoint of the real stages
//   node test/reliability/kill.ts random [N] [SEED]  N moments of each kind of victim, with the real stages
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createRandom } from '#runtime/numeric/random.ts'
import { allKills, describeKill } from './kills.ts'
import { realJob, scriptedJob } from './jobs.ts'
import { treeOf } from './process-tree.ts'
import { trial, undisturbed, type Job, type Reference, type Verdict } from './trial.ts'

const [what = 'scripted', count = '', third = ''] = process.argv.slice(2)
const from = Number(third || 0)
const folder = mkdtempSync(join(tmpdir(), 'contimg-kill-'))
const verdicts: Verdict[] = []
try {
  const job = what === 'scripted' ? scriptedJob(folder) : realJob(folder)
  const reference = await undisturbed(job)
  say(`an undisturbed run takes ${reference.seconds.toFixed(1)} s and passes ${reference.passed.length} failpoints`)
  if (what === 'random') await randomKills(job, reference, { each: Number(count || 10), seed: Number(third || 1) })
  else
    for (const [index, kill] of allKills(reference.passed).entries())
      if (index % Number(count || 1) === 0 && index >= from)
        tell(describeKill(kill), await trial(job, reference, { failpoints: kill }))
  summary()
} finally {
  rmSync(folder, { recursive: true, force: true })
}

interface RandomKills {
  each: number
  seed: number
}

/** Kills the orchestrator, a stage, WSClean, and all processes together at moments that are spread over the run. */
async function randomKills(
  job: Job,
  reference: Reference & { seconds: number },
  { each, seed: start }: RandomKills,
): Promise<void> {
  const random = createRandom(start)
  for (let index = 0; index < each; index++)
    for (const victim of ['orchestrator', 'stage', 'wsclean', 'all'] as const) {
      const moment = random.next()
      const verdict = await trial(job, reference, {
        async kill(pid) {
          const until = performance.now() + moment * reference.seconds * 1000
          let found: number[] = []
          while (found.length === 0) {
            if (treeOf(pid).length === 0) return false
            // WSClean runs for a part of the time only, and several times: it is waited for, and killed early or late.
            if (victim === 'wsclean' && victims(pid, victim).length > 0) await sleep(moment * 100)
            else await sleep(2)
            if (victim === 'wsclean' || performance.now() >= until) found = victims(pid, victim)
          }
          for (const each of found) killNow(each)
          return found.length > 0
        },
      })
      tell(`${victim} at ${(moment * 100).toFixed(0)} %`, verdict)
    }
}

function victims(pid: number, victim: 'orchestrator' | 'stage' | 'wsclean' | 'all'): number[] {
  const tree = treeOf(pid)
  if (victim === 'orchestrator') return [pid]
  if (victim === 'all') return tree.map((each) => each.pid)
  const pattern = victim === 'stage' ? /stages\/\w+\/main\.ts/ : /^wsclean (?!-version)/
  return tree
    .filter(({ command, parent }) => pattern.test(command) && (victim === 'wsclean' || parent === pid))
    .map((each) => each.pid)
}

function killNow(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It ended in this moment.
  }
}

function tell(name: string, verdict: Verdict): void {
  verdicts.push(verdict)
  const how =
    verdict.faults.length > 0 ? `FAULT\n  ${verdict.faults.join('\n  ')}` : verdict.reached ? 'good' : 'not reached'
  say(`${name}: ${how}; recomputed ${verdict.recomputed}, all ended after ${verdict.orphanMs.toFixed(0)} ms`)
}

function summary(): void {
  const reached = verdicts.filter((verdict) => verdict.reached)
  const bad = verdicts.filter(({ faults }) => faults.length > 0)
  say('')
  say(`kills               ${reached.length} (${verdicts.length - reached.length} not reached)`)
  say(`with a fault        ${bad.length}`)
  say(`recomputed at most  ${Math.max(...verdicts.map(({ recomputed }) => recomputed))}`)
  say(
    `last process ended  ${Math.max(...verdicts.map(({ orphanMs }) => orphanMs)).toFixed(0)} ms after the kill at most`,
  )
  if (bad.length > 0) process.exitCode = 1
}

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}
