import { readFileSync } from 'node:fs'
import { median } from '#runtime/numeric/statistics.ts'
import { ARCSEC_RAD } from '#runtime/sky/constants.ts'
import { separation } from '#runtime/sky/frames.ts'

/** A source that was put into the data: where it is and what a beam-corrected image must show. */
export interface InjectedSource {
  name: string
  raDeg: number
  decDeg: number
  fluxJy: number
  apparentJy: number
}

export interface Recovery {
  /** Injected sources above `minSnr` times the noise, and how many of them were found. */
  expected: number
  found: number
  missed: string[]
  fluxRatioMedian: number
  offsetMedianArcsec: number
  offsetMaxArcsec: number
}

/** Rows of a validation catalogue (CSV) as numbers by column name. */
export function readCatalogueCsv(path: string): Record<string, number>[] {
  const [header, ...lines] = readFileSync(path, 'utf8')
    .trim()
    .split(/\r?\n/)
    .filter((line) => !line.startsWith('#'))
  const names = header.split(',')
  return lines.map((line) => {
    const cells = line.split(',')
    return Object.fromEntries(names.map((name, index) => [name, Number(cells[index])]))
  })
}

/** Compares a catalogue with what was injected: each injected source with the nearest row within `radiusArcsec`. */
export function recover(
  rows: readonly Record<string, number>[],
  injected: readonly InjectedSource[],
  { rmsJy, minSnr = 10, radiusArcsec = 30 }: { rmsJy: number; minSnr?: number; radiusArcsec?: number },
): Recovery {
  const expected = injected.filter(({ apparentJy }) => apparentJy > minSnr * rmsJy)
  const matches = expected.map((source) => {
    const offsets = rows.map(
      (row) =>
        separation(direction(row['ra_deg'], row['dec_deg']), direction(source.raDeg, source.decDeg)) / ARCSEC_RAD,
    )
    const nearest = offsets.reduce((best, offset, index) => (offset < offsets[best] ? index : best), 0)
    return {
      source,
      offsetArcsec: offsets[nearest] ?? Number.POSITIVE_INFINITY,
      ratio: (rows[nearest]?.['s_int_mjy'] ?? Number.NaN) / 1000 / source.fluxJy,
    }
  })
  const found = matches.filter(({ offsetArcsec }) => offsetArcsec <= radiusArcsec)
  return {
    expected: expected.length,
    found: found.length,
    missed: matches.filter((match) => !found.includes(match)).map(({ source }) => source.name),
    fluxRatioMedian: median(found.map(({ ratio }) => ratio)),
    offsetMedianArcsec: median(found.map(({ offsetArcsec }) => offsetArcsec)),
    offsetMaxArcsec: Math.max(...found.map(({ offsetArcsec }) => offsetArcsec)),
  }
}

function direction(raDeg: number, decDeg: number) {
  return { raRad: (raDeg * Math.PI) / 180, decRad: (decDeg * Math.PI) / 180 }
}
