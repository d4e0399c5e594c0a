import { writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { readEarthOrientation } from '#runtime/formats/earth-orientation.ts'
import { errorData, StageError, toStageError } from '#runtime/stage/errors.ts'
import { main } from '#runtime/stage/harness.ts'
import { conversion, conversionParams } from './contract.ts'
import { run } from './run.ts'
import { scanFolder } from './scan.ts'

/** The entrypoint has two modes: `--context FILE` converts one observation, `--scan DIR` lists those of a folder. */
if (process.argv.slice(2).some((argument) => argument === '--scan' || argument.startsWith('--scan='))) await scan()
else await main(conversion, run)

/** Writes the scan of a folder as JSON to `--out`, or to standard output. An error is one JSON line on standard error. */
async function scan(): Promise<void> {
  try {
    const { values } = parseArgs({
      options: {
        scan: { type: 'string' },
        out: { type: 'string' },
        expect: { type: 'string' },
        'earth-orientation': { type: 'string' },
      },
    })
    const found = await scanFolder(values.scan ?? '', {
      nowMs: Date.now(),
      earthOrientation: readEarthOrientation(values['earth-orientation']),
      ...(values.expect === undefined ? {} : { expect: parseExpect(values.expect) }),
    })
    const text = `${JSON.stringify(found)}\n`
    if (values.out === undefined) process.stdout.write(text)
    else await writeFile(values.out, text)
  } catch (thrown) {
    const error = toStageError(thrown)
    process.stderr.write(`${JSON.stringify({ type: 'error', error: errorData(error) })}\n`)
    process.exitCode = error.exitCode
  }
}

function parseExpect(text: string): ReturnType<typeof conversionParams.parse>['expect'] {
  try {
    return conversionParams.parse({ expect: JSON.parse(text) }).expect
  } catch (cause) {
    throw new StageError('PARAMS_INVALID', `--expect ${text} is not {"subbands": [...], "integrations": n}`, { cause })
  }
}
