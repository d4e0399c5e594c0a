import { faultCatalogue } from '../../stages/simulation/contract.ts'
import { faultCases, MIN_SUBBANDS, smallObservation, type Answer, type FaultCase } from '../../test/e2e/fault-cases.ts'
import { code, table } from './markdown.ts'

const answers: Readonly<Record<Answer, string>> = {
  converted: 'the observation is converted; a check that blocks ends it there',
  gap: 'it is converted, what is absent is flagged and recorded',
  'set aside': 'so too, and the files at fault are quarantined with reason and evidence',
  parked: 'it is skipped, nothing is quarantined, and the same command takes it up when files arrive',
  failed: 'too few files are left without those at fault, which are quarantined',
  refused: 'the step ends with an error, and nothing is quarantined',
}

/** The page of the faults of raw data: how they are made, and what contimg answers. */
export function faultsPage(note: string): string {
  const made = faultCatalogue.map(({ name, help, params }) => [code(name), params.map(code).join(', '), help])
  const rows = [...new Set(faultCases.map(({ row }) => row))].flatMap((row) => [
    `### ${row.slice(0, 1).toUpperCase()}${row.slice(1)}`,
    table(
      ['fault', 'made by', 'answer', 'exit', 'remark'],
      faultCases.filter((fault) => fault.row === row).map(faultRow),
    ),
  ])
  const { subbands, integrations } = smallObservation
  return `${[
    note.trimEnd(),
    '# Faults of raw data',
    `What can be wrong with raw files, how \`contimg simulate\` makes it, and what contimg answers. Each of the ${faultCases.length} lines below is a test. Most of them are observations of one folder that one run goes through, beside a sound one that it finishes; the files of that folder are the same to the byte and the time after it.`,
    '## Faults that can be made',
    'A fault is `name` or `name:parameter=value,...`; lists are joined by `+`, ranges by `-`. Several can be given, each with an option of its own, and `truth.json` records them. `subbands` says in which files it is; without it a fault of a whole file is in the last one, any other in all.',
    '    contimg simulate --out bad --fault missing:subbands=0+3 --fault samples:value=nan,antennas=24',
    table(['fault', 'parameters', 'what is wrong'], made),
    '## What contimg answers',
    `The observations of this table have ${subbands.length} subbands, of which ${MIN_SUBBANDS} must be there (\`ingest.minSubbands\`), and ${integrations} integrations. The answers:`,
    Object.entries(answers)
      .map(([answer, text]) => `- **${answer}**: ${text}`)
      .join('\n'),
    'The exit code is that of a run of this observation alone, up to its conversion. Checks that are not good are named with their verdict. "As sound": all rows and samples of the set are those that the files without the fault give.',
    ...rows,
  ].join('\n\n')}\n`
}

function faultRow(fault: FaultCase): string[] {
  const { form, faults, set = {}, answer, absent, checks = {}, code: error, exit, asSound, waitSeconds, remark } = fault
  const settings = Object.entries(set).map(([key, value]) => code(`--set ${key}=${JSON.stringify(value)}`))
  const details = [
    ...(absent === undefined ? [] : [`subband${absent.length === 1 ? '' : 's'} ${absent.join(', ')} absent`]),
    ...(error === undefined ? [] : [code(error)]),
    ...Object.entries(checks).map(([check, verdict]) => `${code(check)} ${verdict}`),
    ...(asSound === true ? ['as sound'] : []),
    ...(waitSeconds === undefined ? [] : [code(`ingest.waitSeconds=${waitSeconds}`)]),
  ]
  return [
    form,
    [...faults.map(code), ...settings].join(' '),
    details.length === 0 ? answer : `${answer}: ${details.join(', ')}`,
    String(exit),
    remark ?? '',
  ]
}
