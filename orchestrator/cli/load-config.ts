import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { parseConfig, parseSetting, type ConfigInput, type Override, type RunConfig } from '../pipeline/config.ts'
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
  from?: string
  until?: string
  only?: string
  set?: string[]
}

/** The configuration of a command: flag beats environment beats file beats default. Throws ProblemError CONFIG_*. */
export async function loadConfig(
  file: string | undefined,
  flags: ConfigFlags,
  io: Pick<Io, 'env' | 'cwd'>,
): Promise<RunConfig> {
  return parseConfig(await readConfigSources(file, flags, io))
}

/** What a configuration is made of, before it is checked. Throws ProblemError CONFIG_UNREADABLE, USAGE. */
export async function readConfigSources(
  file: string | undefined,
  flags: ConfigFlags,
  { env, cwd }: Pick<Io, 'env' | 'cwd'>,
): Promise<ConfigInput> {
  const path = file === undefined ? undefined : resolve(cwd, file)
  return {
    ...(file === undefined || path === undefined ? {} : { file: { path: file, text: await readConfig(path, file) } }),
    overrides: [...environmentOverrides(env), ...(flags.set ?? []).map(parseSetting), ...flagOverrides(flags)],
    resolvePath: (relative, base) => resolve(base === 'file' && path !== undefined ? dirname(path) : cwd, relative),
  }
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

export function flagOverrides({
  input,
  root,
  catalogue,
  stationTable,
  name,
  observations,
  uncalibrated,
  from,
  until,
  only,
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
  for (const [flag, value, keys] of [
    ['--only', only, ['from', 'until']],
    ['--from', from, ['from']],
    ['--until', until, ['until']],
  ] as const) {
    if (value === undefined) continue
    for (const key of keys) overrides.push({ path: ['execution', key], value, origin: `${flag} ${value}` })
  }
  if (uncalibrated === true) overrides.push({ path: ['calibration', 'mode'], value: 'none', origin: '--uncalibrated' })
  return overrides
}
