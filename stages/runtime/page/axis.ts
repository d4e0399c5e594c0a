export interface AxisSpec {
  label: string
  /** Lowest and highest value shown. */
  domain: readonly [number, number]
  log?: boolean
  /** Values grow to the left (right ascension). */
  reversed?: boolean
}

export interface Axis extends AxisSpec {
  /** Place of a value between 0 and 1. */
  place(value: number): number
  ticks: { value: number; text: string }[]
}

/** An axis with its scale and about `count` ticks at round values. */
export function makeAxis(spec: AxisSpec, count: number): Axis {
  const [low, high] = spec.domain
  const forward = spec.log === true ? Math.log10 : (value: number) => value
  const from = forward(low)
  const to = forward(high)
  const place = (value: number): number => {
    const fraction = (forward(value) - from) / (to - from)
    return spec.reversed === true ? 1 - fraction : fraction
  }
  const decades = spec.log === true ? logTicks(low, high, count) : []
  // A logarithmic axis of much less than a decade has ticks like a linear one.
  const values = decades.length >= 2 ? decades : linearTicks(low, high, count)
  return {
    ...spec,
    place,
    ticks: values.map((value) => ({
      value,
      text: tickText(value, decades.length >= 2 ? value : (high - low) / count),
    })),
  }
}

function linearTicks(low: number, high: number, count: number): number[] {
  const rough = (high - low) / count
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough * 0.999) ?? rough
  const first = Math.ceil(low / step - 1e-9)
  const last = Math.floor(high / step + 1e-9)
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, k) => (first + k) * step)
}

function logTicks(low: number, high: number, count: number): number[] {
  const decades = Math.log10(high / low)
  const factors = decades < 1.2 ? [1, 2, 3, 5, 7] : decades * 3 <= count ? [1, 2, 5] : [1]
  const ticks: number[] = []
  for (let exponent = Math.floor(Math.log10(low)); exponent <= Math.ceil(Math.log10(high)); exponent++) {
    for (const factor of factors) {
      const value = factor * 10 ** exponent
      if (value >= low * 0.999 && value <= high * 1.001) ticks.push(value)
    }
  }
  return ticks
}

function tickText(value: number, step: number): string {
  if (value === 0) return '0'
  const magnitude = Math.abs(value)
  if (magnitude >= 1e6 || magnitude < 1e-4) return value.toExponential(0).replace('e', ' e').replace('+', '')
  const digits = Math.max(0, Math.min(6, -Math.floor(Math.log10(Math.abs(step)) + 1e-9)))
  return value.toFixed(digits).replace('-', '\u2212')
}

/** A domain that holds all finite values with a margin; `fallback` when there are none. */
export function domainOf(
  values: readonly number[],
  options: { log?: boolean; margin?: number; include?: readonly number[]; fallback?: readonly [number, number] } = {},
): readonly [number, number] {
  const { log = false, margin = 0.06, include = [], fallback = log ? [1, 10] : [0, 1] } = options
  const kept = [...values, ...include].filter((value) => Number.isFinite(value) && (!log || value > 0))
  if (kept.length === 0) return fallback
  let low = Infinity
  let high = -Infinity
  for (const value of kept) {
    low = Math.min(low, value)
    high = Math.max(high, value)
  }
  if (log) {
    const span = Math.max(Math.log10(high / low), 0.2)
    return [low / 10 ** (span * margin), high * 10 ** (span * margin)]
  }
  const span = high - low || Math.abs(high) || 1
  return [low - span * margin, high + span * margin]
}
