import { z } from 'zod'

/** Grades in order of severity for folding; `not run` is never a pass (nothing is fail-open). */
export const verdicts = ['good', 'uncertain', 'bad', 'not run'] as const
export const verdictSchema = z.enum(verdicts)
export type Verdict = z.infer<typeof verdictSchema>

export const checkSchema = z.strictObject({
  name: z.string(),
  verdict: verdictSchema,
  /** The measured statistic and its unit ('1' for ratios). Absent when the check could not run. */
  value: z.number().optional(),
  unit: z.string().optional(),
  /** 1-sigma error of the value, same unit. */
  error: z.number().optional(),
  /** Number of samples behind the value. */
  n: z.number().int().optional(),
  /** Human-readable limits of the grades, e.g. { good: '<= 0.10', uncertain: '<= 0.20' }. */
  limits: z.strictObject({ good: z.string(), uncertain: z.string().optional() }).optional(),
  /** One sentence for people: what was found, or why the check was not run. */
  message: z.string(),
  /** A gating check decides the verdict; the others lower a good verdict to uncertain at most. */
  gating: z.boolean().default(true),
  /** A bad blocking check makes the later steps of the observation `skipped`. */
  blocking: z.boolean().default(false),
})
export type Check = z.infer<typeof checkSchema>

export const qualitySchema = z.strictObject({ verdict: verdictSchema, checks: z.array(checkSchema) })
export type Quality = z.infer<typeof qualitySchema>

/**
 * Folds checks into a verdict: the worst gating grade; a gating check that was not run makes it at most uncertain;
 * a non-gating check that is uncertain or bad lowers good to uncertain; no checks at all is `not run`.
 */
export function foldVerdict(checks: readonly Check[]): Verdict {
  if (checks.length === 0) return 'not run'
  const gating = checks.filter((check) => check.gating)
  if (gating.some((check) => check.verdict === 'bad')) return 'bad'
  if (gating.some((check) => check.verdict !== 'good')) return 'uncertain'
  const others = checks.filter((check) => !check.gating)
  return others.some((check) => check.verdict === 'uncertain' || check.verdict === 'bad') ? 'uncertain' : 'good'
}

/** A quality of folded checks, ready for `result.json`. */
export function quality(checks: readonly Check[]): Quality {
  return { verdict: foldVerdict(checks), checks: [...checks] }
}
