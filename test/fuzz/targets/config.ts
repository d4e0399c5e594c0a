import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse, stringify } from 'yaml'
import { loadConfig } from '../../../orchestrator/cli/load-config.ts'
import { damageJson, damageText } from '../damage.ts'
import { MiB, type FuzzTarget } from '../target.ts'

const examples = fileURLToPath(new URL('../../../examples', import.meta.url))

/** What YAML can do to its readers: aliases that multiply, tags, merges, several documents, other types. */
const tokens = [
  'a: &a [x, x, x, x, x, x, x, x, x]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a]\nc: &c [*b, *b, *b, *b, *b, *b, *b, *b]\nd: &d [*c, *c, *c, *c, *c, *c, *c, *c]\ne: [*d, *d, *d, *d, *d, *d, *d, *d]',
  '&a [*a]',
  '*missing',
  '<<: {root: /etc}',
  '!!js/function "x"',
  '!!binary "AAAA"',
  '!!set {a, b}',
  '!!omap [a: 1]',
  '---',
  '...',
  '%YAML 9.9',
  '? {a: b}\n: c',
  '? [a]\n: c',
  '2026-01-25T22:26:05Z',
  '0o17',
  '.nan',
  '.inf',
  '~',
  '|',
  '>-',
  '{',
  '[[[[[[[[[[[[',
  'imaging',
  'imaging.cellArcsec',
  'conversion',
  'yes',
  '8Gi',
  '-1Gi',
]

/** Configurations in YAML, from the examples; every other one also with settings of the command line. */
export const config: FuzzTarget = {
  codes: ['CONFIG_INVALID', 'CONFIG_UNREADABLE', 'USAGE'],
  memoryBytes: 16 * MiB,
  prepare(folder) {
    const path = join(folder, 'run.yaml')
    mkdirSync(join(folder, 'here'))
    return {
      seeds: readdirSync(examples)
        .filter((name) => name.endsWith('.yaml'))
        .map((name) => ({ name, bytes: readFileSync(join(examples, name)) })),
      mutate({ bytes }, random) {
        if (random.int(2) === 0) return damageText(bytes, random, tokens)
        const json = damageJson(Buffer.from(JSON.stringify(parse(bytes.toString('utf8')))), random).toString('utf8')
        try {
          return Buffer.from(random.int(2) === 0 || isDeep(json) ? json : stringify(JSON.parse(json)))
        } catch {
          return Buffer.from(json)
        }
      },
      async read({ bytes, index }) {
        writeFileSync(path, bytes)
        const text = bytes.toString('latin1')
        const set = [text.slice(0, 40), `imaging.${text.slice(40, 60)}=${text.slice(60, 90)}`]
        await loadConfig('run.yaml', index % 4 === 0 ? { set } : {}, { env: {}, cwd: folder })
        return true
      },
    }
  },
}

/** What the writer of YAML needs minutes for. */
function isDeep(json: string): boolean {
  return json.includes('[{"a":[{"a":[{"a":')
}
