import { main } from '#runtime/stage/harness.ts'
import { imaging } from './contract.ts'
import { run } from './run.ts'

await main(imaging, run)
