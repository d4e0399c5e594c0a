import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { sealed } from '#runtime/stage/checksums.ts'
import { listProducts, readProduct } from '../../../orchestrator/runs/product-store.ts'
import { explainMiss } from '../../../orchestrator/pipeline/key.ts'
import { damageJson } from '../damage.ts'
import { MiB, type FuzzTarget, type Random } from '../target.ts'

const observation = '20260125T222605'
const product = `products/${observation}/calibration/0123456789ab`
const key = `0123456789ab${'0'.repeat(52)}`

const parts = {
  stage: 'calibration',
  version: 1,
  params: { mode: 'auto', uvMinLambda: 400, flags: { clip: 7 } },
  inputs: { measurementSet: `${'1'.repeat(64)}:measurementSet`, raw: ['2'.repeat(64), '3'.repeat(64)] },
}

/** A sound result. */
export const result0 = {
  apiVersion: 'contimg/v1',
  stage: 'calibration',
  key,
  attempt: { number: 1, uid: '0b1f' },
  outputs: {
    solutions: { path: 'solutions.bin', sha256: '4'.repeat(64), bytes: 5 },
    calibrated: { path: 'calibrated', sha256: '5'.repeat(64), bytes: 5 },
  },
  metrics: { flaggedFraction: 0.04 },
  quality: {
    verdict: 'good',
    checks: [
      {
        name: 'flagged',
        verdict: 'good',
        gating: true,
        blocking: false,
        message: '4 % flagged',
        value: 0.04,
        unit: '1',
      },
    ],
  },
  usage: {
    wallSeconds: 1,
    cpuSeconds: 1,
    peakMemoryBytes: 1,
    peakScratchBytes: 1,
    readBytes: 1,
    writtenBytes: 1,
    phases: [{ name: 'solve', wallSeconds: 1, cpuSeconds: 1 }],
  },
  warnings: ['a warning'],
  provenance: { contimg: '0.1.0' },
}

const keyFile0 = {
  key,
  parts,
  solution: {
    observation,
    midMjdUtc: 61065.9,
    decOfDateDeg: 16.3,
    grid: '768 x 244140.625',
    solveKey: '6'.repeat(64),
    calibrator: '3C286',
    apparentFluxJy: 14,
  },
}

/** The result of a product, as what a later run looks at before it uses it. */
export const result: FuzzTarget = {
  codes: [],
  memoryBytes: 16 * MiB,
  prepare(folder) {
    const room = makeRoot(folder)
    writeFileSync(join(room.root, `${product}.key.json`), JSON.stringify(sealed(keyFile0)))
    return {
      seeds: [{ name: 'result', bytes: Buffer.from(JSON.stringify(sealed(result0))) }],
      allowed: [room.root],
      mutate: ({ bytes }, random) => damageSealed(bytes, random),
      async read({ bytes }) {
        writeFileSync(join(room.root, product, 'result.json'), bytes)
        await listProducts(room.root, [observation])
        return (await readProduct(room.root, product)).ok
      },
    }
  },
}

/** What a product was made from: explains why another was not reused, and offers its solution set. */
export const keyFile: FuzzTarget = {
  codes: [],
  memoryBytes: 16 * MiB,
  prepare(folder) {
    const { root } = makeRoot(folder)
    writeFileSync(join(root, product, 'result.json'), JSON.stringify(sealed(result0)))
    return {
      seeds: [{ name: 'key', bytes: Buffer.from(JSON.stringify(sealed(keyFile0))) }],
      allowed: [root],
      mutate: ({ bytes }, random) => damageSealed(bytes, random),
      async read({ bytes }) {
        writeFileSync(join(root, `${product}.key.json`), bytes)
        const { products } = await listProducts(root, [observation])
        const [known] = products
        if (known?.parts !== undefined) explainMiss({ ...parts, stage: 'calibration', version: 2 }, [known.parts])
        if (known?.solution !== undefined && known.solution.product !== product)
          throw new Error('the set of another product')
        return known?.parts !== undefined
      },
    }
  },
}

/** A damaged document, in most with a seal that fits again: it guards against accidents only. */
function damageSealed(bytes: Buffer, random: Random): Buffer {
  const damaged = damageJson(bytes, random)
  if (random.int(6) === 0) return damaged
  try {
    const document = JSON.parse(damaged.toString('utf8')) as object
    return Buffer.from(JSON.stringify(sealed(document)))
  } catch {
    return damaged
  }
}

function makeRoot(folder: string): { root: string } {
  const root = join(folder, 'root')
  mkdirSync(join(root, product, 'calibrated'), { recursive: true })
  writeFileSync(join(root, product, 'solutions.bin'), '12345')
  writeFileSync(join(folder, 'secret'), '12345')
  mkdirSync(join(folder, 'outside'))
  symlinkSync('../../../../..', join(root, product, 'link-out'))
  return { root }
}
