import { realpath } from 'node:fs/promises'
import { basename, dirname, join, normalize, sep } from 'node:path'

/**
 * Whether a path below the data root that stays inside leads out of it through a link, to something that exists or not. The
 * root's own folders may be links, `products` to another disk for example; what lies in them may not.
 */
export async function leadsOut(root: string, path: string): Promise<boolean> {
  const [first = ''] = normalize(path).split(sep)
  const [folder, found] = await Promise.all([placeOf(join(root, first)), placeOf(join(root, path))])
  return found !== folder && !found.startsWith(folder + sep)
}

/** Where a path leads through all links; of one that does not exist, where it would be. */
async function placeOf(path: string): Promise<string> {
  try {
    return await realpath(path)
  } catch {
    const parent = dirname(path)
    return parent === path ? path : join(await placeOf(parent), basename(path))
  }
}
