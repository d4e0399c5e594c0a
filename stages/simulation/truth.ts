import { INTEGRATION_S, DSA110_SITE } from '#runtime/sky/constants.ts'
import { isoUtc, jdToMjd, observationId } from '#runtime/sky/time.ts'
import type { Observation } from './observation.ts'

export const TRUTH_FILE = 'truth.json'
export const TRUTH_GAINS_FILE = 'truth-gains.bin'

const DEGREE = 180 / Math.PI

/** What was put into a synthetic observation, as `truth.json` holds it. */
export interface Truth {
  readonly format: 'contimg-truth/1'
  readonly simulated: true
  /** V(ant1, ant2) in words. */
  readonly convention: string
  readonly observation: string
  readonly startUtc: string
  readonly timeJd: readonly number[]
  readonly integrationS: number
  readonly params: Record<string, unknown>
  readonly site: typeof DSA110_SITE
  readonly decOfDateDeg: number
  readonly centre: { raDeg: number; decDeg: number }
  /** Station numbers in correlator order: antenna number + 1. */
  readonly antennaOrder: readonly number[]
  readonly reversedPairs: number
  /** Channel centres of all subbands of the list, in file order. */
  readonly freqHz: readonly number[]
  readonly channelWidthHz: number
  readonly noise: { sefdJy: number | null; afterGains: boolean; sigmaJy: number; naturalImageJy: number }
  readonly calibrator: string | null
  readonly sources: readonly {
    name: string
    raDeg: number
    decDeg: number
    fluxJy: number
    spectralIndex: number | null
    meanFluxJy: number
    meanBeam: number
    meanApparentJy: number
  }[]
  /** complex128 little-endian in `truth-gains.bin`, C order, at byte offsets. V = conj(g1) g2 M with g = gain x drift x bandpass. */
  readonly gains: Record<
    'gain' | 'bandpass' | 'drift',
    { file: string; offset: number; shape: readonly number[]; axes: readonly string[] }
  >
  readonly corruption: Observation['corruption']
  readonly missingSubbands: readonly number[]
  /** What is wrong with the files beyond that: as it was asked for, in full, and where. */
  readonly faults: readonly {
    fault: string
    params: Observation['faults'][number]['fault']
    subbands: readonly number[]
    files: readonly string[]
  }[]
  readonly files: readonly { subband: number; file: string }[]
}

/** The bytes of `truth-gains.bin`. */
export function encodeGains({ gain, bandpass, drift }: Observation['gains']): Buffer {
  return Buffer.concat([gain, bandpass, drift].map((array) => Buffer.from(array.buffer)))
}

/** The arrays of `truth-gains.bin`, each with (re, im) pairs. */
export function decodeGains(truth: Truth, bytes: Uint8Array): Record<keyof Truth['gains'], Float64Array> {
  const array = (name: keyof Truth['gains']): Float64Array => {
    const { offset, shape } = truth.gains[name]
    const length = shape.reduce((total, side) => total * side, 2)
    return new Float64Array(Uint8Array.from(bytes.subarray(offset, offset + 8 * length)).buffer)
  }
  return { gain: array('gain'), bandpass: array('bandpass'), drift: array('drift') }
}

/** What `truth.json` holds of an observation. */
export function truthOf(observation: Observation): Truth {
  const { params, order, gains, ant1, ant2 } = observation
  const freqHz = [...observation.freqHz.values()].flatMap((subband) => [...subband])
  const startMjd = jdToMjd(observation.timeJd[0]) - INTEGRATION_S / 86400 / 2
  return {
    format: 'contimg-truth/1',
    simulated: true,
    convention: params.noiseAfterGains
      ? 'V(ant1,ant2) = scale [conj(g1) g2 sum S A exp(+2 pi i nu/c (r2-r1).(s-s0)) + noise], s0 = (HA 0, dec of date) in every integration'
      : 'V(ant1,ant2) = scale conj(g1) g2 [sum S A exp(+2 pi i nu/c (r2-r1).(s-s0)) + noise], s0 = (HA 0, dec of date) in every integration',
    observation: observationId(startMjd),
    startUtc: isoUtc(startMjd),
    timeJd: [...observation.timeJd],
    integrationS: INTEGRATION_S,
    params,
    site: DSA110_SITE,
    decOfDateDeg: observation.decOfDateRad * DEGREE,
    centre: { raDeg: observation.centre.raRad * DEGREE, decDeg: observation.centre.decRad * DEGREE },
    antennaOrder: order,
    reversedPairs: ant1.reduce((total, antenna, row) => total + (antenna > ant2[row] ? 1 : 0), 0),
    freqHz,
    channelWidthHz: observation.channelWidthHz,
    noise: {
      sefdJy: params.sefdJy,
      afterGains: params.noiseAfterGains,
      sigmaJy: observation.sigmaJy,
      naturalImageJy: observation.imageNoiseJy,
    },
    calibrator: observation.calibrator ?? null,
    sources: observation.sources.map(
      ({ name, direction, fluxJy, spectralIndex, meanFluxJy, meanBeam, meanApparentJy }) => ({
        name,
        raDeg: direction.raRad * DEGREE,
        decDeg: direction.decRad * DEGREE,
        fluxJy,
        spectralIndex: spectralIndex ?? null,
        meanFluxJy,
        meanBeam,
        meanApparentJy,
      }),
    ),
    gains: {
      gain: stored(0, [order.length, 2], ['antenna', 'feed']),
      bandpass: stored(gains.gain.byteLength, [order.length, freqHz.length, 2], ['antenna', 'channel', 'feed']),
      drift: stored(gains.gain.byteLength + gains.bandpass.byteLength, [order.length, 2], ['antenna', 'feed']),
    },
    corruption: observation.corruption,
    missingSubbands: params.missingSubbands,
    faults: observation.faults.map(({ text, fault, subbands }) => ({
      fault: text,
      params: fault,
      subbands,
      files: subbands.flatMap((subband) => observation.files.get(subband) ?? []),
    })),
    files: [...observation.files].map(([subband, file]) => ({ subband, file })),
  }
}

function stored(offset: number, shape: number[], axes: string[]): Truth['gains']['gain'] {
  return { file: TRUTH_GAINS_FILE, offset, shape, axes }
}
