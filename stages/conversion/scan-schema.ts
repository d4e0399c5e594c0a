import { z } from 'zod'
import { apiVersion, type ObservationShape } from '#runtime/stage/contract.ts'

/** Why a raw file is not used. All codes but INPUT_GROWING set raw data aside, as the stages' error catalogue says. */
const scanFaultSchema = z.strictObject({
  /** Path relative to the scanned folder. */
  file: z.string(),
  code: z.enum(['DATA_UNREADABLE', 'DATA_UNSUPPORTED', 'DATA_IMPLAUSIBLE', 'INPUT_GROWING']),
  message: z.string(),
  hint: z.string(),
})
export type ScanFault = z.infer<typeof scanFaultSchema>

/** Something worth knowing that keeps no file from being used. */
const scanWarningSchema = z.strictObject({
  /** Absent when it concerns the observation as a whole. */
  file: z.string().optional(),
  message: z.string(),
})
export type ScanWarning = z.infer<typeof scanWarningSchema>

const shapeSchema = z.strictObject({
  antennas: z.int().positive(),
  baselines: z.int().positive(),
  integrations: z.int().positive(),
  subbands: z.int().positive(),
  channelsPerSubband: z.int().positive(),
  polarizations: z.int().positive(),
}) satisfies z.ZodType<ObservationShape>

const scanObservationSchema = z.strictObject({
  /** UTC of the leading edge, `YYYYMMDDTHHMMSS`. */
  id: z.string().regex(/^\d{8}T\d{6}$/),
  /** Leading edge of the first integration. */
  startMjdUtc: z.number(),
  /** Declination of the pointing, apparent of date. */
  decOfDateRad: z.number(),
  /** ICRS place of (hour angle 0, declination of date) in the middle of the observation: the phase centre of conversion. */
  centre: z.strictObject({ raDeg: z.number(), decDeg: z.number() }),
  /** `subbands` counts those present. */
  shape: shapeSchema,
  /** Indices of the subbands present, from their frequencies, ascending. */
  subbands: z.array(z.int().nonnegative()),
  /** The usable files, by ascending subband index. */
  files: z.array(
    z.strictObject({
      path: z.string(),
      bytes: z.int().nonnegative(),
      mtimeMs: z.number(),
      fingerprint: z.string().regex(/^[0-9a-f]{64}$/),
      subband: z.int().nonnegative(),
    }),
  ),
  /** Files of this observation that are not used. */
  faults: z.array(scanFaultSchema),
  warnings: z.array(scanWarningSchema),
  /** Calibrators in the beam that could serve, best first. */
  calibrators: z.array(
    z.strictObject({
      name: z.string(),
      /** Primary beam power, mean over the observation and the band. */
      meanBeam: z.number(),
      apparentFluxJy: z.number(),
      /** Step of the calibrator ladder by which it serves. */
      rule: z.number(),
      /** Smallest distance from a beam centre. */
      separationDeg: z.number(),
      /** Flux-density scale of the source's model. */
      fluxAnchor: z.string(),
    }),
  ),
})
export type ScanObservation = z.infer<typeof scanObservationSchema>

/** What `--scan` writes: every observation with at least one usable file, and every file that is not used. */
export const scanSchema = z.strictObject({
  apiVersion: z.literal(apiVersion),
  /** The folder that was scanned, as given. */
  input: z.string(),
  /** Candidates looked at: HDF5 files that are not being written. */
  files: z.int().nonnegative(),
  observations: z.array(scanObservationSchema),
  /** Files that belong to no observation above; `observation` is the id that they seem to belong to. */
  faults: z.array(scanFaultSchema.extend({ observation: z.string().optional() })),
  warnings: z.array(scanWarningSchema),
})
export type Scan = z.infer<typeof scanSchema>
