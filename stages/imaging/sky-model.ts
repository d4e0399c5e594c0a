import { z } from 'zod'
import type { SkySource } from '#runtime/sky/calibrators.ts'
import { StageError } from '#runtime/stage/errors.ts'

/** `sky-model.json` beside the calibrated sets: the sources that calibration predicted with. Unknown members are let be. */
const skyModelSchema = z.object({
  sources: z.array(
    z.object({
      name: z.string(),
      direction: z.object({ raRad: z.number(), decRad: z.number() }),
      flux: z.discriminatedUnion('kind', [
        z.object({ kind: z.literal('polynomial'), coefficients: z.array(z.number()) }),
        z.object({
          kind: z.literal('power-law'),
          fluxJy: z.number(),
          refFreqHz: z.number(),
          spectralIndex: z.number(),
        }),
      ]),
    }),
  ),
})

/** The sources of a sky model; throws INPUT_CHANGED when the text is none. */
export function parseSkyModel(text: string): SkySource[] {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (error) {
    throw new StageError('INPUT_CHANGED', 'sky-model.json of the calibrated data is not JSON', { cause: error })
  }
  const parsed = skyModelSchema.safeParse(json)
  if (!parsed.success) {
    throw new StageError('INPUT_CHANGED', `sky-model.json of the calibrated data: ${z.prettifyError(parsed.error)}`)
  }
  return parsed.data.sources
}
