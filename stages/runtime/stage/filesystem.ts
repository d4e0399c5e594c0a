import { mkdir, stat, statfs } from 'node:fs/promises'
import { dirname } from 'node:path'

/** What kind of filesystem a path lies on, as far as it matters for where to write. */
export interface Filesystem {
  /** Short name such as ext4, tmpfs, nfs; `type 0x...` when unknown. */
  name: string
  /** Reached over a network: many small writes are slow. */
  network: boolean
  /** Held in memory. */
  memory: boolean
  freeBytes: number
}

/** Magic numbers of statfs(2), linux/magic.h and the headers of the filesystems themselves. */
const kinds: ReadonlyMap<number, Pick<Filesystem, 'name' | 'network' | 'memory'>> = new Map([
  [0x01021994, { name: 'tmpfs', network: false, memory: true }],
  [0x858458f6, { name: 'ramfs', network: false, memory: true }],
  [0xef53, { name: 'ext4', network: false, memory: false }],
  [0x58465342, { name: 'xfs', network: false, memory: false }],
  [0x9123683e, { name: 'btrfs', network: false, memory: false }],
  [0x2fc12fc1, { name: 'zfs', network: false, memory: false }],
  [0x794c7630, { name: 'overlayfs', network: false, memory: false }],
  [0x6969, { name: 'nfs', network: true, memory: false }],
  [0xff534d42, { name: 'cifs', network: true, memory: false }],
  [0xfe534d42, { name: 'smb2', network: true, memory: false }],
  [0x00c36400, { name: 'ceph', network: true, memory: false }],
  [0x0bd00bd0, { name: 'lustre', network: true, memory: false }],
  [0x19830326, { name: 'beegfs', network: true, memory: false }],
  [0x47504653, { name: 'gpfs', network: true, memory: false }],
  [0x01021997, { name: '9p', network: true, memory: false }],
  [0x65735546, { name: 'fuse', network: true, memory: false }],
])

/** The filesystem that holds an existing path. */
export async function filesystemOf(path: string): Promise<Filesystem> {
  const { type, bavail, bsize } = await statfs(path)
  const kind = kinds.get(type) ?? { name: `type 0x${type.toString(16)}`, network: false, memory: false }
  return { ...kind, freeBytes: bavail * bsize }
}

/**
 * Makes a folder and its missing parents. Not by `mkdir` with `recursive`: Node tries again for ever where a file system
 * answers ENOENT below a folder that exists, as /proc does.
 */
export async function makeDirectory(path: string): Promise<void> {
  if ((await stat(path).catch(() => undefined))?.isDirectory() === true) return
  if (dirname(path) !== path) await makeDirectory(dirname(path))
  await mkdir(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error
  })
}
