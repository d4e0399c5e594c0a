import type { Problem } from '../pipeline/problem.ts'
import type { RunState, StepState } from '../pipeline/state.ts'
import { fixCommand, type CommandContext } from './commands.ts'
import { usageLines } from './closing.ts'
import { bytes, duration, glyph, span, table, type Style } from './format.ts'
import { problemLines } from './problem.ts'

interface TreeOptions extends Style, CommandContext {
  root: string
  wide: boolean
}

/** A run as a tree: observations, their steps, verdicts; with usage and products when wide. */
export function treeLines(state: RunState, options: TreeOptions): string[] {
  const seconds = state.seconds === undefined ? '' : `  ${duration(state.seconds)}`
  const lines = [`${state.run}  ${state.status}${seconds}  input ${state.input}`]
  for (const { level, message } of state.notes)
    lines.push(level === 'warn' ? `${glyph('note', options)} ${message}` : message)
  for (const { id, status, verdict, steps, error } of state.observations) {
    lines.push(`${statusGlyph(status, options)} ${id}  ${status}  ${verdict}`)
    lines.push(...table(steps.map((step) => stepCells(step, options))).map((line) => `    ${line}`))
    if (error !== undefined && status !== 'done')
      lines.push(
        ...problemLines(error, {
          utf8: options.utf8,
          mark: status === 'skipped' ? 'skipped' : 'failed',
          ...commandOf(error, state, options),
        }).map((line) => `    ${line}`),
      )
  }
  if (options.wide) lines.push(...usageLines(state))
  return lines
}

function commandOf(error: Problem, state: RunState, options: TreeOptions): { command?: string } {
  const command = fixCommand(error, state, options)
  return command === undefined ? {} : { command }
}

function stepCells(
  { stage, key, status, product, waiting, miss, phase }: StepState,
  { root, wide }: TreeOptions,
): string[] {
  const usage = product?.usage
  const what = product?.quality.verdict ?? (status === 'running' ? (phase ?? '') : (waiting ?? miss ?? ''))
  const cells = [stage, key.slice(0, 12), status, what, usage === undefined ? '' : span(usage.wallSeconds)]
  if (!wide) return cells
  return [
    ...cells,
    ...(usage === undefined
      ? ['', '', '', '']
      : [
          `${usage.cpuSeconds.toFixed(1)} s CPU`,
          bytes(usage.peakMemoryBytes),
          `${bytes(usage.readBytes)} read`,
          `${bytes(usage.writtenBytes)} written`,
        ]),
    product === undefined ? '' : `${root}/${product.product}`,
  ]
}

function statusGlyph(status: StepState['status'], style: Style): string {
  switch (status) {
    case 'done':
    case 'cached':
      return glyph('done', style)
    case 'failed':
      return glyph('failed', style)
    case 'running':
      return glyph('running', style)
    case 'planned':
      return glyph('waiting', style)
    default:
      return glyph('skipped', style)
  }
}
