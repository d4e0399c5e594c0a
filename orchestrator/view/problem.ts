import type { Problem } from '../pipeline/problem.ts'
import { glyph, type Style } from './format.ts'

interface ProblemContext {
  /** `skipped` for what was left out and did not fail. */
  mark?: 'failed' | 'skipped'
  /** What failed: `imaging`, `input`. */
  subject?: string
  observation?: string
  /** What remains usable. */
  kept?: string
  /** Where more can be read. */
  logs?: string
}

/** A problem in the one voice of all messages: what and its code, why, fix, what is kept, where the logs are. */
export function problemLines({ code, message, hint, details }: Problem, context: ProblemContext & Style): string[] {
  const { mark = 'failed', subject, observation, kept, logs } = context
  const head = [
    glyph(mark, context),
    subject === undefined ? undefined : `${subject}:`,
    firstLine(message),
    `[${code}]`,
    observation,
  ]
  const rest = message.split('\n').slice(1)
  const lines = [head.filter((part) => part !== undefined).join(' ')]
  for (const line of details === undefined || details.length < 2 ? rest : details) lines.push(`  ${line}`)
  if (hint !== undefined) lines.push(`  fix   ${hint}`)
  if (kept !== undefined) lines.push(`  kept  ${kept}`)
  if (logs !== undefined) lines.push(`  logs  ${logs}`)
  return lines
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? ''
}
