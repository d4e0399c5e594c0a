import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync, globSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { readEvents } from '../../orchestrator/runs/event-log.ts'
import { needs } from '../oracles/oracle.ts'
import { cli, temporaryFolder } from './cli.ts'

const main = fileURLToPath(new URL('../../orchestrator/main.ts', import.meta.url))

test('a run goes on to its end when the reader of its output has gone', { skip: needs('wsclean') }, async (t) => {
  const folder = temporaryFolder(t)
  const [sky, root] = [join(folder, 'sky'), join(folder, 'root')]
  const small = ['antennas=12', 'integrations=2', 'channels=4', 'catalogue=false', 'sources=0', 'decOfDateDeg=16.5']
  const settings = small.flatMap((setting) => ['--set', setting])
  const made = await cli(['simulate', '--out', sky, '--calibrator', 'none', ...settings])
  assert.equal(made.exitCode, 0, made.err)

  // Without a calibrator the run ends at its calibration, with exit code 1.
  const command = `"$NODE" "$MAIN" run "$SKY/contimg.yaml" --root "$ROOT" --name piped 2>&1 | head -2; exit "\${PIPESTATUS[0]}"`
  const env = {
    ...process.env,
    NODE: process.execPath,
    MAIN: main,
    SKY: sky,
    ROOT: root,
    CONTIMG_SCRATCH: join(folder, 'scratch'),
  }
  const child = spawn('bash', ['-c', command], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  let out = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text))
  const exitCode = await new Promise((resolve) => child.on('close', resolve))

  assert.equal(out.trim().split('\n').length, 2, out)
  assert.equal(exitCode, 1)
  const last = readEvents(join(root, 'runs/piped/events.ndjson')).at(-1)
  assert.equal(last?.type === 'run.finished' ? last.status : last?.type, 'failed')
  assert.equal(globSync('products/*/conversion/*/result.json', { cwd: root }).length, 1)
  assert.ok(existsSync(join(root, 'runs/piped/report.html')))
  assert.ok(!existsSync(join(root, 'runs/piped/lock')))
  assert.deepEqual(readdirSync(join(folder, 'scratch')), [])
})
