import { main } from '#runtime/stage/harness.ts'
import { calibration } from './contract.ts'
import { run } from './run.ts'

await main(calibration, run)
