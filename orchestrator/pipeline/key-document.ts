import { z } from 'zod'
import { verdictSchema } from '#runtime/stage/quality.ts'
import { pipelineStages } from './stages.ts'

/** A key file: what a product was made from, and the solution set that it holds. */
export const keyDocumentSchema = z.object({
  key: z.string(),
  parts: z.object({
    stage: z.enum(pipelineStages),
    version: z.number(),
    params: z.record(z.string(), z.unknown()),
    inputs: z.record(z.string(), z.union([z.string(), z.array(z.string())])),
  }),
  solution: z
    .object({
      observation: z.string(),
      midMjdUtc: z.number(),
      decOfDateDeg: z.number(),
      grid: z.string(),
      solveKey: z.string(),
      calibrator: z.string(),
      apparentFluxJy: z.number(),
      grade: verdictSchema.optional(),
      product: z.string().optional(),
    })
    .optional(),
  seal: z.string(),
})
