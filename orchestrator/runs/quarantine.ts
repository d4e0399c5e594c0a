import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { apiVersion } from '#runtime/stage/contract.ts'
import { writeFileAtomic } from '#runtime/stage/files.ts'
import type { QuarantineEntry } from '../pipeline/admission.ts'

/**
 * Records that raw data were set aside, with the reason: one small file per observation and raw file, under `quarantine/`
 * of the data root. The raw files themselves are never touched.
 */
export async function recordQuarantine(
  root: string,
  entry: QuarantineEntry,
  { run, input, at }: { run: string; input: string; at: string },
): Promise<string> {
  const folder = join(root, 'quarantine', safeName(entry.observation))
  await mkdir(folder, { recursive: true })
  const path = join(folder, `${safeName(entry.file)}.json`)
  await writeFileAtomic(path, `${JSON.stringify({ apiVersion, ...entry, input, run, at }, null, 2)}\n`)
  return path
}

/** A file name that cannot leave its folder, whatever a raw file is called. */
function safeName(text: string): string {
  const name = text
    .replace(/[^A-Za-z0-9._:-]+/g, '_')
    .replace(/^\.+/, '_')
    .slice(0, 120)
  return name === '' ? '_' : name
}
