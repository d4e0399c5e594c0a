import { exitCodes } from '../pipeline/outcome.ts'
import { pipelineStages } from '../pipeline/stages.ts'
import { stageUsage, type ObservationState, type RunState } from '../pipeline/state.ts'
import { bytes, count, duration, glyph, span, table, type Style } from './format.ts'
import { decidingChecks } from './check.ts'
import { problemLines } from './problem.ts'

interface ClosingOptions extends Style {
  root: string
}

/** The last block of a run: what came of each observation and where it is, what it cost, and what to type next. */
export function closingLines(state: RunState, options: ClosingOptions): string[] {
  const lines = [headline(state)]
  for (const observation of state.observations) lines.push(...observationLines(observation, options))
  lines.push(...usageLines(state))
  lines.push(`report      ${options.root}/runs/${state.run}/report.html`, `next        ${nextCommand(state)}`)
  return lines
}

/** Cost of each stage that ran: wall and CPU time, peak memory, bytes. */
export function usageLines(state: RunState): string[] {
  const rows = pipelineStages.flatMap((stage) => {
    const used = stageUsage(state, stage)
    if (used === undefined) return []
    const { wallSeconds, cpuSeconds, peakMemoryBytes, readBytes, writtenBytes } = used.usage
    return [
      [
        stage,
        String(used.steps),
        span(wallSeconds),
        span(cpuSeconds),
        bytes(peakMemoryBytes),
        bytes(readBytes),
        bytes(writtenBytes),
      ],
    ]
  })
  return rows.length === 0 ? [] : table([['STAGE', 'STEPS', 'WALL', 'CPU', 'PEAK MEMORY', 'READ', 'WRITTEN'], ...rows])
}

function headline(state: RunState): string {
  const steps = state.observations.flatMap((observation) => observation.steps)
  const reused = steps.filter(({ status }) => status === 'cached').length
  const done = steps.filter(({ status }) => status === 'done').length
  const cpu = pipelineStages.reduce((sum, stage) => sum + (stageUsage(state, stage)?.usage.cpuSeconds ?? 0), 0)
  const again = steps.reduce((sum, { attempts }) => sum + Math.max(0, attempts.length - 1), 0)
  const retries = again === 0 ? '' : `, ${count(again, 'retry', 'retries')}`
  const word = state.status === 'cancelled' ? 'interrupted' : state.status
  return (
    `${state.run}  ${word} in ${duration(state.seconds ?? 0)}: ${count(done, 'step')} run, ${reused} reused${retries}, ` +
    (cpu < 360 ? `${span(cpu)} CPU` : `${(cpu / 3600).toFixed(2)} CPU hours`)
  )
}

function observationLines(observation: ObservationState, options: ClosingOptions): string[] {
  const { id, status, verdict, steps, error } = observation
  const output = (name: string): string | undefined => {
    const path = steps.findLast(({ product }) => product !== undefined && name in product.outputs)?.product?.outputs[
      name
    ]
    return path === undefined ? undefined : `${options.root}/${path}`
  }
  const ok = status === 'done' && verdict !== 'bad'
  const lines = [
    `${glyph(ok ? 'done' : status === 'done' || status === 'failed' ? 'failed' : 'skipped', options)} ${id}  ${status}, verdict ${verdict}`,
  ]
  if (error !== undefined) {
    const mark = status === 'skipped' ? 'skipped' : 'failed'
    lines.push(...problemLines(error, { ...options, mark }).map((line) => `  ${line}`))
  }
  for (const reason of decidingChecks(observation)) lines.push(`  why         ${reason}`)
  const places: [string, string][] = [
    ['image', 'imagePbCorrected'],
    ['quick-look', 'quicklook'],
    ['catalogue', 'catalogue'],
    ['report', 'report'],
  ]
  for (const [label, name] of places) {
    const path = output(name)
    if (path !== undefined) lines.push(`  ${label.padEnd(10)}  ${path}`)
  }
  return lines
}

function nextCommand(state: RunState): string {
  switch (state.exitCode) {
    case exitCodes.interrupted:
    case exitCodes.terminated:
      return 'the same command again goes on; finished steps are reused'
    case exitCodes.failed:
      return 'set right what is named above, then the same command again; finished steps are reused'
    default:
      return `contimg report ${state.run}`
  }
}
