import { randomUUID } from 'node:crypto'
import { readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { scanSchema, type Scan } from '../../../stages/conversion/contract.ts'
import type { RunConfig } from '../../pipeline/config.ts'
import { runSideDoor } from './side-door.ts'

interface ScanOptions {
  stagesDir: string
  expect: RunConfig['conversion']['expect']
  signal: AbortSignal
}

/** What a folder of raw files holds, as the conversion stage sees it. Throws ProblemError SCAN_FAILED or INTERRUPTED. */
export async function scanFolder(input: string, { stagesDir, expect, signal }: ScanOptions): Promise<Scan> {
  const out = join(tmpdir(), `contimg-scan-${randomUUID()}.json`)
  try {
    const args = ['--scan', input, '--out', out, '--expect', JSON.stringify(expect)]
    await runSideDoor('conversion', args, { stagesDir, signal, failure: 'SCAN_FAILED' })
    return scanSchema.parse(JSON.parse(await readFile(out, 'utf8')))
  } finally {
    await rm(out, { force: true })
  }
}
