import { z } from 'zod'

/** One catalogue source; unknown numbers are NaN. Positions are ICRS (J2000), flux densities at the catalogue's frequency. */
export interface CatalogueSource {
  id: string
  raDeg: number
  decDeg: number
  /** 1-sigma errors on the sky (right ascension times cos dec). */
  eRaArcsec: number
  eDecArcsec: number
  sIntMjy: number
  eSIntMjy: number
  /** mJy per beam of the catalogue. */
  sPeakMjy: number
  majArcsec: number
  minArcsec: number
  paDeg: number
  /** The sizes are upper limits. */
  sizeIsLimit: boolean
  flags: number
}

const coverageSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('declinations'), minDeg: z.number(), maxDeg: z.number() }),
  z.strictObject({ kind: z.literal('cone'), raDeg: z.number(), decDeg: z.number(), radiusDeg: z.number() }),
])

export const aboutSchema = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9._-]*$/, 'lower-case letters, digits, dot, dash and underscore'),
  version: z.string(),
  /** Where its flux densities were measured. */
  freqHz: z.number().positive(),
  resolutionArcsec: z.number().nonnegative(),
  epoch: z.number().default(2000),
  /** Flux density above which the catalogue can be called complete; 0 for a made-up sky. */
  completeMjy: z.number().nonnegative().default(0),
  /** Where it has sources; default: the cone or the range of declination that encloses its rows. */
  coverage: coverageSchema.optional(),
  /** Fitted sizes hold the survey's beam; deconvolved ones do not. */
  sizes: z.enum(['deconvolved', 'fitted']).default('deconvolved'),
  /** The truth of a synthetic observation, not a survey. */
  simulated: z.boolean().default(false),
  /** Spectral index of all sources, S ~ nu^alpha, where the catalogue fixes one. */
  spectralIndex: z.number().optional(),
  citation: z.string().default(''),
  /** Where the rows came from: identifier, sha256 of the imported file, which column became which. */
  vizier: z.string().optional(),
  sourceSha256: z.string().optional(),
  columns: z.record(z.string(), z.string()).optional(),
})

export const infoSchema = aboutSchema.extend({
  coverage: coverageSchema,
  format: z.literal('contimg-catalogue/1'),
  rows: z.number().int().nonnegative(),
  /** Rows that were left out: repeated, or without a finite position or flux density. */
  rejected: z.number().int().nonnegative(),
  sha256: z.string(),
  hash12: z.string(),
})

export type CatalogueAbout = z.input<typeof aboutSchema>
export type CatalogueInfo = z.output<typeof infoSchema>
