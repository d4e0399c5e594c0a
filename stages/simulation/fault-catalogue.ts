import { z } from 'zod'

/**
 * The faults that `contimg simulate --fault` makes. A fault is one text, `name` or `name:parameter=value,...`; lists are
 * joined by `+`, ranges by `-`: `samples:value=nan,channels=0-3,antennas=24+101`.
 */

const number = (text: string): number => (text.trim() === '' ? Number.NaN : Number(text))
const real = z.string().transform(number).pipe(z.number())
const positive = z.string().transform(number).pipe(z.number().positive())
const whole = (least: number): z.ZodType<number, string> =>
  z.string().transform(number).pipe(z.number().int().min(least))

/** `0+3+5-7` as numbers, each once, ascending. */
const list = z
  .string()
  .regex(/^\d+(-\d+)?(\+\d+(-\d+)?)*$/, 'numbers joined by +, ranges by -')
  .transform((text): number[] => {
    const numbers = text.split('+').flatMap((part) => {
      const [first, last = first] = part.split('-').map(Number)
      return Array.from({ length: Math.min(1000, Math.max(0, last - first + 1)) }, (_, index) => first + index)
    })
    return [...new Set(numbers)].sort((a, b) => a - b)
  })

/** Subbands that a fault is in; where none are given it is in the last one, or in all, as its entry says. */
const subbands = list.optional()

const entries = {
  missing: { help: 'no file', where: 'last', params: { subbands } },
  late: {
    help: 'the file appears after `seconds` (5); simulate ends with it',
    where: 'last',
    params: { subbands, seconds: positive.prefault('5') },
  },
  incomplete: {
    help: 'the file keeps the name of one that is being written, `hours` (0) old; with `seconds` it gets its name then',
    where: 'last',
    params: { subbands, hours: real.prefault('0'), seconds: positive.optional() },
  },
  truncated: {
    help: 'cut `at` a part of its size (0.5), at a byte, or (negative) so many bytes before its end',
    where: 'last',
    params: { subbands, at: real.prefault('0.5') },
  },
  growing: {
    help: 'written under its own name, piece by piece, over `seconds` (5)',
    where: 'last',
    params: { subbands, seconds: positive.prefault('5') },
  },
  'damaged-index': {
    help: 'bytes in the middle of the index of the visibilities are overwritten; the header is whole',
    where: 'last',
    params: { subbands },
  },
  short: {
    help: 'the last `integrations` (1) are absent',
    where: 'all',
    params: { subbands, integrations: whole(1).prefault('1') },
  },
  clock: {
    help: 'the stamps count on from `mjd` (55000, as without a time service), `files` (0) files after it',
    where: 'all',
    params: { subbands, mjd: real.prefault('55000'), files: whole(0).prefault('0') },
  },
  shifted: {
    help: 'all stamps are `integrations` (1) late, as after dropped buffers',
    where: 'last',
    params: { subbands, integrations: whole(1).prefault('1') },
  },
  stamp: {
    help: 'the stamp in the name is `seconds` (82) late',
    where: 'last',
    params: { subbands, seconds: real.prefault('82') },
  },
  samples: {
    help: '`value` (nan, inf, zero, or noise without signal) in the integrations, channels of a subband, antennas (stations) and polarisations (0 first) given; all where none are',
    where: 'all',
    params: {
      subbands,
      value: z.enum(['nan', 'inf', 'zero', 'noise']).prefault('nan'),
      integrations: list.optional(),
      channels: list.optional(),
      antennas: list.optional(),
      polarizations: list.optional(),
    },
  },
  rfi: {
    help: 'interference of `jy` (1000) on baselines below `metres` (all), in the channels and integrations given',
    where: 'all',
    params: {
      subbands,
      jy: positive.prefault('1000'),
      metres: positive.optional(),
      channels: list.optional(),
      integrations: list.optional(),
    },
  },
  reversed: {
    help: 'pairs with one of `antennas` (all pairs) listed the other way round, visibilities conjugated',
    where: 'all',
    params: { subbands, antennas: list.optional() },
  },
  duplicate: {
    help: 'a second file of the same time and subband, its stamp `seconds` (9) later, its `content` same or different',
    where: 'last',
    params: { subbands, seconds: whole(1).prefault('9'), content: z.enum(['same', 'different']).prefault('same') },
  },
  compressed: {
    help: '`filter` (gzip, lzf, bitshuffle, or unknown) on the `datasets` (visdata+flags+nsamples) given, those of rows',
    where: 'all',
    params: {
      subbands,
      filter: z.enum(['gzip', 'lzf', 'bitshuffle', 'unknown']).prefault('gzip'),
      datasets: z
        .string()
        .regex(/^[a-z0-9_]+(\+[a-z0-9_]+)*$/, 'names joined by +')
        .transform((text) => text.split('+'))
        .pipe(
          z.array(
            z.enum([
              'visdata',
              'flags',
              'nsamples',
              'uvw_array',
              'time_array',
              'integration_time',
              'ant_1_array',
              'ant_2_array',
            ]),
          ),
        )
        .prefault('visdata+flags+nsamples'),
    },
  },
  strings: {
    help: 'all strings of `kind` variable or fixed length, or a history that is not ASCII (non-ascii)',
    where: 'all',
    params: { subbands, kind: z.enum(['variable', 'fixed', 'non-ascii']).prefault('variable') },
  },
  layout: {
    help: '`variant`: rank-3, version-1, flags-uint8, ascending, negative-width, contiguous, or chunks (of another shape)',
    where: 'all',
    params: {
      subbands,
      variant: z
        .enum(['rank-3', 'version-1', 'flags-uint8', 'ascending', 'negative-width', 'contiguous', 'chunks'])
        .prefault('rank-3'),
    },
  },
  declination: {
    help: 'the header states a declination that is off by `arcsec` (120); data and w are right',
    where: 'all',
    params: { subbands, arcsec: real.prefault('120') },
  },
  'stale-declination': {
    help: 'the dishes point `degrees` (1) north of what header, fringe-stopping and w say, as after a repointing',
    where: 'all',
    params: { subbands, degrees: real.prefault('1') },
  },
  'no-fringe-stop': {
    help: 'fringe-stopping was off, the header is unchanged',
    where: 'all',
    params: { subbands },
  },
  label: {
    help: 'the name says that the file holds another subband (`says`, 15)',
    where: 'last',
    params: { subbands, says: whole(0).prefault('15') },
  },
  'station-moved': {
    help: '`station` stands `cm` (10) `towards` north, east or up of where the header has it',
    where: 'all',
    params: {
      subbands,
      station: whole(1),
      cm: real.prefault('10'),
      towards: z.enum(['north', 'east', 'up']).prefault('north'),
    },
  },
  'rotated-positions': {
    help: 'antenna positions turned to the local meridian, as UVFITS has them',
    where: 'all',
    params: { subbands },
  },
} as const satisfies Record<
  string,
  { help: string; where: 'last' | 'all'; params: z.ZodRawShape & { subbands: typeof subbands } }
>

export type FaultName = keyof typeof entries

/** One fault with its parameters; `subbands` only where they were given. */
export type Fault = {
  [Name in FaultName]: { name: Name } & z.output<z.ZodObject<(typeof entries)[Name]['params']>>
}[FaultName]

/** The catalogue as help and documentation show it. */
export const faultCatalogue: readonly { name: FaultName; help: string; params: readonly string[] }[] = Object.entries(
  entries,
).map(([name, { help, params }]) => ({ name: name as FaultName, help, params: Object.keys(params) }))

/** Whether a fault is in all subbands where none are named, or in the last one alone. */
export function defaultPlace(name: FaultName): 'last' | 'all' {
  return entries[name].where
}

/** A fault from its text. @throws RangeError that says what is wrong with it */
export function parseFault(text: string): Fault {
  const [name, ...rest] = text.split(':')
  if (!Object.hasOwn(entries, name))
    throw new RangeError(`no fault is called "${name}"; there are: ${Object.keys(entries).join(', ')}`)
  const { params } = entries[name as FaultName]
  const given: Record<string, string> = {}
  for (const part of rest.join(':').split(',')) {
    if (part === '') continue
    const [key, ...value] = part.split('=')
    if (!Object.hasOwn(params, key))
      throw new RangeError(`${name} has no parameter "${key}"; it has: ${Object.keys(params).join(', ')}`)
    given[key] = value.join('=')
  }
  const parsed = z.strictObject(params).safeParse(given)
  if (parsed.success) return { name, ...parsed.data } as Fault
  const [{ path, message }] = parsed.error.issues
  throw new RangeError(`${name}: ${path.join('.')}: ${message}`)
}
