import { randomUUID } from 'node:crypto'
import { readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { apiVersion } from '#runtime/stage/api-version.ts'
import type { Progress } from '#runtime/stage/contract.ts'
import { ownerName, thisOwner } from '#runtime/stage/owner.ts'
import type { Scan } from '../../../stages/conversion/scan-schema.ts'
import type { RunConfig } from '../../pipeline/config.ts'
import { ProblemError } from '../../pipeline/problem.ts'
import { runSideDoor } from './side-door.ts'

interface ScanOptions {
  stagesDir: string
  expect: RunConfig['conversion']['expect']
  /** Data root, where what is found in files is kept; undefined to look at all of them and to keep nothing. */
  root: string | undefined
  /** A station table to read too, so that a run does not start with one that is no such table. */
  stationTable?: string | undefined
  signal: AbortSignal
  onProgress?: ((progress: Progress) => void) | undefined
  /** Hears what is worth knowing and changes nothing of the result. */
  onNote?: ((message: string) => void) | undefined
}

/**
 * What a folder of raw files holds, as the conversion stage sees it.
 * Throws ProblemError INPUT_NOT_FOUND when there is no such folder, CONFIG_INVALID for a bad station table,
 * SCAN_FAILED or INTERRUPTED.
 */
export async function scanFolder(input: string, options: ScanOptions): Promise<Scan> {
  const { stagesDir, expect, root, stationTable, signal, onProgress, onNote } = options
  const out = join(tmpdir(), `contimg-scan-${randomUUID()}.${ownerName(thisOwner())}.json`)
  try {
    const args = ['--scan', input, '--out', out, '--expect', JSON.stringify(expect)]
    if (root !== undefined) args.push('--cache', join(root, 'cache', 'scan'))
    if (stationTable !== undefined) args.push(`--station-table=${stationTable}`)
    await runSideDoor('conversion', args, {
      stagesDir,
      signal,
      failure: 'SCAN_FAILED',
      reported: { INPUT_MISSING: 'INPUT_NOT_FOUND', PARAMS_INVALID: 'CONFIG_INVALID' },
      onProgress,
      onEvent(event) {
        if ('level' in event && typeof event['message'] === 'string') onNote?.(event['message'])
      },
    })
    // Made this moment by the stage of this checkout; loading its schema takes longer than a scan of known files.
    const scan = JSON.parse(await readFile(out, 'utf8')) as Scan
    const spoken: string = scan.apiVersion
    if (spoken !== apiVersion)
      throw new ProblemError('SCAN_FAILED', `the conversion stage speaks ${spoken}, not ${apiVersion}`)
    return scan
  } finally {
    await rm(out, { force: true })
  }
}
