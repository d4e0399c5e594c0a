/** Every metric that contimg exposes: its name, what it measures, and its labels. */
export const metrics = {
  wallSeconds: {
    name: 'contimg_step_wall_seconds',
    help: 'Wall time of the step, s',
    labelNames: ['stage', 'observation'],
  },
  cpuSeconds: {
    name: 'contimg_step_cpu_seconds',
    help: 'CPU time of the step with its child processes, s',
    labelNames: ['stage', 'observation'],
  },
  peakMemoryBytes: {
    name: 'contimg_step_peak_memory_bytes',
    help: 'Peak resident memory of the step, summed over its processes',
    labelNames: ['stage', 'observation'],
  },
  readBytes: {
    name: 'contimg_step_read_bytes',
    help: 'Bytes that the step read',
    labelNames: ['stage', 'observation'],
  },
  writtenBytes: {
    name: 'contimg_step_written_bytes',
    help: 'Bytes that the step wrote',
    labelNames: ['stage', 'observation'],
  },
  observations: {
    name: 'contimg_observations',
    help: 'Observations of the run, by verdict',
    labelNames: ['verdict'],
  },
  steps: {
    name: 'contimg_steps',
    help: 'Steps of the run, by status',
    labelNames: ['status'],
  },
} as const

/** The part of a step's usage that has a metric each. */
export const usageMetrics = ['wallSeconds', 'cpuSeconds', 'peakMemoryBytes', 'readBytes', 'writtenBytes'] as const
