import { realpath } from 'node:fs/promises'
import { join, normalize, sep } from 'node:path'

/**
 * Whether a path below the data root that stays inside leads out of it through a link. The root's own folders may be links,
 * `products` to another disk for example; what lies in them may not.
 */
export async function leadsOut(root: string, path: string): Promise<boolean> {
  const [first = ''] = normalize(path).split(sep)
  const [folder, found] = await Promise.all([realpath(join(root, first)), realpath(join(root, path))])
  return found !== folder && !found.startsWith(folder + sep)
}
