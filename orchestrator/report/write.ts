import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parse } from 'yaml'
import { writeFileAtomic } from '#runtime/stage/files.ts'
import type { Scan } from '../../stages/conversion/contract.ts'
import { parseConfig } from '../pipeline/config.ts'
import type { RunState } from '../pipeline/state.ts'
import { readRunEvents } from '../runs/run-directory.ts'
import { buildReport, type RunReport } from './model.ts'
import { reportPage } from './page.ts'
import { traceTable } from './trace.ts'

/**
 * Writes what a run leaves for people and programs beside its event log: `report.html`, `report.json`, `trace.tsv`,
 * `metrics.prom`. Each is whole or the one before. Returns the path of the page.
 */
export async function writeRunReport(root: string, state: RunState): Promise<string> {
  const folder = join(root, 'runs', state.run)
  const config = await readConfig(folder)
  const scan = await readScan(folder)
  const report: RunReport = buildReport({
    root,
    state,
    events: await readRunEvents(root, state.run),
    gone: goneProducts(root, state),
    ...(config === undefined ? {} : { config }),
    ...(scan === undefined ? {} : { scan }),
  })
  await writeFileAtomic(join(folder, 'trace.tsv'), traceTable(report.attempts))
  await writeFileAtomic(join(folder, 'report.json'), `${JSON.stringify(report, null, 1)}\n`)
  // Loaded here, because it costs every other command its start.
  const { runMetrics } = await import('../metrics/registry.ts')
  await writeFileAtomic(join(folder, 'metrics.prom'), await runMetrics(state))
  const page = join(folder, 'report.html')
  await writeFileAtomic(page, reportPage(report))
  return page
}

function goneProducts(root: string, { observations }: RunState): Set<string> {
  const products = observations.flatMap(({ steps }) => steps.flatMap(({ product }) => product?.product ?? []))
  return new Set(products.filter((product) => !existsSync(join(root, product, 'result.json'))))
}

async function readConfig(folder: string): Promise<{ run: unknown; defaults: unknown } | undefined> {
  const text = await readText(join(folder, 'config.yaml'))
  if (text === undefined) return undefined
  try {
    return {
      run: parse(text, { logLevel: 'error' }) as unknown,
      defaults: parseConfig({ overrides: [], resolvePath: (path) => path }),
    }
  } catch {
    // It was edited into something that is no YAML: the report says that it cannot be read.
    return undefined
  }
}

/** What the session wrote; undefined where it is not that any more. */
async function readScan(folder: string): Promise<Scan | undefined> {
  const text = await readText(join(folder, 'scan.json'))
  if (text === undefined) return undefined
  try {
    const { scanSchema } = await import('../../stages/conversion/scan-schema.ts')
    return scanSchema.safeParse(JSON.parse(text)).data
  } catch {
    return undefined
  }
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
