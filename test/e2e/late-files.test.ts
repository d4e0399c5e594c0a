import assert from 'node:assert/strict'
import { existsSync, readdirSync, renameSync } from 'node:fs'
import { basename, join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import type { RunDocument } from '../../orchestrator/view/document.ts'
import { needs } from '../oracles/oracle.ts'
import { cli, runJson, startCli, temporaryFolder, type CliProcess } from './cli.ts'
import { faultCases, MIN_SUBBANDS, smallObservation, type FaultCase } from './fault-cases.ts'

/** Faults of the table that take their time: files that come or grow while contimg looks. */
const cases = faultCases.filter(({ waitSeconds }) => waitSeconds !== undefined)

const settings = Object.entries(smallObservation).flatMap(([key, value]) => [
  '--set',
  `${key}=${JSON.stringify(value)}`,
])

interface Begun {
  simulation: CliProcess
  input: string
  root: string
  /** The sound file of the subband that is late. */
  whole: string
  flags: string[]
}

/** Writes the files of a case; resolves when those are there that are there at once. */
async function begin(t: TestContext, { faults }: FaultCase): Promise<Begun> {
  const folder = temporaryFolder(t)
  const [input, root, sound] = ['incoming', 'root', 'sound'].map((name) => join(folder, name))
  assert.equal((await cli(['simulate', '--out', sound, ...settings])).exitCode, 0)
  const named = faults.flatMap((fault) => ['--fault', fault])
  const simulation = startCli(['simulate', '--out', input, ...settings, ...named])
  t.after(() => simulation.kill('SIGTERM'))
  await simulation.said(/waiting, 0 of/)
  const { subbands, integrations } = smallObservation
  const expect = `conversion.expect=${JSON.stringify({ subbands, integrations })}`
  const flags = ['--input', input, '--root', root, '--until', 'conversion', '--uncalibrated', '--set', expect]
  const whole = readdirSync(sound).find((name) => name.endsWith('_sb05.hdf5')) ?? ''
  return {
    simulation,
    input,
    root,
    whole: join(sound, whole),
    flags: [...flags, '--set', `ingest.minSubbands=${MIN_SUBBANDS}`],
  }
}

describe('files that come or grow while contimg looks', { skip: needs('wsclean') }, () => {
  for (const fault of cases) {
    test(`${fault.row}: ${fault.form} -> ${fault.answer}, exit ${fault.exit}`, async (t) => {
      const { simulation, input, root, whole, flags } = await begin(t, fault)
      const arrive = async (): Promise<void> => {
        simulation.kill('SIGTERM')
        assert.equal((await simulation.ended).exitCode, 143)
        renameSync(whole, join(input, basename(whole)))
      }
      const run = startCli(['run', ...flags, '--set', `ingest.waitSeconds=${fault.waitSeconds}`, '-o', 'json'])
      if (fault.answer === 'converted') {
        await run.said(/waits until/)
        await arrive()
      }
      const { exitCode, err, out } = await run.ended
      assert.equal(exitCode, fault.exit, err)
      assert.match(err, fault.says ?? /./)
      const [{ status, steps }] = (JSON.parse(out) as RunDocument).observations
      assert.equal(status, 'done')
      const present = smallObservation.subbands.length - (fault.absent?.length ?? 0)
      assert.equal(steps[0]?.metrics['subbandsPresent'], present)
      if (fault.answer === 'gap') {
        await arrive()
        await takenUp(flags, steps[0]?.product ?? '')
      }
      assert.match((await cli(['quarantine', '--root', root])).err, /nothing is set aside/)
    })
  }
})

/** The same command makes a whole set when the file is there; what was made without it stays. */
async function takenUp(flags: readonly string[], before: string): Promise<void> {
  const { exitCode, document, err } = await runJson(flags)
  assert.equal(exitCode, 0, err)
  const [step] = document.observations[0].steps
  assert.equal(step.metrics['subbandsPresent'], smallObservation.subbands.length)
  assert.notEqual(step.product, before)
  assert.ok(existsSync(join(before, 'result.json')))
}
