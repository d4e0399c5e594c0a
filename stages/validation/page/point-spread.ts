import type { Html } from '#runtime/page/html.ts'
import { plot } from '#runtime/page/plot.ts'

const ARCSEC = Math.PI / 648000

/** Pictures as data URIs, first row at the top. */
export interface PointSpreadPictures {
  /** The point spread function around its peak. */
  psf: string
  /** Half of its side, radians. */
  psfReachRad: number
  uv?: { picture: string; reachWavelengths: number }
}

/** The point spread function seen from above, and where in the uv plane visibilities were measured. */
export function pointSpreadFigures({ psf, psfReachRad, uv }: PointSpreadPictures): Html[] {
  const reach = psfReachRad / ARCSEC
  const figures = [
    plot({
      id: 'psf-picture',
      title: 'Point spread function (−0.1 black to 0.4 white)',
      description: `The response to a point source within ${reach.toFixed(0)} arcsec of it.`,
      x: { label: 'east (arcsec)', domain: [-reach, reach], reversed: true },
      y: { label: 'north (arcsec)', domain: [-reach, reach] },
      width: 460,
      height: 430,
      layers: [{ kind: 'picture', tone: 'muted', uri: psf, x0: reach, x1: -reach, y0: -reach, y1: reach }],
    }),
  ]
  if (uv === undefined) return figures
  const far = uv.reachWavelengths / 1000
  return [
    ...figures,
    plot({
      id: 'uv-coverage',
      title: 'Coverage of the uv plane (weight, three decades from black to white)',
      description: `Sum of the visibilities' weights within ${far.toFixed(1)} thousand wavelengths, from the Fourier transform of the point spread function.`,
      x: { label: 'u (kλ)', domain: [-far, far] },
      y: { label: 'v (kλ)', domain: [-far, far] },
      width: 460,
      height: 430,
      layers: [{ kind: 'picture', tone: 'muted', uri: uv.picture, x0: -far, x1: far, y0: -far, y1: far }],
    }),
  ]
}
