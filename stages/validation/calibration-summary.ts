import { z } from 'zod'

const series = z.array(z.number().nullable())
/** [antenna][polarisation] and [antenna][polarisation][channel or time bin]; null where flagged. */
const perPolarization = z.array(series)
const perPolarizationSeries = z.array(z.array(series))

/** What the report shows of a solution set: the `summary.json` beside it. Other members are ignored. */
export const calibrationSummarySchema = z.object({
  id: z.string(),
  observation: z.string(),
  calibrator: z.object({ name: z.string(), meanBeam: z.number(), apparentFluxJy: z.number(), fluxAnchor: z.string() }),
  grade: z.string(),
  antennas: z.array(z.string()),
  refant: z.string(),
  freqMhz: z.array(z.number()),
  binTimesMjdS: z.array(z.number()),
  bandpass: z.object({ amplitude: perPolarizationSeries, phaseDeg: perPolarizationSeries }),
  gain: z.object({ amplitude: perPolarization, phaseDeg: perPolarization }),
  phase: z.object({ phaseDeg: perPolarizationSeries }),
  sefdJy: perPolarization,
  flags: z.object({
    byReason: z.record(z.string(), z.number()),
    timeByFrequency: z.array(z.array(z.number())),
    antennaByFrequency: z.array(z.array(z.number())),
  }),
  residualPhaseDeg: z.object({ edges: z.array(z.number()), counts: z.array(z.number()) }),
})
export type CalibrationSummary = z.output<typeof calibrationSummarySchema>
