import type { Direction } from './frames.ts'

/** A name from a position: `JHHMMSS.s+DDMMSS`, truncated, not rounded (IAU Recommendations for Nomenclature). */
export function sourceName({ raRad, decRad }: Direction): string {
  const tenths = Math.floor((raRad * 432000) / Math.PI + 1e-6)
  const seconds = Math.floor((Math.abs(decRad) * 648000) / Math.PI + 1e-6)
  const ra = `${two(tenths / 36000)}${two((tenths / 600) % 60)}${two((tenths / 10) % 60)}.${tenths % 10}`
  const dec = `${two(seconds / 3600)}${two((seconds / 60) % 60)}${two(seconds % 60)}`
  return `J${ra}${decRad < 0 ? '-' : '+'}${dec}`
}

function two(value: number): string {
  return String(Math.floor(value)).padStart(2, '0')
}
