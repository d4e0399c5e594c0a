import { readFile } from 'node:fs/promises'
import { availableParallelism, freemem } from 'node:os'
import { exec } from '#runtime/stage/exec.ts'
import { StageError } from '#runtime/stage/errors.ts'
import { readGroupMemory } from '#runtime/stage/memory.ts'
import { ProblemError } from '../../pipeline/problem.ts'
import type { Machine } from '../../pipeline/resources.ts'

/** Cores and free memory of this machine, or of the control group that holds this process where that is less. */
export async function readMachine(): Promise<Machine> {
  const group = await readGroupMemory()
  const free = Number(/^MemAvailable:\s+(\d+) kB/m.exec(await readText('/proc/meminfo'))?.[1] ?? Number.NaN) * 1024
  const available = Number.isFinite(free) ? free : freemem()
  return {
    cores: availableParallelism(),
    availableMemoryBytes:
      group === undefined ? available : Math.max(0, Math.min(available, group.limitBytes - group.usedBytes)),
  }
}

/** The version of the WSClean on PATH. Throws ProblemError WSCLEAN_MISSING. */
export async function wscleanVersion(): Promise<string> {
  const hint = 'install it (Debian, Ubuntu: apt-get install wsclean) and make sure that `wsclean -version` works'
  try {
    const { stdout, stderr } = await exec('wsclean', ['-version'], {
      env: { OPENBLAS_NUM_THREADS: '1' },
      timeoutSeconds: 30,
    })
    const version = /WSClean version (\d[\w.-]*)/i.exec(`${stdout}\n${stderr}`)?.[1]
    if (version === undefined)
      throw new ProblemError('WSCLEAN_MISSING', '`wsclean -version` does not say its version', { hint })
    return version
  } catch (error) {
    if (!(error instanceof StageError)) throw error
    const missing = (error.cause as { systemCode?: string } | undefined)?.systemCode === 'ENOENT'
    throw new ProblemError(
      'WSCLEAN_MISSING',
      missing ? 'WSClean is not on PATH; the imaging stage needs it' : error.message,
      { hint, cause: error },
    )
  }
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch {
    // Not Linux, or no control group: the caller has its fallback.
    return ''
  }
}
