/** Arcseconds with one decimal. */
export function arcsec(rad: number): string {
  return ((rad * 648000) / Math.PI).toFixed(1)
}

/** Degrees with four decimals. */
export function degrees(rad: number): string {
  return ((rad * 180) / Math.PI).toFixed(4)
}

/** A number with a few significant digits and a real minus sign; a dash when it is not finite. */
export function significant(value: number, digits = 3): string {
  if (!Number.isFinite(value)) return '\u2013'
  const magnitude = Math.abs(value)
  const isFar = magnitude !== 0 && (magnitude >= 1e5 || magnitude < 1e-4)
  const text = isFar ? value.toExponential(digits - 1) : String(Number(value.toPrecision(digits)))
  return text.replace('-', '\u2212')
}

export function milliJy(jy: number): string {
  return `${significant(jy * 1000)} mJy`
}

export function microJyPerBeam(jy: number): string {
  return Number.isFinite(jy) ? `${significant(jy * 1e6)} \u00b5Jy/beam` : 'not known'
}

/** A value with its error, to the second digit of the error. */
export function withError(value: number, error: number | undefined): string {
  if (error === undefined || !(error > 0) || !Number.isFinite(value)) return significant(value)
  const digits = Math.max(0, Math.min(6, 1 - Math.floor(Math.log10(error))))
  return `${value.toFixed(digits)} \u00b1 ${error.toFixed(digits)}`.replace(/^-/, '\u2212')
}

/** A count with its noun, in the plural where it takes one. */
export function counted(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`
}
