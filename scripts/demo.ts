// npm run demo: a small synthetic observation through all four stages, and a look at what came out.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const checkout = fileURLToPath(new URL('..', import.meta.url))
const root = resolve(process.env['CONTIMG_ROOT'] ?? join(checkout, 'contimg-data'))
const input = join(root, 'incoming', 'demo')

interface Step {
  stage: string
  outputs: Record<string, string>
  metrics: Record<string, number>
}

interface Answer {
  status: string
  observations: { id: string; verdict: string; steps: Step[] }[]
}

process.exitCode = await demo()

async function demo(): Promise<number> {
  if (existsSync(join(input, 'truth.json'))) say(`using the synthetic observation in ${input}`)
  else {
    say('simulating a small observation: 3C286 at transit and 20 more sources, 96 antennas, 4 subbands, 6 integrations')
    const simulated = await contimg(['simulate', '--out', input])
    if (simulated.code !== 0) return simulated.code
  }
  const ran = await contimg([
    'run',
    'examples/demo.yaml',
    '--root',
    root,
    '--input',
    input,
    '--catalogue',
    join(input, 'catalogue'),
    '-o',
    'json',
  ])
  if (ran.code !== 0) {
    say(`demo: the run ended with exit code ${ran.code}`)
    return ran.code
  }
  return judge(JSON.parse(ran.output) as Answer)
}

/** The demo passes only when its verdict is good: its sky is known. */
function judge({ observations }: Answer): number {
  const [observation] = observations
  const outputs = Object.assign({}, ...observation.steps.map((step) => step.outputs)) as Record<string, string>
  say('')
  say(`verdict   ${observation.verdict}`)
  say(`image     ${outputs['imagePbCorrected']}`)
  say(`picture   ${outputs['quicklook']}`)
  say(`catalogue ${outputs['catalogueCsv']}`)
  say(`report    ${outputs['report']}`)
  if (observation.verdict === 'good') return 0
  say(`demo: the verdict should be good; the checks are in the report`)
  return 1
}

/** Runs a contimg command; what it says goes to the terminal, its answer is returned. */
async function contimg(args: readonly string[]): Promise<{ code: number; output: string }> {
  const child = spawn(process.execPath, [join(checkout, 'orchestrator/main.ts'), ...args], {
    cwd: checkout,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal))
  let output = ''
  child.stdout.on('data', (block: Buffer) => (output += block.toString()))
  const code = await new Promise<number>((done) => child.on('close', (status) => done(status ?? 1)))
  return { code, output }
}

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}
