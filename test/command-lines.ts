// Command lines as they stand in help texts and pages, run in a folder where what they speak of exists.
import {
  copyFileSync,
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runCli } from '../orchestrator/cli/program.ts'
import type { Scan } from '../stages/conversion/contract.ts'
import { calibrator } from './orchestrator/workbench.ts'

const fixtures = fileURLToPath(new URL('fixtures', import.meta.url))
const realStages = fileURLToPath(new URL('../stages', import.meta.url))
const scriptedStages = join(fixtures, 'stages')

/** Commands that plan and run steps: what they do is seen without any science, by scripted stages. */
const scripted = new Set(['run', 'plan', 'resume'])
const observation = '20260125T222605'

/** Names that pages use for what everybody has another of. */
const standIns: readonly (readonly [string | RegExp, string])[] = [
  ['FILE…', 'DIR'],
  ['NAME@HASH', 'truth@0123456789ab'],
  ['racs-mid@<hash>', 'racs-mid'],
  [/2025012\dT\d{6}/g, observation],
]

/** A table of sources as VizieR gives that of RACS-mid. */
const racsMid = `#
RACS-MID1\tRAJ2000\tDEJ2000\tDEdegc\te_RAJ2000\te_DEJ2000\tFtot\tFpeak\tNoise\tMaj\tMin\tPA\tFlag
\tdeg\tdeg\tdeg\tarcsec\tarcsec\tmJy\tmJy\tmJy\tarcsec\tarcsec\tdeg\t
---\t---\t---\t---\t---\t---\t---\t---\t---\t---\t---\t---\t---
RACS-MID1_J000010.1+001020\t0.042083\t0.172200\t0.172300\t0.10\t0.12\t20.0\t19.0\t0.2\t11.5\t9.9\t80\t0
`

interface Ended {
  exitCode: number
  out: string
  err: string
}

/**
 * A folder with an observation of full shape but few antennas in `DIR`, the configuration `config.yaml`, tables of sources
 * to import, and a data root with the finished run `brave-quasar` and a catalogue.
 */
export async function prepareFolder(): Promise<string> {
  process.env['PATH'] = `${join(fixtures, 'bin')}:${process.env['PATH']}`
  process.env['NODE_COMPILE_CACHE'] ??= fileURLToPath(new URL('../node_modules/.cache/contimg', import.meta.url))
  const folder = mkdtempSync(join(tmpdir(), 'contimg-commands-'))
  const shape = ['antennas=12', 'channels=2', 'startUtc=2026-01-25T22:26:05Z', 'catalogue=false']
  const sets = shape.flatMap((text) => ['--set', text])
  await must(folder, [
    'simulate',
    '--out',
    'DIR',
    '--full',
    '--calibrator',
    'none',
    '--sources',
    '3',
    '--noise',
    'none',
    ...sets,
  ])
  rmSync(join(folder, 'DIR/contimg.yaml'))
  await describeInput(join(folder, 'DIR'))
  writeFileSync(join(folder, 'config.yaml'), 'input: DIR\nimaging:\n  preset: standard\n')
  writeFileSync(join(folder, 'mine.csv'), 'ra,dec,flux_mjy\n200.5,30.5,120\n201,30.7,80\n199.8,30.1,45\n')
  writeFileSync(join(folder, 'racs-mid.tsv'), racsMid)
  const catalogue = join(folder, 'contimg-data/catalogues/truth@0123456789ab')
  mkdirSync(catalogue, { recursive: true })
  const info = { name: 'truth', version: '1', hash12: '0123456789ab', sha256: 'c'.repeat(64), rows: 3, freqHz: 1.4e9 }
  writeFileSync(join(catalogue, 'catalogue.json'), JSON.stringify({ ...info, simulated: true }))
  await must(folder, ['run', 'config.yaml', '--name', 'brave-quasar'])
  for (const path of globSync('DIR/*_sb*.hdf5', { cwd: folder }))
    copyFileSync(join(folder, path), join(folder, path.slice(path.indexOf('sb'))))
  return folder
}

/** A copy of a prepared folder, for one line that may change what it finds. */
export function freshCopy(prepared: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'contimg-commands-'))
  cpSync(prepared, folder, { recursive: true, preserveTimestamps: true })
  return folder
}

/** Runs a line as a shell in the folder would; with `science` also runs by the real stages. */
export async function runLine(line: string, folder: string, { science = false } = {}): Promise<Ended> {
  const { argv, into } = parseLine(line, folder)
  const [command = ''] = argv
  // `simulate --out DIR` of a page makes the folder that is there already.
  const made = command === 'simulate' ? argv[argv.indexOf('--out') + 1] : undefined
  if (made === 'DIR') rmSync(join(folder, made), { recursive: true, force: true })
  const ended = await start(argv, folder, science)
  if (into !== undefined) writeFileSync(join(folder, into), ended.out)
  if (made !== undefined && !science && existsSync(join(folder, made))) await describeInput(join(folder, made))
  return ended
}

/** Words of a command line after `contimg`, with quotes, patterns, `#` comments and one `> file` taken as a shell does. */
export function parseLine(line: string, folder: string): { argv: string[]; into: string | undefined } {
  const known = standIns.reduce((text, [from, to]) => text.replaceAll(from, to), line)
  const words: { text: string; quoted: boolean }[] = []
  for (const [, single, double, plain] of known.replace(/\s#.*$/, '').matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g))
    words.push({ text: single ?? double ?? plain ?? '', quoted: plain === undefined })
  const start = words.findIndex(({ text }) => text === 'contimg') + 1
  const redirect = words.findIndex(({ text, quoted }) => text === '>' && !quoted)
  const end = redirect < 0 ? words.length : redirect
  const argv = words.slice(start, end).flatMap(({ text, quoted }) => {
    const found = quoted || !/[*?]/.test(text) ? [] : globSync(text, { cwd: folder }).sort()
    return found.length === 0 ? [text] : found
  })
  return { argv, into: redirect < 0 ? undefined : words[redirect + 1]?.text }
}

async function start(argv: readonly string[], folder: string, science: boolean): Promise<Ended> {
  let [out, err] = ['', '']
  const exitCode = await runCli(argv, {
    env: { LANG: 'C.UTF-8' },
    cwd: folder,
    out: (text) => (out += text),
    err: (text) => (err += text),
    now: () => new Date(),
    random: Math.random,
    signal: new AbortController().signal,
    stagesDir: scripted.has(argv[0] ?? '') && !science ? scriptedStages : realStages,
  })
  return { exitCode, out, err }
}

async function must(folder: string, argv: readonly string[]): Promise<void> {
  const { exitCode, err } = await start(argv, folder, false)
  if (exitCode !== 0) throw new Error(`contimg ${argv.join(' ')} ended with ${exitCode}:\n${err}`)
}

/** Leaves with raw files the scan of them that scripted stages answer with, a calibrator in its beam. */
async function describeInput(folder: string): Promise<void> {
  const { scanFolder } = await import('../orchestrator/executors/local/scan.ts')
  const scan: Scan = await scanFolder(folder, {
    stagesDir: realStages,
    expect: { subbands: Array.from({ length: 16 }, (_, index) => index), integrations: 24 },
    root: undefined,
    signal: new AbortController().signal,
  })
  const observations = scan.observations.map((found) => ({ ...found, calibrators: [calibrator('3C286')] }))
  writeFileSync(join(folder, 'scan.json'), JSON.stringify({ ...scan, observations }))
}

/** Command lines of the examples in a help text. */
export function examplesOf(help: string): string[] {
  const [, examples = ''] = help.split(/^Examples:$/m)
  const lines = examples.split('\n').slice(1)
  const end = lines.findIndex((line) => !/^ {2,}\S/.test(line))
  return lines
    .slice(0, end < 0 ? lines.length : end)
    .filter((line) => /^ {2}contimg /.test(line))
    .map((line) => line.trim().replace(/ {3,}.*$/, ''))
}

/** The part of the tutorial that speaks of other data than those it simulates. */
export const OWN_DATA = 'With your own data'

interface CommandBlock {
  /** The heading it stands under. */
  heading: string
  lines: string[]
}

const FIRST_WORD = /^(?:[A-Z_]+=\S+ )?(contimg|npx|npm|node|git|cp|sh|bash|source|sudo|apt-get|curl|rm|mv|cd)\b/

/** Blocks of commands in a page: indented or fenced, all of whose lines are commands. */
export function commandBlocks(page: string): CommandBlock[] {
  const blocks: CommandBlock[] = []
  let heading = ''
  let block: string[] = []
  let fence: string | undefined
  const close = (): void => {
    const [first] = block
    if (first !== undefined && FIRST_WORD.test(first)) blocks.push({ heading, lines: block })
    block = []
  }
  for (const line of readFileSync(resolve(page), 'utf8').split('\n')) {
    if (line.startsWith('```')) {
      close()
      fence = fence === undefined ? line.slice(3) : undefined
    } else if (fence !== undefined) {
      if (['', 'sh', 'bash'].includes(fence)) block.push(line)
    } else if (/^ {4}\S/.test(line)) block.push(line.trim())
    else {
      close()
      heading = /^#+ (.*)/.exec(line)?.[1] ?? heading
    }
  }
  close()
  return blocks
}
