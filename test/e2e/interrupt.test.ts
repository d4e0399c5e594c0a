import assert from 'node:assert/strict'
import { existsSync, globSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { RunDocument } from '../../orchestrator/view/document.ts'
import { needs } from '../oracles/oracle.ts'
import { cli, startCli, temporaryFolder } from './cli.ts'

const shared = mkdtempSync(join(tmpdir(), 'contimg-interrupt-'))
const sky = join(shared, 'sky')
after(() => rmSync(shared, { recursive: true, force: true }))

before(async () => {
  const small = ['antennas=24', 'integrations=6', 'channels=12', 'catalogue=false', 'sources=0']
  const made = await cli(['simulate', '--out', sky, ...small.flatMap((setting) => ['--set', setting])])
  assert.equal(made.exitCode, 0, made.err)
})

/** Processes whose command line or working directory lies below a folder. */
function processesBelow(folder: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(folder)
      } catch {
        return false
      }
    })
}

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  test(
    `${signal} ends a run within 5 s with exit code ${code}, without children or half-made products; the same command goes on`,
    { skip: needs('wsclean') },
    async (t) => {
      const root = join(temporaryFolder(t), 'root')
      const argv = [join(sky, 'contimg.yaml'), '--root', root, '--name', 'stopped']
      const running = startCli(['run', ...argv, '-o', 'json'])
      await running.said(/conversion +started/)
      const began = performance.now()
      running.kill(signal)
      const { exitCode, out, err } = await running.ended
      assert.ok(performance.now() - began < 5000)
      assert.equal(exitCode, code, err)
      const document = JSON.parse(out) as RunDocument
      assert.equal(document.status, 'cancelled')
      assert.deepEqual(processesBelow(root), [])
      assert.deepEqual(globSync('products/**/{.attempt-*,result.json}', { cwd: root }), [])
      assert.equal(existsSync(join(root, '.scratch')), false)
      assert.equal(existsSync(join(root, 'runs/stopped/lock')), false)
      assert.match(err, /contimg resume stopped/)

      const again = startCli(['run', ...argv, '-o', 'json'])
      await again.said(/conversion +(good|uncertain)/)
      again.kill(signal)
      const second = JSON.parse((await again.ended).out) as RunDocument
      assert.equal(second.run, 'stopped')
      assert.equal(second.observations[0]?.steps[0]?.status, 'done')
    },
  )
}
