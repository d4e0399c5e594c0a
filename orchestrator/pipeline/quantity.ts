import { z } from 'zod'

const factors: Record<string, number> = {
  '': 1,
  k: 1e3,
  K: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
}
const pattern = /^(\d+(?:\.\d+)?)\s*(k|K|M|G|T|Ki|Mi|Gi|Ti)?B?$/

/** An amount of memory or disk: a number of bytes, or text such as `8Gi`, `2.5 GB`, `512M`. */
export const bytesSchema = z
  .union([z.number().positive(), z.string().regex(pattern, 'expected bytes, as a number or like 8Gi, 2.5GB')])
  .transform((value) => {
    if (typeof value === 'number') return Math.round(value)
    const [, digits, unit = ''] = pattern.exec(value) ?? []
    return Math.round(Number(digits) * (factors[unit] ?? 1))
  })
