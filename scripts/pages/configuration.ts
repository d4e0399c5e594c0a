import { configSchema } from '../../orchestrator/pipeline/config.ts'
import { configKeys, inputSchema, type ConfigKey } from '../../orchestrator/pipeline/config-keys.ts'
import { defaultText } from '../../orchestrator/view/config-keys.ts'
import { code, table } from './markdown.ts'

const words: Record<ConfigKey['entersKeys'], string> = { value: 'yes', content: 'content', no: 'no' }

/** docs/configuration.md: every key of the configuration, from its schema. */
export function configurationPage(note: string): string {
  const keys = configKeys(inputSchema(configSchema))
  const tops = [...new Set(keys.map(({ path }) => path.split('.')[0] ?? ''))]
  const blocks = tops.filter((top) => keys.some(({ path }) => path.startsWith(`${top}.`)))
  const single = keys.filter(({ path }) => !path.includes('.') && !blocks.includes(path))
  const sections = blocks.map((block) => {
    const meaning = keys.find(({ path }) => path === block)?.meaning
    const own = keys.filter(({ path, kind }) => path.startsWith(`${block}.`) && kind === 'value')
    return [`## ${block}`, ...(meaning === undefined ? [] : [`${meaning}.`]), keyTable(own, block)].join('\n\n')
  })
  return [
    note.trimEnd(),
    '# Configuration reference',
    'Every key of a configuration file. All are optional. On the command line any of them is set by `--set key.path=value`; `contimg explain key.path` shows one, `contimg check-config FILE` checks a file, `contimg plan FILE --show-config` says where each value comes from, and `contimg schema` prints the JSON schema for an editor. How files, environment and flags come together is in [running](running.md#configuration).',
    'The last column says whether a change makes products anew: yes, by its value; content: by the content of what it names, wherever that lies; no: it changes no byte of a product. An empty default is explained in the meaning.',
    '## Top level',
    keyTable(single, ''),
    ...sections,
    '',
  ]
    .join('\n\n')
    .replace(/\n+$/, '\n')
}

function keyTable(keys: readonly ConfigKey[], block: string): string {
  return table(
    ['key', 'type', 'unit', 'default', 'allowed', 'meaning', 'enters keys'],
    keys.map((key) => [
      code(block === '' ? key.path : key.path.slice(block.length + 1)),
      key.type,
      key.unit ?? '',
      key.default === undefined ? '' : code(defaultText(key) === '' ? '""' : defaultText(key)),
      key.range ?? '',
      key.meaning ?? '',
      words[key.entersKeys],
    ]),
  )
}
