import type { ConfigKey } from '../pipeline/config-keys.ts'
import { table } from './format.ts'

const effects: Readonly<Record<ConfigKey['entersKeys'], string>> = {
  value: 'yes: a change makes the products of its stage, and of those after it, anew',
  content: 'by its content: other data make other products, another place does not',
  no: 'no: it changes no byte of a product',
}

/** Keys as a table; a single one in full. */
export function keyLines(keys: readonly ConfigKey[], { full }: { full: boolean }): string[] {
  const [key] = keys
  if (full && key !== undefined) return fullLines(key)
  return table([
    ['KEY', 'TYPE', 'UNIT', 'DEFAULT', 'ALLOWED'],
    ...keys
      .filter(({ kind }) => kind === 'value')
      .map((value) => [value.path, value.type, value.unit ?? '', defaultText(value), value.range ?? '']),
  ])
}

/** `7`, `[]`, or nothing where the default is found out when a run begins. */
export function defaultText({ default: value }: ConfigKey): string {
  return value === undefined ? '' : typeof value === 'string' ? value : JSON.stringify(value)
}

function fullLines(key: ConfigKey): string[] {
  const rows: [string, string | undefined][] = [
    ['meaning', key.meaning],
    ['type', key.type],
    ['unit', key.unit],
    ['allowed', key.range],
    ['default', key.default === undefined ? undefined : defaultText(key)],
    ['products', effects[key.entersKeys]],
    ['set it', `--set ${key.path}=VALUE, or in a configuration file`],
  ]
  return [key.path, ...table(rows.flatMap(([name, text]) => (text === undefined ? [] : [[`  ${name}`, text]])))]
}
