import { Gauge, Registry } from 'prom-client'
import { verdicts } from '#runtime/stage/quality.ts'
import { statuses, type RunState } from '../pipeline/state.ts'
import { metrics, usageMetrics } from './names.ts'

/**
 * The numbers of a run in the text format of Prometheus, for a node exporter's textfile collector: usage of the steps that
 * ran (reused ones cost nothing), counts of observations by verdict and of steps by status.
 */
export function runMetrics(state: RunState): Promise<string> {
  const registry = new Registry()
  addUsage(registry, state)
  const observations = gauge(registry, 'observations')
  for (const verdict of verdicts) observations.set({ verdict }, 0)
  for (const { verdict } of state.observations) observations.inc({ verdict })
  const steps = gauge(registry, 'steps')
  for (const status of statuses) steps.set({ status }, 0)
  for (const { status } of state.observations.flatMap((observation) => observation.steps)) steps.inc({ status })
  return registry.metrics()
}

/** An observation that was planned again may have run a stage twice: costs add up, the peak is the larger one. */
function addUsage(registry: Registry, state: RunState): void {
  for (const name of usageMetrics) {
    const metric = gauge(registry, name)
    for (const { id, steps } of state.observations) {
      const costs = new Map<string, number[]>()
      for (const { stage, status, product } of steps)
        if (status === 'done' && product !== undefined)
          costs.set(stage, [...(costs.get(stage) ?? []), product.usage[name]])
      for (const [stage, values] of costs) {
        const value = name === 'peakMemoryBytes' ? Math.max(...values) : values.reduce((sum, cost) => sum + cost, 0)
        metric.set({ stage, observation: id }, value)
      }
    }
  }
}

function gauge(registry: Registry, metric: keyof typeof metrics): Gauge {
  const { name, help, labelNames } = metrics[metric]
  return new Gauge({ name, help, labelNames: [...labelNames], registers: [registry] })
}
