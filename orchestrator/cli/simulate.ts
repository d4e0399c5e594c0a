import { mkdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { randomUUID } from 'node:crypto'
import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import { stringify } from 'yaml'
import { z } from 'zod'
import { apiVersion } from '#runtime/stage/contract.ts'
import { resolveParams, type SimulationParams } from '../../stages/simulation/contract.ts'
import { runSideDoor } from '../executors/local/side-door.ts'
import { parseSetting } from '../pipeline/config.ts'
import { ProblemError } from '../pipeline/problem.ts'
import { bytes, count } from '../view/format.ts'
import { lines, type Io } from './io.ts'
import { withGlobalOptions, type GlobalOptions } from './options.ts'

/** The configuration that `simulate` writes beside its files: what this observation consists of, and its catalogue. */
const CONFIG_FILE = 'contimg.yaml'

interface SimulateOptions extends GlobalOptions {
  out: string
  full?: boolean
  sources?: string
  gains?: boolean
  noise?: string
  seed?: string
  calibrator?: string
  set: string[]
}

const resultSchema = z.object({
  files: z.array(z.string()),
  bytes: z.number(),
  truth: z.string(),
  catalogue: z.string().optional(),
})

/** `contimg simulate`: a synthetic observation with its truth, a catalogue of it and a configuration that fits it. */
export function addSimulateCommand(program: Command, io: Io): void {
  const command = program
    .command('simulate')
    .description('write a synthetic observation, as the telescope would, with its truth and catalogue')
    .requiredOption('--out <dir>', 'folder to write to')
    .option('--full', 'the real size: 16 subbands of 48 channels, 24 integrations, 2.3 GB')
    .option(
      '--sources <n|file|json>',
      'number of random sources, or a JSON or CSV list (name, raDeg, decDeg, fluxJy, spectralIndex)',
    )
    .option('--calibrator <name|none>', 'calibrator that transits in the middle of the observation')
    .option('--gains', 'corrupt with random gains and bandpasses (the default)')
    .option('--no-gains', 'neither gains nor bandpasses')
    .option('--noise <sefdJy|none>', 'system equivalent flux density of an antenna, Jy')
    .option('--seed <n>', 'seed of everything random; the same seed gives the same bytes')
    .option(
      '--set <key=value>',
      'any other parameter of the simulation; repeatable',
      (value: string, all: string[]) => [...all, value],
      [],
    )
  withGlobalOptions(command, ['text', 'json'])
    .addHelpText('after', '\nExamples:\n  contimg simulate --out sky --seed 7\n  contimg run sky/contimg.yaml')
    .action((options: SimulateOptions) => simulate(options, io))
}

async function simulate(options: SimulateOptions, io: Io): Promise<void> {
  const out = resolve(io.cwd, options.out)
  const params = simulationParams(options, io)
  const paramsFile = join(tmpdir(), `contimg-simulation-${randomUUID()}.json`)
  try {
    await writeFile(paramsFile, JSON.stringify(params))
    const result = resultSchema.parse(
      await runSideDoor('simulation', ['--params', paramsFile, '--out', out], {
        stagesDir: io.stagesDir,
        signal: io.signal,
        failure: 'SIMULATION_FAILED',
        onProgress: options.quiet === true ? undefined : progressLine(io),
      }),
    )
    const config = join(out, CONFIG_FILE)
    await mkdir(out, { recursive: true })
    await writeFile(config, configText(params, result.catalogue))
    if (options.output === 'json') {
      const files = result.files.map((file) => join(out, file))
      const catalogue = result.catalogue === undefined ? null : join(out, result.catalogue)
      io.out(
        `${JSON.stringify({ apiVersion, out, files, bytes: result.bytes, truth: join(out, result.truth), catalogue, config }, null, 2)}\n`,
      )
      return
    }
    lines(io.out, [
      `${count(result.files.length, 'file')}, ${bytes(result.bytes)}, in ${out}`,
      `truth       ${join(out, result.truth)}`,
      ...(result.catalogue === undefined ? [] : [`catalogue   ${join(out, result.catalogue)}`]),
      `next        contimg run ${config}`,
    ])
  } finally {
    await rm(paramsFile, { force: true })
  }
}

function simulationParams(options: SimulateOptions, io: Io): SimulationParams {
  const given: Record<string, unknown> = { preset: options.full === true ? 'full' : 'demo' }
  if (options.sources !== undefined) given['sources'] = sourcesOf(options.sources, io)
  if (options.calibrator !== undefined) given['calibrator'] = options.calibrator === 'none' ? null : options.calibrator
  if (options.gains !== undefined) Object.assign(given, { gains: options.gains, bandpass: options.gains })
  if (options.noise !== undefined) given['sefdJy'] = /^(none|off|0)$/.test(options.noise) ? null : Number(options.noise)
  if (options.seed !== undefined) given['seed'] = Number(options.seed)
  for (const { path, value } of options.set.map(parseSetting)) given[path.join('.')] = value
  try {
    return resolveParams(given)
  } catch (error) {
    if (!(error instanceof z.ZodError)) throw error
    const details = error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`)
    throw new ProblemError('USAGE', details.length === 1 ? details.join() : 'these parameters do not fit', {
      details,
      hint: 'see contimg simulate --help',
    })
  }
}

function sourcesOf(text: string, { cwd }: Io): unknown {
  if (/^\d+$/.test(text)) return Number(text)
  if (!text.trimStart().startsWith('[')) return resolve(cwd, text)
  try {
    return JSON.parse(text)
  } catch {
    throw new ProblemError('USAGE', '--sources is no JSON list', {
      hint: 'for example --sources \'[{"raDeg": 10, "decDeg": 30, "fluxJy": 1}]\'',
    })
  }
}

function configText(
  { subbands, integrations, missingSubbands, calibrator }: SimulationParams,
  catalogue: string | undefined,
): string {
  const present = subbands.filter((subband) => !missingSubbands.includes(subband)).length
  const config = {
    input: '.',
    ...(catalogue === undefined ? {} : { catalogue: `./${catalogue}` }),
    ingest: { minSubbands: Math.min(present, 12) },
    conversion: { expect: { subbands: [...subbands].sort((a, b) => a - b), integrations } },
  }
  const remark =
    calibrator === null
      ? '# There is no calibrator in this observation: run it with --uncalibrated, or beside one that has.\n'
      : ''
  return `# Written by contimg simulate; paths are relative to this file.\n${remark}${stringify(config)}`
}

function progressLine(io: Io): (progress: { done: number; total: number; unit: string }) => void {
  let told = -1
  return ({ done, total, unit }) => {
    const quarter = Math.floor((4 * done) / Math.max(1, total))
    if (quarter === told) return
    told = quarter
    io.err(`writing ${done} of ${total} ${unit}\n`)
  }
}
