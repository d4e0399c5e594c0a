import { readFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { z } from 'zod'
import { errorData, StageError, toStageError } from '#runtime/stage/errors.ts'
import { resolveParams, type SimulationParams } from './contract.ts'
import { simulateObservation } from './run.ts'

/**
 * The simulator's door: `--params <json file> --out DIR [--cpu N]`. Progress, the result and an error go to standard
 * output as one line of JSON each; the exit code follows from the error's code.
 */
const { values } = parseArgs({
  options: { params: { type: 'string' }, out: { type: 'string' }, cpu: { type: 'string' } },
})
const controller = new AbortController()
for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => controller.abort())

try {
  if (values.out === undefined)
    throw new StageError('PARAMS_INVALID', 'usage: node stages/simulation/main.ts --out DIR [--params FILE] [--cpu N]')
  const params = await readParams(values.params)
  const cpu = Number(values.cpu ?? availableParallelism())
  if (!(cpu >= 1)) throw new StageError('PARAMS_INVALID', `--cpu must be a number from 1, not ${values.cpu}`)
  const result = await simulateObservation(params, values.out, {
    cpu,
    nowMs: Date.now,
    signal: controller.signal,
    progress: (progress) => say({ type: 'progress', ...progress }),
  })
  say({ type: 'result', out: values.out, ...result })
} catch (thrown) {
  const error = toStageError(thrown)
  say({ type: 'error', ...errorData(error) })
  process.exitCode = error.exitCode
}

async function readParams(file: string | undefined): Promise<SimulationParams> {
  try {
    return resolveParams(file === undefined ? {} : JSON.parse(await readFile(file, 'utf8')))
  } catch (error) {
    if (error instanceof z.ZodError)
      throw new StageError('PARAMS_INVALID', `simulation parameters: ${z.prettifyError(error)}`)
    if (error instanceof SyntaxError) throw new StageError('PARAMS_INVALID', `${file} is not JSON: ${error.message}`)
    throw error
  }
}

function say(line: Record<string, unknown>): void {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}
