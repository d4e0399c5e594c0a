// Every code is met by a test through the door of whoever would meet it: no code without one, and none that nothing can meet.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { problemCatalogue, type ProblemCode } from '../orchestrator/pipeline/problem.ts'
import { errorCatalogue } from '#runtime/stage/errors.ts'

const root = fileURLToPath(new URL('.', import.meta.url))

/** Which file and which test provokes a code, as they are written there; where the code itself is not, what is told instead. */
const provoked: Readonly<Record<ProblemCode, readonly [file: string, test: string, told?: string]>> = {
  PARAMS_INVALID: ['stages/runtime/stage/harness.test.ts', 'parameters outside the schema are refused with exit 64'],
  PLAN_TOO_LARGE: ['e2e/memory.test.ts', 'a plan above the limit is told by need, limit and key, for every stage'],
  INPUT_MISSING: ['stages/runtime/stage/harness.test.ts', 'an input with'],
  OBSERVATIONS_MIXED: ['e2e/convert.test.ts', 'two observations mixed: which files belong to which start time'],
  INPUT_CHANGED: ['stages/conversion/implausible.test.ts', 'a file that grows while it is converted is refused'],
  INPUT_GROWING: ['e2e/fault-cases.ts', 'a file grows while the run looks', 'it is still being written'],
  DATA_UNREADABLE: ['e2e/bad-input.test.ts', 'a file that is not HDF5, alone'],
  DATA_UNSUPPORTED: ['e2e/fault-cases.ts', 'a filter that is not known, in one file'],
  DATA_IMPLAUSIBLE: ['e2e/fault-cases.ts', 'in one file'],
  DATA_UNUSABLE: ['e2e/fault-cases.ts', 'everything is zero'],
  NO_CALIBRATOR: ['e2e/bad-input.test.ts', 'no calibrator in the field'],
  OUTPUT_EXISTS: [
    'e2e/convert.test.ts',
    'no place to write: a name that is taken, a folder that is missing or takes none',
  ],
  OUTPUT_UNWRITABLE: [
    'e2e/convert.test.ts',
    'no place to write: a name that is taken, a folder that is missing or takes none',
  ],
  OUTPUT_INVALID: ['orchestrator/observations.test.ts', 'a stage that breaks its contract is an error, not a product'],
  WSCLEAN_MISSING: ['e2e/bad-input.test.ts', 'WSClean missing'],
  WSCLEAN_FAILED: [
    'stages/imaging/stage.test.ts',
    'a WSClean that is killed fails the stage with its last lines and leaves nothing',
  ],
  DISK_FULL: [
    'e2e/disk-full.test.ts',
    'ends a run with its place and its room, and leaves nothing partial; with room the same command finishes',
  ],
  OUT_OF_MEMORY: [
    'e2e/memory.test.ts',
    'for memory is told as that, with its phase, its use and its limit, and not tried again',
  ],
  STORAGE_FAILED: [
    'stages/runtime/formats/hdf5/layouts.test.ts',
    'a call that waits for its storage is no fault of the file',
  ],
  CANCELLED: [
    'stages/runtime/stage/harness.test.ts',
    'SIGTERM ends a stage with 75, scratch and attempt directory clean',
  ],
  INTERNAL: ['stages/runtime/stage/harness.test.ts', 'a fault of the program is INTERNAL, exit 70'],
  USAGE: ['e2e/bad-input.test.ts', 'no input at all'],
  CONFIG_UNREADABLE: ['e2e/bad-input.test.ts', 'a configuration file that does not exist'],
  CONFIG_INVALID: ['e2e/bad-input.test.ts', 'an unknown configuration key, in the file and by flag'],
  CONFIG_KEY_UNKNOWN: [
    'orchestrator/cli/configuration.test.ts',
    'explain tells one key in full, a block as a table, and what was meant',
  ],
  INPUT_NOT_FOUND: ['e2e/bad-input.test.ts', 'a missing directory'],
  INPUT_UNREADABLE: ['orchestrator/codes.test.ts', 'a station table that is a folder is INPUT_UNREADABLE'],
  INPUT_EMPTY: ['e2e/bad-input.test.ts', 'an empty directory'],
  OBSERVATIONS_UNKNOWN: ['orchestrator/observations.test.ts', 'only the selected observations are processed'],
  ROOT_UNWRITABLE: ['e2e/bad-input.test.ts', 'an unwritable root: ${what}'],
  SCRATCH_UNWRITABLE: ['e2e/bad-input.test.ts', 'a scratch folder that cannot be made: ${scratch}'],
  PRODUCT_NOT_FOUND: [
    'orchestrator/codes.test.ts',
    'a product that is not there cannot be verified: PRODUCT_NOT_FOUND',
  ],
  CATALOGUE_NOT_FOUND: ['e2e/bad-input.test.ts', 'an unknown catalogue'],
  CATALOGUE_UNREADABLE: ['orchestrator/commands.test.ts', 'a folder that is no catalogue is refused'],
  CATALOGUE_IMPORT_FAILED: [
    'orchestrator/commands.test.ts',
    'a table of sources that cannot be read is refused with a fix',
  ],
  SIMULATION_FAILED: ['orchestrator/codes.test.ts', 'a simulation that cannot start is SIMULATION_FAILED'],
  QUARANTINE_UNKNOWN: ['orchestrator/codes.test.ts', 'what was never set aside cannot be released: QUARANTINE_UNKNOWN'],
  RUN_NOT_FOUND: ['e2e/bad-input.test.ts', 'an unknown option, an unknown command, an unknown run'],
  RUN_UNREADABLE: ['outside-paths.test.ts', 'a damaged line of a log is said with its place'],
  RUN_NAME_TAKEN: ['orchestrator/resume.test.ts', 'a run of that name with another configuration is refused'],
  RUN_NOT_ACTIVE: [
    'orchestrator/cli/changing.test.ts',
    'a run that a process works on is neither removed nor worked on twice, and what nobody works on cannot be cancelled',
  ],
  RUN_TIMED_OUT: [
    'orchestrator/cli/plan.test.ts',
    'a run that takes longer than its limit ends with exit code 5 and can go on',
  ],
  STEP_NOT_FOUND: [
    'orchestrator/cli/looking.test.ts',
    'names that fit several things or none are answered with what there is',
  ],
  UPSTREAM_NEEDED: [
    'orchestrator/cli/plan.test.ts',
    'until ends a run early, only takes one stage up from there, from needs what comes before',
  ],
  RUN_LOCKED: [
    'orchestrator/cli/changing.test.ts',
    'a run that a process works on is neither removed nor worked on twice, and what nobody works on cannot be cancelled',
  ],
  CONVERSION_FAILED: [
    'orchestrator/codes.test.ts',
    'a conversion outside of a run that ends without a word is CONVERSION_FAILED',
  ],
  SCAN_FAILED: ['orchestrator/codes.test.ts', 'a scan that ends without a word is SCAN_FAILED'],
  SUBBANDS_MISSING: ['e2e/bad-input.test.ts', 'fewer subbands than minSubbands'],
  BLOCKED: [
    'orchestrator/observations.test.ts',
    'a bad set with no other stops its observation as skipped and exits with 3',
  ],
  UPSTREAM_FAILED: [
    'orchestrator/codes.test.ts',
    'a stage that ends well and leaves nothing is RESULT_INVALID, and what comes after it UPSTREAM_FAILED',
  ],
  STAGE_KILLED: ['e2e/memory.test.ts', 'a stage that is killed by somebody is told as killed, and tried again'],
  STAGE_CRASHED: ['orchestrator/observations.test.ts', 'a stage that cannot even start is not tried again'],
  TIME_LIMIT: ['orchestrator/observations.test.ts', 'a time limit ends a stage that hangs'],
  RESULT_INVALID: [
    'orchestrator/codes.test.ts',
    'a stage that ends well and leaves nothing is RESULT_INVALID, and what comes after it UPSTREAM_FAILED',
  ],
  INTERRUPTED: ['e2e/convert.test.ts', '${signal} in the middle ends with ${code} and leaves nothing'],
}

test('every code has a test that provokes it', () => {
  const codes = new Set([...Object.keys(errorCatalogue), ...Object.keys(problemCatalogue)])
  assert.deepEqual(Object.keys(provoked).sort(), [...codes].sort())
  for (const [code, [file, title, told = code]] of Object.entries(provoked)) {
    const text = readFileSync(join(root, file), 'utf8')
    assert.ok(text.includes(title), `${code}: there is no test "${title}" in test/${file}`)
    assert.ok(text.includes(told), `${code}: test/${file} does not look for it`)
  }
})

test('every code says what it means and what to do, in words that fit a line of the page of codes', () => {
  for (const [code, { help, fix }] of [...Object.entries(errorCatalogue), ...Object.entries(problemCatalogue)]) {
    assert.ok(help.length > 10 && fix.length > 10, code)
    assert.doesNotMatch(`${help}${fix}`, /\n|[.;,]$/, code)
  }
})
