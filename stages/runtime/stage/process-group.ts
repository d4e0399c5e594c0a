/** Waits for the end of its standard input, then ends its process group. */
const TIED = `exec 3<&0 </dev/null
{
  trap '' TERM INT HUP
  read -r _ <&3
  kill -TERM 0
  n=0
  while kill -0 $$ && [ $n -lt 30 ]; do sleep 0.1; n=$((n + 1)); done
  kill -KILL 0
} >/dev/null 2>&1 &
exec "$@" 3<&-`

/**
 * A command line that does the same, to be started as the leader of a process group (`detached`) and with a pipe as standard input that
 * is never written to: a second process of the group waits for the end of that pipe, which comes when this process ends, even by
 * SIGKILL and whatever the child is busy with. It then ends the group by SIGTERM, and by SIGKILL after 3 s. The group has to be
 * killed when its leader has ended.
 */
export function tiedCommand(file: string, args: readonly string[]): [string, string[]] {
  return ['/bin/sh', ['-c', TIED, 'contimg', file, ...args]]
}

const groups = new Set<number>()

/** Counts a running process group among those that `killGroups` ends, until the returned function is called. */
export function trackGroup(pid: number | undefined): () => void {
  if (pid === undefined) return () => undefined
  groups.add(pid)
  return () => groups.delete(pid)
}

/** Ends every tracked process group at once: what waits for a child goes on as after any other end of it. */
export function killGroups(): void {
  for (const pid of groups) killGroup(pid)
}

/** Ends what is left of the process group of a child that has ended. */
export function killGroup(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch (error) {
    // ESRCH: nobody is left. EPERM (macOS): the group holds only a zombie.
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'ESRCH' && code !== 'EPERM') throw error
  }
}
