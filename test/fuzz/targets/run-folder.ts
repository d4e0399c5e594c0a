import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { stringify } from 'yaml'
import { sealed } from '#runtime/stage/checksums.ts'
import { runCli } from '../../../orchestrator/cli/program.ts'
import { parseConfig } from '../../../orchestrator/pipeline/config.ts'
import { observation } from '../../orchestrator/workbench.ts'
import { damageJson, damageText } from '../damage.ts'
import { MiB, type FuzzTarget, type Seed } from '../target.ts'
import { result0 } from './products.ts'
import { completeRun } from './run-events.ts'

const commands = [['get'], ['report'], ['verify', '@latest'], ['get', '-o', 'wide'], ['logs'], ['list', '-o', 'wide']]

/** What lies beside the log in the folder of a run, with the log and without it: all commands that look at a run. */
export const runFolder: FuzzTarget = {
  codes: [],
  memoryBytes: 64 * MiB,
  prepare(folder) {
    const root = join(folder, 'root')
    const run = join(root, 'runs', 'brave-quasar')
    const product = join(root, 'products/20260125T222605/calibration/0123456789ab')
    for (const path of [join(run, 'attempts', 'one'), product]) mkdirSync(path, { recursive: true })
    const result = sealed(result0)
    writeFileSync(join(product, 'result.json'), JSON.stringify(result))
    const config = parseConfig({ overrides: [], resolvePath: (path) => join(root, path) })
    const lock = { pid: 2 ** 22 + 1, started: '1', boot: 'b', space: 'pid:[1]', id: 'x', host: 'other' }
    const snapshot = { stage: 'imaging', phase: 'clean', peakMemoryBytes: 1e8, done: 1, total: 2, unit: 'rows' }
    const context = {
      apiVersion: 'contimg/v1',
      run: 'brave-quasar',
      observation: '20260125T222605',
      stage: 'calibration',
      key: result0.key,
      attempt: { number: 1, uid: '0b1f' },
      params: {},
      inputs: {},
      productDir: 'products/20260125T222605/calibration/0123456789ab',
      scratchDir: join(folder, 'scratch'),
      resources: { cpu: 4, memoryBytes: 8e9, scratchBytes: 2e9 },
    }
    const scan = {
      apiVersion: 'contimg/v1',
      input: '',
      files: 16,
      observations: [observation('20260125T222605')],
      faults: [],
      warnings: [],
    }
    const stamps = { seal: result.seal, at: 2e12, files: { 'solutions.bin': '5 1 1 1' } }
    const files = {
      'runs/brave-quasar/scan.json': scan,
      'runs/brave-quasar/lock': lock,
      'runs/brave-quasar/attempts/one/context.json': context,
      'runs/brave-quasar/attempts/one/snapshot.json': snapshot,
      'cache/verified/20260125T222605/calibration/0123456789ab.json': stamps,
    }
    const seeds: Seed[] = [
      ...Object.entries(files).map(([name, value]) => ({ name, bytes: Buffer.from(JSON.stringify(value)) })),
      { name: 'runs/brave-quasar/config.yaml', bytes: Buffer.from(stringify(config)) },
    ]
    const put = ({ name, bytes }: Seed): void => {
      mkdirSync(dirname(join(root, name)), { recursive: true })
      writeFileSync(join(root, name), bytes)
    }
    seeds.forEach(put)
    // The last attempt is one that runs, as far as the log tells.
    const events = completeRun('a message').slice(0, -6)
    const log = events.map((event) =>
      JSON.stringify('log' in event ? { ...event, log: 'runs/brave-quasar/attempts/one/stage.log' } : event),
    )
    let damaged = seeds[0]
    return {
      seeds,
      // Of the process that holds a lock the system is asked.
      allowed: [root, '/proc/*'],
      mutate: ({ name, bytes }, random) =>
        name.endsWith('.yaml') || random.int(8) === 0
          ? damageText(bytes, random, ['null', '{}', '- a'])
          : damageJson(bytes, random),
      async read({ bytes, seed, index }) {
        put(damaged)
        put({ ...seed, bytes })
        damaged = seed
        const turn = Math.floor(index / seeds.length)
        if (turn % 2 === 0) writeFileSync(join(run, 'events.ndjson'), `${log.join('\n')}\n`)
        else rmSync(join(run, 'events.ndjson'), { force: true })
        let said = ''
        const say = (text: string): void => {
          said += text
        }
        const exitCode = await runCli(commands[Math.floor(turn / 2) % commands.length], {
          env: { CONTIMG_ROOT: root },
          cwd: folder,
          out: say,
          err: say,
          now: () => new Date(1.8e12),
          random: () => 0.5,
          signal: new AbortController().signal,
          stagesDir: folder,
        })
        if (said.includes('[INTERNAL]')) throw new Error(said)
        return exitCode === 0
      },
    }
  },
}
