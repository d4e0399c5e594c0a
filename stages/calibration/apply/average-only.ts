import { quality, type Check } from '#runtime/stage/quality.ts'
import { unitGains } from './applied-gains.ts'
import { dataFlaggedCheck } from '../checks.ts'
import { flagMetrics, type Observation, type Outcome } from '../context.ts'
import { writeOutput } from './write-output.ts'

/** Flags and averages without any calibration; everything made from it is labelled. */
export async function averageOnly(context: Observation): Promise<Outcome> {
  const { job, survey } = context
  const gains = unitGains({
    antennas: job.index.antennas.length,
    channels: job.layout.channels,
    integrations: job.index.integrations,
    polarizations: job.polarizations,
  })
  const written = await writeOutput(context, {
    gains,
    sky: undefined,
    extra: {
      UNCALIBR: 1,
      CALNAME: '',
      CALTBL: '',
      CALDATE: '',
      CALGRADE: 'not run',
      FLUXANCH: 'none',
      CALINTRP: 'none',
    },
    history: ['averaged without calibration'],
  })
  const notCalibrated: Check = {
    name: 'calibration',
    verdict: 'uncertain',
    gating: true,
    blocking: false,
    message: 'not calibrated, as asked: fluxes are in raw units unless the data were simulated without gains',
  }
  return {
    outputs: ['calibrated'],
    metrics: { ...flagMetrics(context), ...written, uncalibrated: 1, ownSolutions: 0 },
    quality: quality([notCalibrated, dataFlaggedCheck(survey)]),
  }
}
