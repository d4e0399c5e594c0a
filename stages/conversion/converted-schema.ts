import { z } from 'zod'
import { checkSchema, verdictSchema } from '#runtime/stage/quality.ts'

/** What a stand-alone conversion says of itself, to its caller and to a person's script; removing a field is a breaking change. */
export const convertedSchema = z.strictObject({
  /** Absolute path of the MeasurementSet. */
  output: z.string(),
  /** Whether an earlier set of that name was replaced. */
  replaced: z.boolean(),
  verdict: verdictSchema,
  /** By ascending subband. */
  files: z.array(
    z.strictObject({
      path: z.string(),
      bytes: z.int().nonnegative(),
      fingerprint: z.string().regex(/^[0-9a-f]{64}$/),
      /** Place in the band, 0 being the highest frequency: of the correlator for DSA-110, else of the files given. */
      subband: z.int().nonnegative(),
      lowestHz: z.number(),
      highestHz: z.number(),
      read: z.strictObject({
        /** At the chunk addresses in the file, or through the HDF5 library. */
        method: z.enum(['direct', 'h5wasm']),
        /** Why not directly. */
        reason: z.string().optional(),
      }),
    }),
  ),
  rows: z.int().positive(),
  channels: z.int().positive(),
  polarizations: z.int().positive(),
  integrations: z.int().positive(),
  antennas: z.int().nonnegative(),
  /** The phase centre, ICRS. */
  centre: z.strictObject({ raDeg: z.number(), decDeg: z.number() }),
  checks: z.array(checkSchema),
  /** In the order in which they ended. */
  phases: z.array(z.strictObject({ name: z.string(), seconds: z.number(), cpuSeconds: z.number() })),
  /** From the start of the process; bytes are those that went through read and write calls. */
  usage: z.strictObject({
    seconds: z.number(),
    cpuSeconds: z.number(),
    peakMemoryBytes: z.number(),
    peakScratchBytes: z.number(),
    readBytes: z.number(),
    writtenBytes: z.number(),
  }),
  /** Sizes of the files given and of the set made. */
  bytes: z.strictObject({ input: z.int().nonnegative(), output: z.int().nonnegative() }),
  /** Where the set was assembled, and why there. */
  staging: z.strictObject({ staged: z.boolean(), reason: z.string() }),
  warnings: z.array(z.string()),
  /** Of the sorted lines `path size sha256` over the files of the set; only when it was asked for. */
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .optional(),
  /** The metrics of the conversion stage. */
  metrics: z.record(z.string(), z.number()),
})
export type Converted = z.infer<typeof convertedSchema>
