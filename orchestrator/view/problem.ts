import { fixOf, type LastWords, type Problem } from '../pipeline/problem.ts'
import { amountOf, count, glyph, type Style } from './format.ts'

interface ProblemContext {
  /** `skipped` for what was left out and did not fail. */
  mark?: 'failed' | 'skipped'
  /** What failed: `imaging failed`, `input`. */
  subject?: string
  observation?: string
  /** Others with the same problem. */
  others?: readonly string[]
  /** The command line that does what the fix says. */
  command?: string
  /** What remains usable. */
  kept?: string
  /** Where more can be read. */
  logs?: string
  /** Texts are broken at this width. */
  columns?: number
}

/** Wider than this, lines are hard to read. */
const MOST_COLUMNS = 120
const LABEL_COLUMNS = 8
/** So many observations stand for all that have the same problem. */
const EXAMPLES = 3

/**
 * A problem in the one voice of all messages: what happened, its code and where; why; the last that was heard; what to do
 * about it, with the command; what is kept; where more can be read.
 */
export function problemLines(problem: Problem, context: ProblemContext & Style): string[] {
  const { code, last, hint = fixOf(code).replaceAll('`', ''), details } = problem
  const { mark = 'failed', subject, observation, others = [], command, kept, logs } = context
  const { first, rest, why } = parted(problem, context)
  const head = [
    glyph(mark, context),
    subject === undefined ? undefined : `${subject}:`,
    first,
    `[${code}]`,
    observation === undefined || first.includes(observation) ? undefined : observation,
  ]
  const all = observation === undefined ? others : [observation, ...others]
  return [
    ...wrapped(head.filter((part) => part !== undefined).join(' '), '', '  ', context),
    ...(details === undefined || details.length < 2 ? rest : details).map((line) => `  ${line}`),
    ...(others.length === 0 ? [] : labelled('also', alsoText(all), context)),
    ...(why === undefined ? [] : labelled('why', why, context)),
    ...(last === undefined ? [] : labelled('last', lastText(last), context)),
    ...labelled('fix', hint, context),
    ...(command === undefined ? [] : [`${' '.repeat(LABEL_COLUMNS)}${command}`]),
    ...(kept === undefined ? [] : labelled('kept', kept, context)),
    ...(logs === undefined ? [] : [`  logs  ${logs}`]),
  ]
}

/** The first line of a message, its other lines, and what led to it: of a message too long for a line, its last clauses. */
function parted(
  { message, why, code }: Problem,
  context: ProblemContext,
): { first: string; rest: string[]; why?: string } {
  const [first = '', ...rest] = message.split('\n')
  const length = first.length + code.length + (context.subject?.length ?? 0) + (context.observation?.length ?? 0)
  const clause = first.indexOf('; ')
  if (why !== undefined) return { first, rest, why }
  if (clause < 0 || length + LABEL_COLUMNS < widthOf(context)) return { first, rest }
  return { first: first.slice(0, clause), rest, why: first.slice(clause + 2) }
}

/** `200 observations, such as a, b and c`. */
function alsoText(all: readonly string[]): string {
  const named = all.slice(0, EXAMPLES).join(', ')
  return all.length <= EXAMPLES ? named : `${count(all.length, 'observation')} in all, such as ${named}`
}

function lastText({ phase, progress, memoryBytes, memoryLimitBytes, said }: LastWords): string {
  const parts = [
    phase === undefined ? undefined : `phase ${phase}`,
    progress === undefined ? undefined : `${progress.done} of ${progress.total} ${progress.unit}`,
    memoryBytes === undefined ? undefined : `memory ${amountOf(memoryBytes, memoryLimitBytes)}`,
    said === undefined ? undefined : `log: ${said}`,
  ]
  return parts.filter((part) => part !== undefined).join(', ')
}

function labelled(label: string, text: string, context: { columns?: number }): string[] {
  if (text === '') return []
  return text
    .split('\n')
    .flatMap((line, index) =>
      wrapped(line, `  ${(index === 0 ? label : '').padEnd(LABEL_COLUMNS - 2)}`, ' '.repeat(LABEL_COLUMNS), context),
    )
}

/** Breaks a text between words; a word that is longer than the width, such as a path, stays whole. */
function wrapped(text: string, first: string, next: string, context: { columns?: number }): string[] {
  const width = widthOf(context)
  const lines: string[] = []
  let line = first
  let empty = true
  for (const word of text.split(' ')) {
    if (!empty && line.length + 1 + word.length > width) {
      lines.push(line)
      line = next
      empty = true
    }
    line += empty ? word : ` ${word}`
    empty = false
  }
  return [...lines, line]
}

function widthOf({ columns }: { columns?: number }): number {
  return columns === undefined ? Number.POSITIVE_INFINITY : Math.min(columns - 1, MOST_COLUMNS)
}
