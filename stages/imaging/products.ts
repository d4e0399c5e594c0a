import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { writeFitsImage, type RestoringBeam } from '#runtime/formats/fits/image.ts'
import { encodePng } from '#runtime/formats/png.ts'
import { DEGREE_RAD } from '#runtime/sky/constants.ts'
import { imaging } from './contract.ts'
import type { Stage } from './engine.ts'
import { historyLines, imageCards, type HeaderFacts, type ImageKind } from './fits-headers.ts'
import { drawQuicklook } from './quicklook.ts'

/** The planes of a product, all of the same size. */
export interface Planes {
  image: Float32Array
  imagePbCorrected: Float32Array
  residual: Float32Array
  model: Float32Array
  psf: Float32Array
  primaryBeam: Float32Array
  rms: Float32Array
  weight: Float32Array
  noise: Float32Array
}

const kinds: Record<keyof Planes, ImageKind> = {
  image: { unit: 'JY/BEAM', type: 'Intensity', corrected: false },
  imagePbCorrected: { unit: 'JY/BEAM', type: 'Intensity', corrected: true },
  residual: { unit: 'JY/BEAM', type: 'Intensity', corrected: false },
  model: { unit: 'JY/PIXEL', type: 'Intensity', corrected: false },
  psf: { unit: '', type: 'DirtyBeam', corrected: false },
  primaryBeam: { unit: '', type: 'PrimaryBeam', corrected: false },
  rms: { unit: 'JY/BEAM', type: 'Noise', corrected: false },
  weight: { unit: '', type: 'Weight', corrected: false },
  noise: { unit: 'JY/BEAM', type: 'Intensity', corrected: false, stokes: 'Q' },
}

/** Writes the nine images and the quick-look. */
export async function writeProducts(
  stage: Stage,
  { planes, facts, steps }: { planes: Planes; facts: HeaderFacts; steps: readonly string[] },
): Promise<void> {
  const { wcs, beam } = facts
  const history = historyLines(facts, steps)
  for (const name of Object.keys(kinds) as (keyof Planes)[]) {
    await writeFitsImage(join(stage.outputDir, imaging.outputs[name].path), {
      cards: imageCards(facts, kinds[name]),
      history,
      shape: [1, 1, wcs.height, wcs.width],
      data: planes[name],
    })
  }
  const picture = drawQuicklook({
    image: planes.image,
    primaryBeam: planes.primaryBeam,
    wcs,
    beam,
    rmsJy: facts.noise.rmsCentreJy,
    text: { Observation: facts.observation, Key: facts.key, Beam: beamText(beam) },
  })
  await writeFile(join(stage.outputDir, imaging.outputs.quicklook.path), encodePng(picture))
}

function beamText({ majorRad, minorRad, positionAngleRad }: RestoringBeam): string {
  const arcsec = (rad: number): string => ((rad * 3600) / DEGREE_RAD).toFixed(1)
  return `${arcsec(majorRad)} x ${arcsec(minorRad)} arcsec, ${(positionAngleRad / DEGREE_RAD).toFixed(1)} deg`
}
