// `contimg` in a real pseudo-terminal: what a person sees at the end, and that the terminal is left as it was.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { needs } from '../oracles/oracle.ts'
import { cli, temporaryFolder } from './cli.ts'
import { screenOf } from './screen.ts'

const python = '/usr/bin/python3'
const helper = fileURLToPath(new URL('./terminal.py', import.meta.url))
const main = fileURLToPath(new URL('../../orchestrator/main.ts', import.meta.url))
const skip = existsSync(python) ? needs('wsclean') : `${python} is not installed`
const [HIDE, SHOW] = ['\u001b[?25l', '\u001b[?25h']

interface Action {
  when: string
  send?: string
  columns?: number
}

interface Seen {
  exitCode: number | null
  output: string
}

function inTerminal(
  argv: readonly string[],
  { columns = 100, actions = [], env = {} }: { columns?: number; actions?: Action[]; env?: Record<string, string> },
): Promise<Seen> {
  return new Promise((resolve, reject) => {
    const child = spawn(
      python,
      [helper, String(columns), '40', JSON.stringify(actions), process.execPath, main, ...argv],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
        env: { PATH: process.env['PATH'] ?? '', TERM: 'xterm-256color', LC_ALL: 'C.UTF-8', ...env },
      },
    )
    let output = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
    child.on('error', reject)
    child.on('close', (exitCode) => resolve({ exitCode, output }))
  })
}

describe('in a terminal', { skip }, () => {
  const shared = mkdtempSync(join(tmpdir(), 'contimg-terminal-'))
  const sky = join(shared, 'sky')
  after(() => rmSync(shared, { recursive: true, force: true }))
  before(async () => {
    const small = ['antennas=12', 'integrations=2', 'channels=4', 'catalogue=false', 'sources=0']
    const made = await cli(['simulate', '--out', sky, ...small.flatMap((setting) => ['--set', setting])])
    assert.equal(made.exitCode, 0, made.err)
  })
  const run = (root: string): string[] => [
    'run',
    join(sky, 'contimg.yaml'),
    '--root',
    root,
    '--name',
    'seen',
    '--until',
    'conversion',
  ]

  test('a block is drawn in place, gives way to the answer, and leaves the cursor as it was', async (t) => {
    const { exitCode, output } = await inTerminal(run(temporaryFolder(t)), {})
    assert.ok(exitCode === 0 || exitCode === 3, output)
    assert.ok(output.includes('\u001b[36m●\u001b[39m'))
    assert.ok(output.lastIndexOf(SHOW) > output.lastIndexOf(HIDE) && output.includes(HIDE))
    const screen = screenOf(output, 100)
    assert.equal(screen.filter((line) => /^seen {2}1 observation /.test(line)).length, 0, 'the block is gone')
    assert.equal(screen.filter((line) => /^seen {2}done in /.test(line)).length, 1)
    assert.match(screen.at(-1) ?? '', /^next +contimg report seen/)
  })

  test('Ctrl-C ends a run with 130, says how to go on, and shows the cursor again', async (t) => {
    const { exitCode, output } = await inTerminal(run(temporaryFolder(t)), {
      actions: [{ when: '●', send: '\u0003' }],
    })
    assert.equal(exitCode, 130, output)
    assert.ok(output.lastIndexOf(SHOW) > output.lastIndexOf(HIDE))
    const screen = screenOf(output, 100)
    assert.match(screen.at(-1) ?? '', /^ +contimg resume seen --root /)
    assert.equal(screen.filter((line) => /^seen {2}1 observation /.test(line)).length, 0, 'the block is gone')
  })

  test('a narrower window while it runs breaks nothing', async (t) => {
    let output = ''
    let frames: string[] = []
    // On a fast machine the run may be over before it is drawn again: then another one is looked at.
    for (let tries = 0; tries < 5 && frames.length === 0; tries++) {
      ;({ output } = await inTerminal(run(temporaryFolder(t)), {
        columns: 120,
        actions: [{ when: '●', columns: 50 }],
      }))
      frames = output
        .split('\u001b[?2026h')
        .map((frame) => frame.split('\u001b[?2026l', 1)[0] ?? '')
        .filter((frame) => frame.includes('●'))
        .slice(1)
    }
    const widths = frames.map((frame) => Math.max(...screenOf(frame, 500).map((line) => line.length)))
    assert.ok(widths.length > 0 && widths.slice(1).every((width) => width < 50), `${widths}`)
    assert.equal(
      screenOf(output, 120).filter((line) => line.includes('1 observation  ')).length,
      0,
      'the block is gone',
    )
  })

  test('without colours where NO_COLOR is set, without escapes where the terminal is dumb, and nothing with -q', async (t) => {
    const root = temporaryFolder(t)
    const plain = await inTerminal(run(root), { env: { NO_COLOR: '1' } })
    // oxlint-disable-next-line no-control-regex -- the escapes of colours are what is looked for
    assert.doesNotMatch(plain.output, /\u001b\[[\d;]*m/)
    const dumb = await inTerminal(run(root), { env: { TERM: 'dumb' } })
    assert.ok(!dumb.output.includes('\u001b'), dumb.output)
    assert.match(dumb.output, /ok 2\d{7}T\d{6} {2}conversion +reused/)
    const quiet = await inTerminal([...run(root), '-q', '--no-color'], {})
    assert.match(quiet.output, /^seen {2}done in /)
  })
})
