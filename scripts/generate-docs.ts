// Writes the reference pages that follow from the contracts; with --check it only says whether they are up to date.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { problemCatalogue } from '../orchestrator/pipeline/problem.ts'
import { calibration } from '../stages/calibration/contract.ts'
import { conversion } from '../stages/conversion/contract.ts'
import { imaging } from '../stages/imaging/contract.ts'
import { errorCatalogue } from '../stages/runtime/stage/errors.ts'
import type { StageContract } from '../stages/runtime/stage/contract.ts'
import { validation } from '../stages/validation/contract.ts'
import { architecturePage } from './pages/architecture.ts'
import { commandsPage } from './pages/commands.ts'
import { configurationPage } from './pages/configuration.ts'
import { faultsPage } from './pages/faults.ts'
import { code, table } from './pages/markdown.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const note = generatedFrom('the stage contracts and the catalogues of errors')

const pages: Record<string, string> = {
  'docs/stage-contracts.md': stagePage([conversion, calibration, imaging, validation]),
  'docs/error-codes.md': errorPage(),
  'docs/faults.md': faultsPage(generatedFrom('the catalogue of faults of the simulation and test/e2e/fault-cases.ts')),
  'docs/configuration.md': configurationPage(generatedFrom('the schema of the configuration')),
  'docs/commands.md': await commandsPage(generatedFrom('the help texts of the commands')),
  'docs/architecture.md': architecturePage(root, readText(join(root, 'docs/architecture.md')) ?? ''),
}

const stale = Object.entries(pages).filter(([path, text]) => readText(join(root, path)) !== text)
if (process.argv.includes('--check')) {
  for (const [path] of stale) console.error(`${path} is out of date: run node scripts/generate-docs.ts`)
  process.exit(stale.length === 0 ? 0 : 1)
}
for (const [path, text] of stale) writeFileSync(join(root, path), text)

function stagePage(contracts: readonly StageContract[]): string {
  const sections = contracts.map((contract) => {
    const parameters = parameterRows(z.toJSONSchema(contract.params, { io: 'input' }) as Schema)
    const outputs = Object.entries(contract.outputs).map(([name, spec]) => [
      code(name),
      code(spec.path),
      optional(spec),
      spec.help,
    ])
    const metrics = Object.entries(contract.metrics).map(([name, spec]) => [code(name), spec.unit, spec.help])
    const inputs = Object.entries(contract.inputs).map(([name, spec]) => [
      code(name),
      spec.kind,
      spec.many ? 'list' : optional(spec),
    ])
    return [
      `## ${contract.name} (contract version ${contract.version})`,
      `### Parameters\nIn the config under \`${contract.name}:\`, or \`--set ${contract.name}.<parameter>=<value>\`.`,
      table(['parameter', 'default', 'meaning'], parameters),
      '### Inputs',
      table(['input', 'kind', ''], inputs),
      '### Outputs',
      table(['output', 'path in the product', '', 'content'], outputs),
      '### Metrics',
      table(['metric', 'unit', 'meaning'], metrics),
    ].join('\n\n')
  })
  return `${note}\n# Stage contracts\n\nWhat goes into each stage and what comes out.\n\n${sections.join('\n\n')}\n`
}

interface Schema {
  properties?: Record<string, Schema>
  description?: string
  default?: unknown
  anyOf?: Schema[]
}

function parameterRows(schema: Schema, prefix = ''): string[][] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, property]) => {
    const path = `${prefix}${name}`
    const row = [
      code(path),
      property.default === undefined ? '' : code(JSON.stringify(property.default)),
      property.description ?? '',
    ]
    return property.properties === undefined ? [row] : [row, ...parameterRows(property, `${path}.`)]
  })
}

function errorPage(): string {
  const rows = Object.entries(errorCatalogue).map(([name, { exit, retryable, quarantine, help, fix }]) => [
    code(name),
    String(exit),
    retryable ? 'yes' : 'no',
    quarantine ? 'yes' : 'no',
    help,
    fix,
  ])
  const problems = Object.entries(problemCatalogue).map(([name, { exit, help, fix }]) => [
    code(name),
    String(exit),
    help,
    fix,
  ])
  return [
    note.trimEnd(),
    '# Error codes',
    'Every message of contimg ends with one of these codes in brackets; in JSON it is `error.code`. What the exit codes of `contimg` mean is in [running](running.md).',
    '## Commands and runs',
    'What a command or a step of a run can end with besides the codes of the stages, and the exit code of `contimg` then.',
    table(['code', 'exit', 'cause', 'fix'], problems),
    '## Stages',
    'What a stage can end with, the exit code of its process (`contimg` itself then ends with 1), whether another attempt can help, and whether the observation is set aside because its raw data are at fault.',
    table(['code', 'exit', 'retry', 'quarantine', 'cause', 'fix'], rows),
    '',
  ]
    .join('\n\n')
    .replace(/\n+$/, '\n')
}

function generatedFrom(what: string): string {
  return `<!-- Generated by scripts/generate-docs.ts from ${what}: edit those. -->\n`
}

function optional({ optional: isOptional }: { optional?: boolean }): string {
  return isOptional ? 'optional' : ''
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
