// Assembles the WebAssembly kernels from their text: node scripts/build-kernels.ts [--check]
// --check changes nothing and fails when a committed binary is not what its text gives.
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import wabt from 'wabt'

const kernels = ['stages/conversion/pair-kernel']

const assembler = await wabt()
const check = process.argv.includes('--check')
for (const name of kernels) {
  const file = (extension: string): string => fileURLToPath(new URL(`../${name}.${extension}`, import.meta.url))
  const module = assembler.parseWat(`${name}.wat`, readFileSync(file('wat'), 'utf8'), { simd: true })
  module.resolveNames()
  module.validate()
  const { buffer } = module.toBinary({})
  module.destroy()
  if (!check) writeFileSync(file('wasm'), buffer)
  else if (!readFileSync(file('wasm')).equals(buffer)) {
    process.stderr.write(`${name}.wasm was not built from ${name}.wat: run node scripts/build-kernels.ts\n`)
    process.exitCode = 1
  }
}
