import { relative, resolve } from 'node:path'
import type { Command } from 'commander'
import { stringify } from 'yaml'
import { apiVersion } from '#runtime/stage/contract.ts'
import { stepOfProduct } from '../pipeline/key.ts'
import { exitCodes } from '../pipeline/outcome.ts'
import { ProblemError } from '../pipeline/problem.ts'
import { everyProduct, rejectProduct } from '../runs/product-store.ts'
import { findRun, readRun } from '../runs/run-directory.ts'
import { verifyProduct, type Finding } from '../runs/verification.ts'
import { bytes, count, glyph, span } from '../view/format.ts'
import { lines, styleOf, type Io } from './io.ts'
import { dataRoot, withGlobalOptions, type GlobalOptions } from './options.ts'

/** Progress is told at most this often. */
const PROGRESS_MS = 5_000
/** Fewer digits of a key may be the beginning of a run's name. */
const LEAST_KEY_DIGITS = 4
/** Findings of one product that are shown. */
const SHOWN_FINDINGS = 10

type VerifyOptions = GlobalOptions & { moveAside?: boolean }

interface VerifiedProduct {
  product: string
  observation: string
  stage: string
  status: 'good' | 'damaged'
  bytes: number
  /** What is wrong, file by file. */
  findings: readonly Finding[]
  /** Where it was moved, with --move-aside. */
  movedTo?: string
}

/** `contimg verify`: every file of products against the hash that was taken when it was committed. */
export function addVerifyCommand(program: Command, io: Io, end: (exitCode: number) => void): void {
  const command = program
    .command('verify [what]')
    .description(
      'read products in full and hold every file against the hash of its commit (default: all of the data root)',
    )
    .option('--move-aside', 'move damaged products aside, so that the next run makes them again')
  withGlobalOptions(command, ['text', 'json', 'yaml', 'name'])
    .addHelpText(
      'after',
      `
What to verify: a run (name, beginning of one, @latest), an observation, the path of a product or of a
folder of them, or the beginning of a product's key. Without it every product of the data root.

Examples:
  contimg verify                                   every product
  contimg verify @latest                           the products of the run that was active last
  contimg verify 20250126T130029 -o json           those of one observation, as data
  contimg verify --move-aside                      what is damaged makes room for a new one

With -o name standard output gets the paths of the damaged products, one a line.
Exit codes: 0 all as committed, 1 something is damaged, 2 there is no such thing, 130 interrupted`,
    )
    .action(async (what: string | undefined, options: VerifyOptions) => end(await verify(what, options, io)))
}

async function verify(what: string | undefined, options: VerifyOptions, io: Io): Promise<number> {
  const root = dataRoot(options, io)
  const { products, rejected } = await everyProduct(root)
  const chosen = what === undefined ? products : await choose(what, { root, products, io })
  const progress = reporter(chosen.length, options.quiet === true ? () => undefined : (text) => io.err(text), io)
  const verified: VerifiedProduct[] = []
  for (const product of chosen) {
    verified.push(await verifyOne(root, product, { io, moveAside: options.moveAside === true, hear: progress.hear }))
    progress.next()
  }
  const damaged = verified.filter(({ status }) => status === 'damaged')
  const document = {
    apiVersion,
    root,
    good: verified.length - damaged.length,
    damaged: damaged.length,
    products: verified,
    movedAsideEarlier: rejected,
  }
  if (options.output === 'json') io.out(`${JSON.stringify(document, null, 2)}\n`)
  else if (options.output === 'yaml') io.out(stringify(document))
  else if (options.output === 'name')
    lines(
      io.out,
      damaged.map(({ product }) => product),
    )
  else lines(io.out, textLines(verified, { root, rejected, seconds: progress.seconds(), ...styleOf(io, options) }))
  return damaged.length > 0 ? exitCodes.failed : exitCodes.done
}

/** The products that a word means. Throws ProblemError PRODUCT_NOT_FOUND. */
async function choose(
  what: string,
  { root, products, io }: { root: string; products: readonly string[]; io: Io },
): Promise<readonly string[]> {
  for (const base of [io.cwd, root]) {
    const path = relative(root, resolve(base, what)).replace(/\/+$/, '')
    // Also a product without its folder: that is what verifying it finds.
    if (/^products\/[^/]+\/[^/]+\/[0-9a-f]{12}$/.test(path)) return [path]
    const below = products.filter((product) => path === '' || product.startsWith(`${path}/`))
    if (below.length > 0) return below
  }
  const byPart = products.filter((product) => {
    const { observation, key } = stepOfProduct(product)
    return observation === what || (what.length >= LEAST_KEY_DIGITS && key.startsWith(what))
  })
  if (byPart.length > 0) return byPart
  const run = await findRun(root, what).catch((error: unknown) => {
    if (error instanceof ProblemError) return undefined
    throw error
  })
  const ofRun = run === undefined ? [] : (await readRun(root, run)).observations
  const made = ofRun.flatMap(({ steps }) => steps).flatMap(({ product }) => product?.product ?? [])
  if (made.length > 0) return [...new Set(made)]
  throw new ProblemError(
    'PRODUCT_NOT_FOUND',
    run === undefined
      ? `"${what}" is no run, observation or product under ${root}`
      : `the run "${run}" has made no product`,
    { hint: 'list the runs with: contimg list; verify everything with: contimg verify' },
  )
}

async function verifyOne(
  root: string,
  product: string,
  { io, moveAside, hear }: { io: Io; moveAside: boolean; hear: (bytes: number) => void },
): Promise<VerifiedProduct> {
  const { observation, stage } = stepOfProduct(product)
  const reading = await verifyProduct(root, product, { trust: false, signal: io.signal, onBytes: hear }).catch(
    (error: unknown) => {
      throw io.signal.aborted ? new ProblemError('INTERRUPTED', 'the verification was stopped') : error
    },
  )
  if (reading.ok) return { product, observation, stage, status: 'good', bytes: reading.bytes, findings: [] }
  const movedTo = moveAside ? await rejectProduct(root, product, reading) : undefined
  return {
    product,
    observation,
    stage,
    status: 'damaged',
    bytes: 0,
    findings: reading.findings,
    ...(movedTo === undefined ? {} : { movedTo }),
  }
}

function reporter(total: number, say: (text: string) => void, { now }: Io) {
  const began = now().getTime()
  let told = began
  let [done, read] = [0, 0]
  return {
    hear: (amount: number): void => {
      read += amount
      if (now().getTime() - told < PROGRESS_MS) return
      told = now().getTime()
      say(`verified ${done} of ${count(total, 'product')}, ${bytes(read)} read\n`)
    },
    next(): void {
      done++
    },
    seconds: () => (now().getTime() - began) / 1000,
  }
}

function textLines(
  verified: readonly VerifiedProduct[],
  { root, rejected, seconds, utf8 }: { root: string; rejected: readonly string[]; seconds: number; utf8: boolean },
): string[] {
  const damaged = verified.filter(({ status }) => status === 'damaged')
  const shown = damaged.flatMap(({ product, findings, movedTo }) => [
    `${glyph('failed', { utf8 })} ${product}`,
    ...findings.slice(0, SHOWN_FINDINGS).map(({ file, why }) => `  why   ${file} ${why}`),
    ...(findings.length > SHOWN_FINDINGS ? [`  why   and ${findings.length - SHOWN_FINDINGS} more`] : []),
    ...(movedTo === undefined ? [] : [`  kept  ${movedTo}`]),
  ])
  const size = bytes(verified.reduce((sum, product) => sum + product.bytes, 0))
  const notMoved = damaged.some(({ movedTo }) => movedTo === undefined)
  return [
    ...shown,
    verified.length === 0
      ? `no products under ${root}`
      : `${count(verified.length, 'product')}, ${size} as committed, ${damaged.length} damaged (${span(seconds)})`,
    ...(notMoved ? ['next  contimg verify --move-aside; then the run that made them makes them again'] : []),
    ...(rejected.length === 0
      ? []
      : [`${count(rejected.length, 'product')} moved aside earlier:`, ...rejected.map((path) => `  ${path}`)]),
  ]
}
