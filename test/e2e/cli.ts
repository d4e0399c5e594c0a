import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { TestContext } from 'node:test'
import type { RunDocument } from '../../orchestrator/view/document.ts'

const main = fileURLToPath(new URL('../../orchestrator/main.ts', import.meta.url))

export interface CliEnd {
  exitCode: number | null
  out: string
  err: string
}

export interface CliProcess {
  /** Resolves when standard error has matched. */
  said(pattern: RegExp): Promise<void>
  kill(signal: NodeJS.Signals): void
  pid: number
  ended: Promise<CliEnd>
}

/** `contimg` as a process of its own, with the real stages. */
export function startCli(
  argv: readonly string[],
  options: { cwd?: string; env?: Record<string, string> } = {},
): CliProcess {
  const child = spawn(process.execPath, [main, ...argv], {
    cwd: options.cwd,
    env: { ...process.env, CONTIMG_ROOT: '', CONTIMG_CATALOGUE: '', ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let [out, err] = ['', '']
  const waiting: { pattern: RegExp; resolve: () => void }[] = []
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text
    for (const { pattern, resolve } of waiting) if (pattern.test(err)) resolve()
  })
  const ended = new Promise<CliEnd>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (exitCode) => resolve({ exitCode, out, err }))
  })
  return {
    ended,
    pid: child.pid ?? 0,
    kill: (signal) => void child.kill(signal),
    said(pattern) {
      if (pattern.test(err)) return Promise.resolve()
      return Promise.race([
        new Promise<void>((resolve) => waiting.push({ pattern, resolve })),
        ended.then(() => Promise.reject(new Error(`it ended without saying ${pattern}:\n${err}`))),
      ])
    },
  }
}

export function cli(
  argv: readonly string[],
  options: { cwd?: string; env?: Record<string, string> } = {},
): Promise<CliEnd> {
  return startCli(argv, options).ended
}

/** `contimg run … -o json` with its document. */
export async function runJson(
  argv: readonly string[],
  options: { cwd?: string; env?: Record<string, string> } = {},
): Promise<CliEnd & { document: RunDocument }> {
  const end = await cli(['run', ...argv, '-o', 'json'], options)
  return { ...end, document: JSON.parse(end.out) as RunDocument }
}

/** A folder that is gone after the test. */
export function temporaryFolder(t: Pick<TestContext, 'after'>): string {
  const folder = mkdtempSync(join(tmpdir(), 'contimg-e2e-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}
