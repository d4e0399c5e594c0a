import type { Command } from 'commander'
import { stringify } from 'yaml'
import { apiVersion } from '#runtime/stage/contract.ts'
import { ProblemError } from '../pipeline/problem.ts'
import { pickEntries, quarantineId } from '../pipeline/quarantine.ts'
import { listQuarantine, releaseQuarantine, type QuarantineItem } from '../runs/quarantine.ts'
import { quarantineDetails, quarantineLines } from '../view/quarantine.ts'
import { lines, type Io } from './io.ts'
import { dataRoot, withGlobalOptions, withHelp, type GlobalOptions } from './options.ts'

interface QuarantineOptions extends GlobalOptions {
  release: string[]
}

/** `contimg quarantine`: raw files that were set aside, why, and back again. */
export function addQuarantineCommand(program: Command, io: Io): void {
  const command = program
    .command('quarantine [id]')
    .description('raw files that were set aside, and why; all, or those of an observation or file')
    .option(
      '--release <id>',
      'put back: the next run judges the file anew; an observation, a file or observation/file; repeatable',
      (value: string, all: string[]) => [...all, value],
      [],
    )
  withHelp(withGlobalOptions(command, ['text', 'wide', 'json', 'yaml', 'name']), {
    notes:
      'Raw files are never moved: to be set aside is an entry under quarantine/ of the data root. It ends when the file is\nreplaced, removed, found in order by a later scan, or released.',
    examples: [
      ['contimg quarantine', 'what is set aside'],
      ['contimg quarantine -o name', 'the ids alone, for scripts'],
    ],
  }).action((id: string | undefined, options: QuarantineOptions) => quarantine(id, options, io))
}

async function quarantine(id: string | undefined, options: QuarantineOptions, io: Io): Promise<void> {
  const root = dataRoot(options, io)
  const all = await listQuarantine(root)
  if (options.release.length > 0)
    return release(
      options.release.flatMap((wanted) => meant(wanted, all)),
      options,
      io,
    )
  const entries = id === undefined ? all : meant(id, all)
  if (options.output === 'name') return lines(io.out, entries.map(quarantineId))
  const document = { apiVersion, entries: entries.map(documentOf) }
  if (options.output === 'json') io.out(`${JSON.stringify(document, null, 2)}\n`)
  else if (options.output === 'yaml') io.out(stringify(document))
  else if (entries.length === 0) io.err(`nothing is set aside under ${root}\n`)
  else if (id !== undefined) lines(io.out, entries.flatMap(quarantineDetails))
  else lines(io.out, quarantineLines(entries, { wide: options.output === 'wide' }))
}

async function release(entries: readonly QuarantineItem[], options: QuarantineOptions, io: Io): Promise<void> {
  for (const entry of entries) await releaseQuarantine(entry)
  if (options.output === 'name') return lines(io.out, entries.map(quarantineId))
  const document = { apiVersion, released: entries.map(documentOf) }
  if (options.output === 'json') io.out(`${JSON.stringify(document, null, 2)}\n`)
  else if (options.output === 'yaml') io.out(stringify(document))
  else {
    lines(io.out, [
      ...entries.map((entry) => `${quarantineId(entry)}  put back; the next run judges it anew`),
      ...(entries.length === 0 ? [] : [`next        contimg run --input ${entries[0]?.input}`]),
    ])
  }
}

/** Throws ProblemError QUARANTINE_UNKNOWN for what is not set aside or could be several observations. */
function meant(wanted: string, all: readonly QuarantineItem[]): QuarantineItem[] {
  const picked = pickEntries(wanted, all)
  if (picked.kind === 'one') return [picked.found]
  const found = picked.kind === 'several' ? picked.found : []
  const [first] = found
  if (first !== undefined && found.every(({ observation }) => observation === first.observation)) return [...found]
  throw new ProblemError(
    'QUARANTINE_UNKNOWN',
    found.length === 0
      ? `nothing called "${wanted}" is set aside`
      : `"${wanted}" could be ${found.map(quarantineId).slice(0, 5).join(', ')}`,
    { hint: 'contimg quarantine -o name lists what is' },
  )
}

function documentOf(item: QuarantineItem): Record<string, unknown> {
  const { observation, file, code, message, hint, stage, state, input, run, at, evidence } = item
  return { id: quarantineId(item), state, observation, file, code, message, hint, stage, input, run, at, evidence }
}
