import type { QuarantineRecord, QuarantineState } from '../pipeline/quarantine.ts'
import { quarantineId } from '../pipeline/quarantine.ts'
import { bytes, table } from './format.ts'

/** An entry as `contimg quarantine` shows it. */
export interface QuarantineView extends QuarantineRecord {
  state: QuarantineState
}

/** One line an entry, and what to type next. */
export function quarantineLines(entries: readonly QuarantineView[], { wide }: { wide: boolean }): string[] {
  const head = ['OBSERVATION', 'FILE', 'CODE', 'SINCE', 'RUN', ...(wide ? ['STATE', 'INPUT'] : []), 'REASON']
  const rows = entries.map(({ observation, file, code, at, run, state, input, message }) => [
    observation,
    file,
    code,
    minutes(at),
    run,
    ...(wide ? [state, input] : []),
    wide ? message : shortened(message),
  ])
  const other = entries.filter(({ state }) => state !== 'set aside').length
  return [
    ...table([head, ...rows]),
    ...(other === 0 || wide
      ? []
      : [
          `${other} of them ${other === 1 ? 'is' : 'are'} replaced or gone; the next run of that folder drops ${other === 1 ? 'it' : 'them'} (-o wide)`,
        ]),
  ]
}

/** All of one entry: the reason, the fix, and the evidence. */
export function quarantineDetails(entry: QuarantineView): string[] {
  const { code, message, hint, stage, input, run, at, state, evidence } = entry
  const id = quarantineId(entry)
  return [
    `${id}  ${state}`,
    `  why       ${message} [${code}]`,
    ...(hint === undefined ? [] : [`  fix       ${hint}`]),
    `  found by  ${stage ?? 'the scan'}, run ${run}, ${minutes(at)} UTC`,
    `  input     ${input}`,
    ...evidence.map(
      ({ file, bytes: size, mtimeMs, fingerprint }) =>
        `  file      ${file}, ${bytes(size)}, of ${minutes(new Date(mtimeMs).toISOString())} UTC${fingerprint === undefined ? '' : `, fingerprint ${fingerprint.slice(0, 12)}`}`,
    ),
    `  kept      the raw file is where it was, as it was`,
    state === 'set aside'
      ? `  next      contimg quarantine --release ${id}, or replace the file; then run the same command again`
      : `  next      run the same command again: the file ${state === 'gone' ? 'is no longer there' : 'is another one now'}`,
  ]
}

const REASON_WIDTH = 80

function shortened(text: string): string {
  const [line = ''] = text.split('\n', 1)
  return line.length <= REASON_WIDTH ? line : `${line.slice(0, REASON_WIDTH - 1)}…`
}

function minutes(iso: string): string {
  return iso.slice(0, 16).replace('T', ' ')
}
