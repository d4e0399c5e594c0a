import { main } from '#runtime/stage/harness.ts'
import { validation } from './contract.ts'
import { isImport, importFromArguments } from './import-door.ts'
import { run } from './run.ts'

const argv = process.argv.slice(2)
if (isImport(argv)) {
  const { line, exitCode } = await importFromArguments(argv)
  process.stdout.write(`${line}\n`)
  process.exitCode = exitCode
} else await main(validation, run)
