import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { foldEvents } from '../../orchestrator/pipeline/state.ts'
import { metrics } from '../../orchestrator/metrics/names.ts'
import { runMetrics } from '../../orchestrator/metrics/registry.ts'
import { observation, workbench } from './workbench.ts'

const id = '20260125T222605'

test('a run leaves its numbers for a textfile collector', async (t) => {
  const bench = workbench(t)
  bench.give({ observations: [observation(id)] })
  const { document } = await bench.run('--name', 'one')
  const text = readFileSync(join(bench.root, 'runs/one/metrics.prom'), 'utf8')
  for (const step of document.observations[0]?.steps ?? []) {
    const labels = `{stage="${step.stage}",observation="${id}"}`
    assert.ok(text.includes(`contimg_step_wall_seconds${labels} ${step.usage?.wallSeconds}\n`), text)
    assert.ok(text.includes(`contimg_step_peak_memory_bytes${labels} ${step.usage?.peakMemoryBytes}\n`), text)
  }
  assert.match(text, /^contimg_observations\{verdict="good"\} 1$/m)
  assert.match(text, /^contimg_steps\{status="done"\} 4$/m)
  for (const { name } of Object.values(metrics)) assert.match(text, new RegExp(`^# TYPE ${name} gauge$`, 'm'))

  await bench.run('--name', 'two')
  const reused = readFileSync(join(bench.root, 'runs/two/metrics.prom'), 'utf8')
  assert.match(reused, /^contimg_steps\{status="cached"\} 4$/m)
  assert.doesNotMatch(reused, /^contimg_step_wall_seconds\{/m)
})

test('costs of a stage that ran twice on an observation add up, its peak is the larger one', async () => {
  const finished = (key: string, cost: number) => ({
    at: '2026-01-25T22:26:05Z',
    type: 'step.finished' as const,
    step: { observation: id, stage: 'calibration' as const, key },
    product: 'p',
    outputs: {},
    metrics: {},
    quality: { verdict: 'good' as const, checks: [] },
    usage: {
      wallSeconds: cost,
      cpuSeconds: cost,
      peakMemoryBytes: cost,
      peakScratchBytes: 0,
      readBytes: cost,
      writtenBytes: cost,
      phases: [],
    },
    warnings: [],
  })
  const text = await runMetrics(foldEvents([finished('a', 3), finished('b', 5)]))
  const labels = `{stage="calibration",observation="${id}"}`
  for (const name of ['wall_seconds', 'cpu_seconds', 'read_bytes', 'written_bytes'])
    assert.ok(text.includes(`contimg_step_${name}${labels} 8\n`), name)
  assert.ok(text.includes(`contimg_step_peak_memory_bytes${labels} 5\n`))
})
