// node test/fuzz/hdf5.ts [--count 100000] [--seed 1] [--keep FOLDER]: reads damaged HDF5 files; exit 1 when one fails.
import { parseArgs } from 'node:util'
import { fuzzHdf5 } from './hdf5-run.ts'

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
    keep: { type: 'string' },
  },
})
const started = performance.now()
const { failures, ...result } = await fuzzHdf5(Number(values.count), values.seed, {
  log: (line) => console.error(line),
  ...(values.keep === undefined ? {} : { keepIn: values.keep }),
})
console.log(JSON.stringify({ ...result, failures: failures.length, seconds: (performance.now() - started) / 1000 }))
process.exitCode = failures.length === 0 ? 0 : 1
