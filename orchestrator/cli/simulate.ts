import { access, constants, mkdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { randomUUID } from 'node:crypto'
import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import { LineCounter, stringify } from 'yaml'
import { z } from 'zod'
import { apiVersion } from '#runtime/stage/contract.ts'
import {
  faultCatalogue,
  resolveParams,
  simulationParams,
  type SimulationParams,
} from '../../stages/simulation/contract.ts'
import { runSideDoor } from '../executors/local/side-door.ts'
import { describeIssue } from '../pipeline/config-issues.ts'
import { parseSetting, type Override } from '../pipeline/config.ts'
import { ProblemError } from '../pipeline/problem.ts'
import { bytes, count } from '../view/format.ts'
import { lines, type Io } from './io.ts'
import { withOutputOptions, type OutputOptions } from './options.ts'

/** The configuration that `simulate` writes beside its files: what this observation consists of, and its catalogue. */
const CONFIG_FILE = 'contimg.yaml'

const CATALOGUE_FOLDER = 'catalogue'

interface SimulateOptions extends OutputOptions {
  out: string
  full?: boolean
  sources?: string
  gains?: boolean
  noise?: string
  seed?: string
  calibrator?: string
  fault: string[]
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
      '--fault <name[:parameter=value,...]>',
      'something wrong with the files, from the list below; repeatable',
      (value: string, all: string[]) => [...all, value],
      [],
    )
    .option(
      '--set <key=value>',
      'any other parameter of the simulation; repeatable',
      (value: string, all: string[]) => [...all, value],
      [],
    )
  withOutputOptions(command, ['text', 'json'])
    .addHelpText('after', helpText())
    .action((options: SimulateOptions) => simulate(options, io))
}

const WIDEST_LINE = 100

/** The catalogue of faults, and examples. */
function helpText(): string {
  const width = Math.max(...faultCatalogue.map(({ name }) => name.length))
  const faults = faultCatalogue.flatMap(({ name, help, params }) =>
    wrapped(`${help} (${params.join(', ')})`, WIDEST_LINE - width - 4).map(
      (line, index) => `  ${(index === 0 ? name : '').padEnd(width)}  ${line}`,
    ),
  )
  return [
    '',
    'Faults, with their parameters; lists are joined by +, ranges by -:',
    ...faults,
    '',
    'Examples:',
    '  contimg simulate --out sky --seed 7',
    '  contimg run sky/contimg.yaml',
    '  contimg simulate --out bad --fault missing:subbands=0+3 --fault samples:value=nan,antennas=24',
  ].join('\n')
}

function wrapped(text: string, width: number): string[] {
  return text.split(' ').reduce<string[]>((lines, word) => {
    const last = lines.at(-1)
    if (last === undefined || last.length + 1 + word.length > width) return [...lines, word]
    return [...lines.slice(0, -1), `${last} ${word}`]
  }, [])
}

async function simulate(options: SimulateOptions, io: Io): Promise<void> {
  const out = resolve(io.cwd, options.out)
  const params = paramsOf(flagsOf(options, io))
  await checkSourceFile(params)
  const config = join(out, CONFIG_FILE)
  const writeConfig = async (): Promise<void> => {
    await mkdir(out, { recursive: true })
    await writeFile(config, configText(params))
  }
  let early: Promise<void> | undefined
  const tell = options.quiet === true ? undefined : progressLine(io)
  const paramsFile = join(tmpdir(), `contimg-simulation-${randomUUID()}.json`)
  try {
    await writeFile(paramsFile, JSON.stringify(params))
    const result = resultSchema.parse(
      await runSideDoor('simulation', ['--params', paramsFile, '--out', out], {
        stagesDir: io.stagesDir,
        signal: io.signal,
        failure: 'SIMULATION_FAILED',
        reported: { PARAMS_INVALID: 'USAGE', OUTPUT_EXISTS: 'OUTPUT_EXISTS', DISK_FULL: 'DISK_FULL' },
        onProgress(progress) {
          // Only what comes late is still to come: one may run already what is there.
          if (progress.unit === 's') early ??= writeConfig()
          tell?.(progress)
        },
      }),
    )
    await (early ?? writeConfig())
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

/** Parameters that the flags set, the stronger last. */
function flagsOf({ full, sources, calibrator, gains, noise, seed, fault, set }: SimulateOptions, io: Io): Override[] {
  const flags: Override[] = []
  const give = (key: string, value: unknown, origin: string): number => flags.push({ path: [key], value, origin })
  if (full === true) give('preset', 'full', '--full')
  if (sources !== undefined) give('sources', sourcesOf(sources, io), `--sources ${sources}`)
  if (calibrator !== undefined)
    give('calibrator', calibrator === 'none' ? null : calibrator, `--calibrator ${calibrator}`)
  for (const key of gains === undefined ? [] : ['gains', 'bandpass']) give(key, gains, gains ? '--gains' : '--no-gains')
  if (noise !== undefined) give('sefdJy', /^(none|off|0)$/.test(noise) ? null : numberOf(noise), `--noise ${noise}`)
  if (seed !== undefined) give('seed', numberOf(seed), `--seed ${seed}`)
  if (fault.length > 0) give('faults', fault, '--fault')
  return [...flags, ...set.map(parseSetting)]
}

/** A number, or the text that is none, which the schema then names. */
function numberOf(text: string): number | string {
  return text.trim() === '' || Number.isNaN(Number(text)) ? text : Number(text)
}

/** The parameters of a simulation. Throws ProblemError USAGE with every finding. */
function paramsOf(flags: readonly Override[]): SimulationParams {
  const given = Object.fromEntries(flags.map(({ path, value }) => [path.join('.'), value]))
  try {
    return resolveParams(given)
  } catch (error) {
    if (!(error instanceof z.ZodError)) throw error
    const origin = { file: undefined, document: undefined, lineCounter: new LineCounter(), overrides: flags }
    const details = error.issues
      .flatMap((issue) => describeIssue(issue, { schema: simulationParams, value: given, origin }))
      .map(({ text }) => text)
    throw new ProblemError('USAGE', details.length === 1 ? details.join() : 'these parameters do not fit', {
      details,
      hint: 'see contimg simulate --help',
    })
  }
}

/** A list of sources that cannot be read is told before anything is written. Throws ProblemError INPUT_NOT_FOUND. */
async function checkSourceFile({ sources }: SimulationParams): Promise<void> {
  if (typeof sources !== 'string') return
  try {
    await access(sources, constants.R_OK)
  } catch (cause) {
    throw new ProblemError(
      'INPUT_NOT_FOUND',
      `cannot read the list of sources ${sources} (${(cause as NodeJS.ErrnoException).code})`,
      { hint: 'give a number, a JSON or CSV file, or a JSON list: see contimg simulate --help', cause },
    )
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

function configText({ subbands, integrations, missingSubbands, calibrator, catalogue }: SimulationParams): string {
  const present = subbands.filter((subband) => !missingSubbands.includes(subband)).length
  const config = {
    input: '.',
    ...(catalogue ? { catalogue: `./${CATALOGUE_FOLDER}` } : {}),
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
    io.err(
      unit === 's'
        ? `waiting, ${Math.round(done)} of ${Math.round(total)} s\n`
        : `writing ${done} of ${total} ${unit}\n`,
    )
  }
}
