import type { Command } from 'commander'
import { apiVersion } from '#runtime/stage/contract.ts'
import { ProblemError } from '../pipeline/problem.ts'
import { lockHolder } from '../runs/lock.ts'
import { removalOf, removeRun, type Removal } from '../runs/removal.ts'
import { findRun } from '../runs/run-directory.ts'
import { bytes, count } from '../view/format.ts'
import { confirmed } from './confirm.ts'
import { lines, runStyle, type Io } from './io.ts'
import { dataRoot, withGlobalOptions, withHelp, type GlobalOptions } from './options.ts'

interface RemoveOptions extends GlobalOptions {
  keepProducts?: boolean
  yes?: boolean
  dryRun?: boolean
}

/** `contimg rm`: removes a run and the products that belong to it alone, after showing their size. */
export function addRmCommand(program: Command, io: Io): void {
  const command = program
    .command('rm <run>')
    .description('remove a run and the products that no other run uses')
    .option('--keep-products', 'remove only the folder of the run: later runs may reuse the products')
    .option('--dry-run', 'say what would be removed, and its size')
    .option('--yes', 'do not ask')
  withGlobalOptions(command, ['text', 'json']).action((wanted: string, options: RemoveOptions) =>
    remove(wanted, options, io),
  )
  withHelp(command, {
    notes: 'Raw files are never touched. Products that another run has made, reused or planned stay.',
    examples: [
      ['contimg rm brave-quasar --dry-run', 'how much space it would give'],
      ['contimg rm brave-quasar --keep-products --yes'],
    ],
  })
}

async function remove(wanted: string, options: RemoveOptions, io: Io): Promise<void> {
  const root = dataRoot(options, io)
  const name = await findRun(root, wanted)
  const holder = await lockHolder(`${root}/runs/${name}/lock`)
  if (holder !== undefined)
    throw new ProblemError('RUN_LOCKED', `process ${holder.pid} on ${holder.host} works on the run "${name}"`, {
      hint: `end it first with: contimg cancel ${name}${runStyle(io, options, root).rootFlag}; nothing was removed`,
    })
  const removal = await removalOf(root, name)
  const keepProducts = options.keepProducts === true
  const total = totalOf(removal, keepProducts)
  const answer = (removed: boolean): void => {
    if (options.output !== 'json') return
    io.out(`${JSON.stringify({ apiVersion, removed, bytes: total, keepProducts, ...removal }, null, 2)}\n`)
  }
  // What is about to go is shown before anybody is asked, on the side where questions stand.
  if (options.output !== 'json')
    lines(options.dryRun === true ? io.out : io.err, removalLines(removal, { root, keepProducts }))
  if (options.dryRun === true) return answer(false)
  if (!(await confirmed(`Remove ${bytes(total)} of the run "${name}"?`, options, io))) return answer(false)
  await removeRun(root, removal, keepProducts)
  answer(true)
  if (options.output !== 'json') io.out(`removed ${name}, ${bytes(total)}\n`)
}

function totalOf({ folder, products }: Removal, keepProducts: boolean): number {
  return folder.bytes + (keepProducts ? 0 : products.reduce((sum, product) => sum + product.bytes, 0))
}

function removalLines(removal: Removal, { root, keepProducts }: { root: string; keepProducts: boolean }): string[] {
  const { folder, products, shared } = removal
  const line = (path: string, size: number, more = ''): string => `${bytes(size).padStart(8)}  ${root}/${path}${more}`
  return [
    line(folder.path, folder.bytes),
    ...(keepProducts ? [] : products.map(({ path, bytes: size }) => line(path, size))),
    ...(keepProducts && products.length > 0
      ? [`${count(products.length, 'product')} of this run alone stay, as asked`]
      : []),
    ...shared.map(({ path, usedBy }) => `    stays  ${root}/${path}  used by ${usedBy.join(', ')}`),
    `${bytes(totalOf(removal, keepProducts)).padStart(8)}  in all`,
  ]
}
