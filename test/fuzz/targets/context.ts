import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { checkInputs, parseParams, productDirectory, readContext } from '#runtime/stage/entry.ts'
import { hashFile } from '#runtime/stage/files.ts'
import { imaging } from '../../../stages/imaging/contract.ts'
import { validation } from '../../../stages/validation/contract.ts'
import { damageJson } from '../damage.ts'
import { MiB, type FuzzTarget } from '../target.ts'

const contracts = { imaging, validation } as const

/** Contexts of stages, with inputs that are checked against what lies in the data root. */
export const context: FuzzTarget = {
  codes: ['PARAMS_INVALID', 'INPUT_MISSING', 'INPUT_CHANGED'],
  memoryBytes: 16 * MiB,
  async prepare(folder) {
    const root = join(folder, 'root')
    const product = join(root, 'products/20260125T222605/imaging/0123456789ab')
    mkdirSync(product, { recursive: true })
    writeFileSync(join(folder, 'secret'), 'not for you')
    symlinkSync('../..', join(root, 'products', 'link-out'))
    const input = async (name: string, kind: string) => {
      const path = join(product, name)
      writeFileSync(path, name)
      return { path: path.slice(root.length + 1), kind, ...(await hashFile(path)) }
    }
    const about = (stage: string, inputs: object) => ({
      apiVersion: 'contimg/v1',
      run: 'brave-quasar',
      observation: '20260125T222605',
      stage,
      key: 'a'.repeat(64),
      attempt: { number: 1, uid: '0b1f' },
      params: {},
      inputs,
      upstream: { calibration: { metrics: { flaggedFraction: 0.04 }, quality: 'good' } },
      productDir: `products/20260125T222605/${stage}/0123456789ab`,
      scratchDir: join(folder, 'scratch'),
      resources: { cpu: 4, memoryBytes: 8589934592, scratchBytes: 2147483648 },
    })
    const image = await input('image.fits', 'fits-image')
    const secret = { path: '../secret', kind: 'file', bytes: 11 }
    const seeds = {
      imaging: about('imaging', { calibrated: image }),
      validation: about('validation', { image, imagePbCorrected: image, residual: image, psf: image, rms: image }),
      outside: about('imaging', { calibrated: secret }),
      link: about('imaging', { calibrated: { ...secret, path: 'products/link-out/secret' } }),
      absolute: about('imaging', { calibrated: { ...secret, path: join(folder, 'secret') } }),
      incoming: about('imaging', { calibrated: { ...secret, path: 'incoming:../secret' } }),
    }
    const path = join(folder, 'context.json')
    return {
      seeds: Object.entries(seeds).map(([name, seed]) => ({ name, bytes: Buffer.from(JSON.stringify(seed)) })),
      allowed: [root, path],
      mutate: ({ bytes }, random) => damageJson(bytes, random),
      async read({ bytes, seed }) {
        writeFileSync(path, bytes)
        const contract = seed.name === 'validation' ? contracts.validation : contracts.imaging
        const read = await readContext(path, contract)
        parseParams(contract, read.params)
        productDirectory(read, root)
        await checkInputs(contract, read.inputs, { root, incoming: root })
        return true
      },
    }
  },
}
