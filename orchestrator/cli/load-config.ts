import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { parseConfig, parseSetting, type Override, type RunConfig } from '../pipeline/config.ts'
import { ProblemError } from '../pipeline/problem.ts'
import type { Io } from './io.ts'

/** Flags of `run` that are shorthand for a key of the configuration. */
export interface ConfigFlags {
  input?: string
  root?: string
  catalogue?: string
  stationTable?: string
  name?: string
  observations?: string
  uncalibrated?: boolean
  set?: string[]
}

/** The configuration of a command: flag beats environment beats file beats default. Throws ProblemError CONFIG_*. */
export async function loadConfig(
  file: string | undefined,
  flags: ConfigFlags,
  { env, cwd }: Pick<Io, 'env' | 'cwd'>,
): Promise<RunConfig> {
  const path = file === undefined ? undefined : resolve(cwd, file)
  return parseConfig({
    ...(file === undefined || path === undefined ? {} : { file: { path: file, text: await readConfig(path, file) } }),
    overrides: [...environmentOverrides(env), ...(flags.set ?? []).map(parseSetting), ...flagOverrides(flags)],
    resolvePath: (relative, base) => resolve(base === 'file' && path !== undefined ? dirname(path) : cwd, relative),
  })
}

async function readConfig(path: string, shown: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    throw new ProblemError(
      'CONFIG_UNREADABLE',
      `cannot read the configuration ${shown} (${(cause as NodeJS.ErrnoException).code})`,
      {
        hint: 'give the path of a YAML file, or none and --input DIR',
        cause,
      },
    )
  }
}

function environmentOverrides(env: Io['env']): Override[] {
  const keys = [
    ['CONTIMG_ROOT', 'root'],
    ['CONTIMG_CATALOGUE', 'catalogue'],
  ] as const
  return keys.flatMap(([variable, key]) => {
    const value = env[variable]
    return value === undefined || value === '' ? [] : [{ path: [key], value, origin: `${variable}=${value}` }]
  })
}

function flagOverrides({
  input,
  root,
  catalogue,
  stationTable,
  name,
  observations,
  uncalibrated,
}: ConfigFlags): Override[] {
  const overrides: Override[] = []
  for (const [key, value] of Object.entries({ input, root, catalogue, name })) {
    if (value !== undefined) overrides.push({ path: [key], value, origin: `--${key} ${value}` })
  }
  if (stationTable !== undefined)
    overrides.push({ path: ['stationTable'], value: stationTable, origin: `--station-table ${stationTable}` })
  if (observations !== undefined) {
    overrides.push({
      path: ['observations'],
      value: observations.split(',').map((id) => id.trim()),
      origin: `--observations ${observations}`,
    })
  }
  if (uncalibrated === true) overrides.push({ path: ['calibration', 'mode'], value: 'none', origin: '--uncalibrated' })
  return overrides
}
