import type { ImageSource } from '../sources.ts'
import { html, type Html } from '#runtime/page/html.ts'
import type { ReportInput } from './report.ts'
import { counted, milliJy } from './text.ts'

export interface SkyPictures {
  quicklook: { uri: string; width: number; height: number }
  residual: string
  rms: string
  /** What black and white stand for in the thumbnails. */
  stretch: { residual: string; rms: string }
}

/** Side of the drawing; pixels of the image are scaled to it. */
const SIDE = 1024

/** The quick-look with catalogue marks, beam and contours of the primary beam, and thumbnails of residual and noise. */
export function skySection({ assessment, field, pictures, params }: ReportInput): Html {
  const { catalogue, detections } = assessment
  const scaleX = SIDE / field.width
  const height = Math.round((SIDE * field.height) / field.width)
  const scaleY = height / field.height
  // Pixel centres are at integers and rows count from the bottom.
  const place = (x: number, y: number): { cx: number; cy: number } => ({
    cx: round((x + 0.5) * scaleX),
    cy: round(height - (y + 0.5) * scaleY),
  })
  const pairs = catalogue?.comparison.pairs ?? []
  const missed = catalogue?.comparison.expected.filter(({ found }) => !found) ?? []
  const unexpected: readonly ImageSource[] = catalogue?.comparison.unexpected ?? detections.sources
  const matchedMarks = pairs.map(({ source, predicted }) => {
    const { cx, cy } = place(source.x, source.y)
    return html`<circle class="outline match" cx="${cx}" cy="${cy}" r="9"
      ><title>
        ${source.name} is ${predicted.id}: ${milliJy(source.integratedJy)}, predicted ${milliJy(predicted.predictedJy)}
      </title></circle
    >`
  })
  const missedMarks = missed.map(({ predicted }) => {
    const { cx, cy } = place(predicted.x, predicted.y)
    return html`<rect class="outline miss" x="${cx - 8}" y="${cy - 8}" width="16" height="16"
      ><title>
        missed: ${predicted.id}, predicted ${milliJy(predicted.predictedJy)}, S/N ${predicted.predictedSnr.toFixed(1)}
      </title></rect
    >`
  })
  const extraMarks = unexpected.map((source) => {
    const { cx, cy } = place(source.x, source.y)
    return html`<path class="outline extra" d="M${cx} ${cy - 9}L${cx + 9} ${cy}L${cx} ${cy + 9}L${cx - 9} ${cy}Z"
      ><title>${source.name}: ${milliJy(source.integratedJy)}, S/N ${source.snr.toFixed(1)}</title></path
    >`
  })
  // The picture holds whole blocks of pixels, from the lower left corner.
  const block = Math.max(1, Math.floor(field.width / pictures.quicklook.width))
  const found = counted(detections.sources.length, 'source')
  const description =
    catalogue === undefined
      ? `${found}; no catalogue to compare with.`
      : `${found}: ${pairs.length} in the catalogue, ${unexpected.length} not in it; ${counted(missed.length, 'expected catalogue source')} missed.`
  return html`<figure class="sky">
      <svg viewBox="0 0 ${SIDE} ${height}" role="img" aria-labelledby="sky-t sky-d">
        <title id="sky-t">Quick-look of the flat-noise image</title>
        <desc id="sky-d">${description}</desc>
        <image
          href="${pictures.quicklook.uri}"
          x="0"
          y="${round(height - block * pictures.quicklook.height * scaleY)}"
          width="${round(block * pictures.quicklook.width * scaleX)}"
          height="${round(block * pictures.quicklook.height * scaleY)}"
          preserveAspectRatio="none"
        />
        ${matchedMarks}${missedMarks}${extraMarks}
      </svg>
      <figcaption>
        ${description} Flat noise, north up, east to the left; with the mean primary beam at 0.5 and 0.2, the restoring
        beam and the scale as imaging drew them.
        <span class="key"
          >${catalogue !== undefined && html`<span>${key(html`<circle class="outline match" cx="9" cy="9" r="6" />`)} matched</span><span>${key(html`<rect class="outline miss" x="3.5" y="3.5" width="11" height="11" />`)} missed</span>`}<span
            >${key(html`<path class="outline extra" d="M9 2L16 9L9 16L2 9Z" />`)}
            ${catalogue === undefined ? 'source' : 'not in the catalogue'}</span
          ></span
        >
      </figcaption>
    </figure>
    <div class="thumbs">
      <figure>
        <img src="${pictures.residual}" alt="Residual image, grey from ${pictures.stretch.residual}" />
        <figcaption>Residual, ${pictures.stretch.residual}, where the mean beam exceeds ${params.beamCut}.</figcaption>
      </figure>
      <figure>
        <img src="${pictures.rms}" alt="Map of the local noise, grey from ${pictures.stretch.rms}" />
        <figcaption>Local noise, ${pictures.stretch.rms}.</figcaption>
      </figure>
    </div>`
}

function key(mark: Html): Html {
  return html`<svg class="sky" viewBox="0 0 18 18" aria-hidden="true">${mark}</svg>`
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
