import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync, existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { TestContext } from 'node:test'
import { runCli } from '../../orchestrator/cli/program.ts'
import type { RunDocument } from '../../orchestrator/view/document.ts'
import type { Scan } from '../../stages/conversion/contract.ts'
import type { Act } from '../fixtures/stages/scripted.ts'

/** Halves the start of every stage; `contimg` itself uses the same. */
const compileCache = fileURLToPath(new URL('../../node_modules/.cache/contimg', import.meta.url))
const fixtures = fileURLToPath(new URL('../fixtures', import.meta.url))

/** Scripted stages and a stand-in for WSClean: what the orchestrator does can be seen without any science. */
const scriptedStages = join(fixtures, 'stages')

interface CliResult {
  exitCode: number
  out: string
  err: string
}

export interface Workbench {
  folder: string
  input: string
  root: string
  /** Writes the input folder: a scan and files of the promised sizes. */
  give(scan: Partial<Scan>): void
  script(acts: Record<string, Act>): void
  cli(...argv: string[]): Promise<CliResult>
  /** The same at a terminal, where a person answers every question so. */
  answering(answer: string, ...argv: string[]): Promise<CliResult & { questions: string[] }>
  /** The same, stopped as by a signal when `when` matches what it says on standard error. */
  interrupted(when: RegExp, code: number, ...argv: string[]): Promise<CliResult>
  run(...argv: string[]): Promise<CliResult & { document: RunDocument }>
  /** What the scripted stages were asked to do, in order. */
  played(): {
    stage: string
    observation: string
    params: Record<string, unknown>
    inputs: Record<string, number | null>
    upstream: Record<string, unknown>
  }[]
}

/** A temporary data root and input folder, and the command line on them, in this process. */
export function workbench(t: TestContext): Workbench {
  const folder = mkdtempSync(join(tmpdir(), 'contimg-orchestrator-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const [input, root] = [join(folder, 'incoming'), join(folder, 'root')]
  process.env['PATH'] = `${join(fixtures, 'bin')}:${process.env['PATH']}`
  process.env['NODE_COMPILE_CACHE'] ??= compileCache
  const start = async (
    argv: string[],
    signal: AbortSignal,
    hear: (text: string) => void,
    ask?: (question: string) => Promise<string>,
  ): Promise<CliResult> => {
    let out = ''
    let err = ''
    const exitCode = await runCli(argv, {
      env: { CONTIMG_ROOT: root },
      cwd: folder,
      out: (text) => (out += text),
      err(text) {
        err += text
        hear(text)
      },
      ask,
      now: () => new Date(),
      random: Math.random,
      signal,
      stagesDir: scriptedStages,
    })
    return { exitCode, out, err }
  }
  const cli = (...argv: string[]): Promise<CliResult> => start(argv, new AbortController().signal, () => undefined)
  return {
    folder,
    input,
    root,
    cli,
    give: (scan) => writeInput(input, scan),
    script(acts) {
      mkdirSync(root, { recursive: true })
      writeFileSync(join(root, 'script.json'), JSON.stringify(acts))
    },
    async answering(answer, ...argv) {
      const questions: string[] = []
      const ask = (question: string): Promise<string> => {
        questions.push(question)
        return Promise.resolve(answer)
      }
      const end = await start(argv, new AbortController().signal, () => undefined, ask)
      return { ...end, questions }
    },
    interrupted(when, code, ...argv) {
      const controller = new AbortController()
      return start(argv, controller.signal, (text) => {
        if (when.test(text)) controller.abort(code)
      })
    },
    async run(...argv) {
      const result = await cli('run', '--input', input, '-o', 'json', ...argv)
      return { ...result, document: JSON.parse(result.out) as RunDocument }
    },
    played() {
      const path = join(root, 'played.ndjson')
      if (!existsSync(path)) return []
      return readFileSync(path, 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as ReturnType<Workbench['played']>[number])
    },
  }
}

/** An input folder for the scripted stages: a scan and files of the promised sizes. */
export function writeInput(input: string, scan: Partial<Scan>): void {
  mkdirSync(input, { recursive: true })
  writeFileSync(join(input, 'scan.json'), JSON.stringify(fullScan(scan)))
  writeFileSync(join(input, 'always.hdf5'), '')
  for (const { path, bytes } of scan.observations?.flatMap(({ files }) => files) ?? [])
    writeFileSync(join(input, path), 'x'.repeat(bytes))
}

function fullScan(scan: Partial<Scan>): Scan {
  const observations = scan.observations ?? []
  return {
    apiVersion: 'contimg/v1',
    input: '',
    files: observations.reduce((sum, { files }) => sum + files.length, scan.faults?.length ?? 0),
    observations,
    faults: [],
    warnings: [],
    ...scan,
  }
}

type ScanObservation = Scan['observations'][number]

/** An observation as a scan shows it, with all 16 subbands and, unless told otherwise, 3C286 in its beam. */
export function observation(id: string, changes: Partial<ScanObservation> & { hour?: number } = {}): ScanObservation {
  const { hour = 0, ...rest } = changes
  const subbands = rest.subbands ?? Array.from({ length: 16 }, (_, index) => index)
  return {
    id,
    startMjdUtc: 61065 + hour / 24,
    decOfDateRad: 0.53,
    centre: { raDeg: 200, decDeg: 30.5 },
    shape: {
      antennas: 96,
      baselines: 4656,
      integrations: 24,
      subbands: subbands.length,
      channelsPerSubband: 48,
      polarizations: 2,
    },
    subbands,
    files: subbands.map((subband) => ({
      path: `${id}_sb${String(subband).padStart(2, '0')}.hdf5`,
      bytes: 3,
      mtimeMs: 0,
      fingerprint: fingerprintOf(`${id} ${subband}`),
      subband,
    })),
    faults: [],
    warnings: [],
    calibrators: [calibrator('3C286')],
    ...rest,
  }
}

export function calibrator(
  name: string,
  changes: Partial<ScanObservation['calibrators'][number]> = {},
): ScanObservation['calibrators'][number] {
  return {
    name,
    meanBeam: 0.95,
    apparentFluxJy: 14,
    rule: 3,
    separationDeg: 0.1,
    fluxAnchor: 'perley-butler-2017',
    ...changes,
  }
}

function fingerprintOf(text: string): string {
  return Buffer.from(text).toString('hex').padEnd(64, '0').slice(0, 64)
}
