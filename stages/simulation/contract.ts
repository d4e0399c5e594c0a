import { z } from 'zod'
import { parseFault } from './fault-catalogue.ts'

export { faultCatalogue } from './fault-catalogue.ts'

const sourceSchema = z.strictObject({
  name: z.string().optional(),
  raDeg: z.number().min(0).max(360).describe('Right ascension, ICRS, degrees'),
  decDeg: z.number().min(-90).max(90).describe('Declination, ICRS, degrees'),
  fluxJy: z.number().describe('Flux density at 1.4 GHz, Jy, before the primary beam'),
  spectralIndex: z.number().default(-0.7).describe('alpha in S ~ nu^alpha'),
})
export const sourceListSchema = z.array(sourceSchema)
export type ListedSource = z.output<typeof sourceSchema>

const station = z.number().int().min(1).max(117)

/** Parameters of a synthetic observation; every default is the value of the preset `demo`. */
export const simulationParams = z.strictObject({
  preset: z
    .enum(['demo', 'full'])
    .default('demo')
    .describe('Base of all values that are not given: a small observation, or one of the real size (2.33 GB)'),
  seed: z
    .number()
    .int()
    .nonnegative()
    .default(1)
    .describe('Seed of everything random; the same parameters give the same bytes'),
  calibrator: z
    .string()
    .nullable()
    .default('3C286')
    .describe(
      'Source of the Perley & Butler 2017 scale that transits in the middle of the observation, or null for none',
    ),
  decOfDateDeg: z
    .number()
    .min(-40)
    .max(89)
    .nullable()
    .default(null)
    .describe(
      'Apparent declination of the pointing, degrees; null: that of the calibrator to the nearest half degree, or 30.5',
    ),
  startUtc: z.iso
    .datetime({ offset: false })
    .default('2025-01-25T22:26:05Z')
    .describe('Leading edge of the first integration, UTC; with a calibrator the earliest start'),
  antennas: z
    .union([z.number().int().min(2).max(117), z.array(station).min(2)])
    .default(96)
    .describe('Number of antennas, or a list of station numbers'),
  integrations: z.number().int().min(1).max(240).default(6).describe('Integrations of 12.884901888 s'),
  subbands: z
    .array(z.number().int().min(0).max(15))
    .min(1)
    .default([0, 1, 2, 3])
    .describe('Subbands, 0 the highest in frequency'),
  channels: z
    .number()
    .int()
    .min(1)
    .max(48)
    .refine((channels) => 48 % channels === 0, 'a divisor of 48')
    .default(12)
    .describe('Channels in a subband of 11.71875 MHz: 48 as the telescope writes, or a divisor of it (wider channels)'),
  polarizations: z
    .union([z.literal(2), z.literal(4)])
    .default(2)
    .describe('2: XX, YY; 4: XX, XY, YX, YY'),
  sources: z
    .union([z.number().int().min(0).max(1000), z.string(), sourceListSchema])
    .default(20)
    .describe(
      'Number of random isolated sources, or a JSON or CSV file (name, raDeg, decDeg, fluxJy, spectralIndex), or the list itself',
    ),
  minSnr: z.number().positive().default(20).describe('Least signal to noise, in the image, of a random source'),
  sefdJy: z
    .number()
    .positive()
    .nullable()
    .default(6500)
    .describe('System equivalent flux density of one antenna, Jy (dsa110/dsa110-antpos); null for no noise'),
  noiseAfterGains: z
    .boolean()
    .default(true)
    .describe(
      'true: noise of equal power in raw units on all antennas, as a levelled correlator has; false: the noise is multiplied by the gains',
    ),
  gains: z.boolean().default(true).describe('Random complex gain of every antenna and polarisation'),
  bandpass: z.boolean().default(true).describe('Random bandpass: smooth shape, ripple, delay, a step at every subband'),
  gainDrift: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe('Scale of a linear drift of the gains over the observation: relative amplitude and radians'),
  correlatorScale: z.number().positive().default(1).describe('Raw correlator units per Jy'),
  rfiChannels: z
    .number()
    .int()
    .min(0)
    .default(0)
    .describe('Channels with a narrow-band transmitter, in all integrations'),
  rfiBursts: z.number().int().min(0).default(0).describe('Integrations with a broad-band burst'),
  deadAntennas: z
    .union([z.number().int().min(0), z.array(station)])
    .default(0)
    .describe('Antennas whose visibilities are zero: a number of random ones, or a list of stations'),
  missingSubbands: z
    .array(z.number().int().min(0).max(15))
    .default([])
    .describe('Subbands of the list whose files are not written'),
  faults: z
    .array(
      z.string().superRefine((text, context) => {
        try {
          parseFault(text)
        } catch (error) {
          context.addIssue({ code: 'custom', message: (error as Error).message })
        }
      }),
    )
    .default([])
    .describe('What is wrong with the files: `name` or `name:parameter=value,...`, as for --fault'),
  catalogue: z.boolean().default(true).describe('Write a catalogue of the true sky beside the files'),
})
export type SimulationParams = z.output<typeof simulationParams>

export const presets: Readonly<Record<'demo' | 'full', z.input<typeof simulationParams>>> = {
  demo: {},
  full: {
    integrations: 24,
    subbands: Array.from({ length: 16 }, (_, index) => index),
    channels: 48,
    sources: 30,
    minSnr: 12,
  },
}

/** Parameters with the preset's values where none are given. @throws ZodError */
export function resolveParams(input: unknown): SimulationParams {
  const given = z.looseObject({ preset: z.enum(['demo', 'full']).default('demo') }).parse(input ?? {})
  return simulationParams.parse({ ...presets[given.preset], ...given })
}

const MiB = 2 ** 20
/** Bytes of a sample of /Data: complex float32, flag, float32. */
const SAMPLE_BYTES = 13
/** Bytes of a row of /Header: times, interval, two antennas, uvw. */
const ROW_BYTES = 44

/** Size of the files, resident memory and time on `cpu` cores (measured on 2 vCPU). */
export function planSimulation(
  params: SimulationParams,
  cpu: number,
): { bytes: number; workingBytes: number; seconds: number } {
  const antennas = typeof params.antennas === 'number' ? params.antennas : params.antennas.length
  const rows = ((antennas * (antennas + 1)) / 2) * params.integrations
  const subbands = params.subbands.filter((subband) => !params.missingSubbands.includes(subband)).length
  const samples = rows * params.channels * params.polarizations * subbands
  const sources =
    typeof params.sources === 'number' ? params.sources : Array.isArray(params.sources) ? params.sources.length : 100
  const bytes = samples * SAMPLE_BYTES + rows * subbands * ROW_BYTES
  const block = ((antennas * (antennas + 1)) / 2) * params.channels * params.polarizations
  const workers = Math.min(cpu, subbands)
  const seconds = 1 + (samples * (2e-8 + ((sources + 1) * 2e-9) / params.polarizations)) / workers
  return { bytes, workingBytes: 100 * MiB + workers * (60 * MiB + 40 * block), seconds }
}
