/** Factors to degrees. `s` is a second of time in right ascension. */
const angles: Record<string, number> = {
  deg: 1,
  degree: 1,
  degrees: 1,
  rad: 180 / Math.PI,
  arcmin: 1 / 60,
  arcsec: 1 / 3600,
  mas: 1 / 3.6e6,
  s: 15 / 3600,
}

/** Factors to mJy (per beam or not). */
const fluxes: Record<string, number> = { jy: 1000, mjy: 1, ujy: 1e-3, µjy: 1e-3 }

/** Factor from a unit as catalogues write it to degrees; undefined for a unit that is no angle. */
export function angleFactorDeg(unit: string): number | undefined {
  return angles[unit.trim().toLowerCase()]
}

/** Factor from `Jy`, `mJy`, `uJy`, per beam or not, to mJy; undefined for other units. */
export function fluxFactorMjy(unit: string): number | undefined {
  const bare = unit
    .trim()
    .toLowerCase()
    .replace(/\s*(\/|\s)\s*beam(-1)?$/, '')
    .replace(/\.?beam-1$/, '')
  return fluxes[bare]
}

/** The unit in a name such as `flux_mjy` or `maj_arcsec`. */
export function unitOfName(name: string): string | undefined {
  return /_(deg|arcsec|arcmin|rad|mjy|jy|ujy)$/i.exec(name)?.[1]
}

/**
 * An angle in degrees from a number in the given unit or from sexagesimal text: `12 34 56.7`, `12:34:56.7`,
 * `-00 12 03`; hours where `hours` is set. NaN where it is neither.
 */
export function parseAngleDeg(cell: string | number, factor: number, hours: boolean): number {
  if (typeof cell === 'number') return cell * factor
  const parts = cell
    .trim()
    .split(/[\s:hmd°'"]+/)
    .filter((part) => part !== '' && part !== 's')
  if (parts.length === 1) return cell.trim() === '' ? NaN : Number(cell) * factor
  if (parts.length === 0) return NaN
  const negative = parts[0].startsWith('-')
  const [degrees, minutes = 0, seconds = 0] = parts.map((part) => Math.abs(Number(part)))
  return (negative ? -1 : 1) * (degrees + minutes / 60 + seconds / 3600) * (hours ? 15 : 1)
}
