import { exec } from '#runtime/stage/exec.ts'

/** Asks another `contimg run` of this machine to end as cancelled; one that is gone already has nothing to do. */
export function askToEnd(pid: number): void {
  try {
    process.kill(pid, 'SIGUSR2')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** Opens a file in the program that the desktop uses for it. Throws StageError when there is none. */
export async function openInDesktop(path: string): Promise<void> {
  await exec(process.platform === 'darwin' ? 'open' : 'xdg-open', [path], { timeoutSeconds: 20 })
}
