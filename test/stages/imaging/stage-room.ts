import { spawn } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { stageResultSchema, type StageResult } from '#runtime/stage/contract.ts'

const main = fileURLToPath(new URL('../../../stages/imaging/main.ts', import.meta.url))
const key = 'c0ffee01'.repeat(8)

/** A data root that is gone after the test. */
export function dataRoot(t: TestContext): string {
  const root = mkdtempSync(join(tmpdir(), 'contimg-imaging-'))
  t.after(() => rmSync(root, { recursive: true, force: true }))
  return root
}

export interface Ended {
  exitCode: number | null
  /** The error of the log, when it failed. */
  error: { code: string; message: string; hint?: string } | undefined
  result: StageResult
  productDir: string
  /** Names left in the root's products and scratch folders. */
  left: string[]
}

/** Runs the stage as a process on `<root>/calibrated`, the way an executor does. */
export async function runImaging(
  root: string,
  {
    params = {},
    cpu = 2,
    path = process.env['PATH'] ?? '',
    product = 'imaging',
  }: { params?: object; cpu?: number; path?: string; product?: string } = {},
): Promise<Ended> {
  const productDir = `products/${product}`
  const context = {
    apiVersion: 'contimg/v1',
    run: 'test',
    observation: '20260301T000000',
    stage: 'imaging',
    key,
    attempt: { number: 1, uid: 'test' },
    params: { sizePixels: 768, cellArcsec: 8, ...params },
    inputs: { calibrated: { path: 'calibrated', bytes: 1, kind: 'measurement-sets' } },
    upstream: {},
    productDir,
    scratchDir: 'scratch',
    resources: { cpu, memoryBytes: 2e9, scratchBytes: 2e9 },
  }
  writeFileSync(join(root, 'context.json'), JSON.stringify(context))
  const child = spawn(process.execPath, [main, '--context', 'context.json'], {
    cwd: root,
    env: { ...process.env, PATH: path },
  })
  let out = ''
  child.stdout.on('data', (text: Buffer) => (out += text.toString()))
  const exitCode = await new Promise<number | null>((resolve) => child.on('close', resolve))
  const errors = out
    .split('\n')
    .filter((line) => line.startsWith('{"type":"error"'))
    .map((line) => (JSON.parse(line) as { error: NonNullable<Ended['error']> }).error)
  const result = join(root, productDir, 'result.json')
  return {
    exitCode,
    error: errors[0],
    result:
      exitCode === 0
        ? stageResultSchema.parse(JSON.parse(readFileSync(result, 'utf8')))
        : (undefined as unknown as StageResult),
    productDir: join(root, productDir),
    left: ['products', 'scratch'].flatMap((name) => readdirSync(join(root, name))),
  }
}

/** A folder to put first on PATH, with a script in place of WSClean. */
export function fakeWsclean(root: string, script: string): string {
  const folder = join(root, 'bin')
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'wsclean'), `#!/bin/sh\n${script}\n`)
  chmodSync(join(folder, 'wsclean'), 0o755)
  return `${folder}:${process.env['PATH']}`
}
