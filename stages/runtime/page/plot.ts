import { makeAxis, type Axis, type AxisSpec } from './axis.ts'
import { html, type Html } from './html.ts'

export interface PlotPoint {
  x: number
  y: number
  /** Error bar in y, half length. */
  ey?: number
  /** Shown when the pointer rests on the mark. */
  title?: string
}

/** A layer of a plot. `tone` names a colour of the page that works on light and dark. */
export type Layer =
  | {
      kind: 'points'
      tone: Tone
      marker?: 'circle' | 'square' | 'diamond' | 'cross'
      points: readonly PlotPoint[]
      label?: string
    }
  | { kind: 'line'; tone: Tone; dashed?: boolean; points: readonly { x: number; y: number }[]; label?: string }
  | { kind: 'bars'; tone: Tone; bars: readonly { x0: number; x1: number; y: number }[]; label?: string }
  | { kind: 'band'; tone: Tone; points: readonly { x: number; low: number; high: number }[]; label?: string }
  | { kind: 'level'; tone: Tone; dashed?: boolean; at: number; axis: 'x' | 'y'; label?: string }
  | {
      kind: 'ellipse'
      tone: Tone
      dashed?: boolean
      x: number
      y: number
      rx: number
      ry: number
      turnDeg: number
      label?: string
    }
  | {
      kind: 'arrows'
      tone: Tone
      arrows: readonly { x: number; y: number; dx: number; dy: number; title?: string }[]
      label?: string
    }
  | { kind: 'picture'; tone: Tone; uri: string; x0: number; x1: number; y0: number; y1: number; label?: string }

export type Tone = 'main' | 'second' | 'third' | 'muted' | 'good' | 'uncertain' | 'bad'

export interface PlotSpec {
  /** Unique in the page; makes the ids of title and description. */
  id: string
  title: string
  /** What the plot shows, for those who cannot see it. */
  description: string
  x: AxisSpec
  y: AxisSpec
  layers: readonly Layer[]
  width?: number
  height?: number
}

const MARGIN = { left: 68, right: 20, top: 12, bottom: 46 }

interface Frame {
  x: Axis
  y: Axis
  px: (value: number) => number
  py: (value: number) => number
  width: number
  height: number
}

/** Most points drawn in one layer; of more, the first are drawn: lists come brightest first. */
export const MAX_POINTS = 500

/** One plot with axes, grid, layers and a legend of the labelled layers, as a figure with inline SVG. */
export function plot(spec: PlotSpec): Html {
  const { id, title, description, width = 460, height = 300 } = spec
  const x = makeAxis(spec.x, 6)
  const y = makeAxis(spec.y, 5)
  const innerWidth = width - MARGIN.left - MARGIN.right
  const innerHeight = height - MARGIN.top - MARGIN.bottom
  const frame: Frame = {
    x,
    y,
    width,
    height,
    px: (value) => round(MARGIN.left + x.place(value) * innerWidth),
    py: (value) => round(MARGIN.top + (1 - y.place(value)) * innerHeight),
  }
  const labelled = spec.layers.filter(({ label }) => label !== undefined)
  return html`<figure class="plot">
    <svg viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="${id}-t ${id}-d">
      <title id="${id}-t">${title}</title>
      <desc id="${id}-d">${description}</desc>
      <clipPath id="${id}-c">
        <rect x="${MARGIN.left}" y="${MARGIN.top}" width="${innerWidth}" height="${innerHeight}" />
      </clipPath>
      <g class="grid">
        ${x.ticks.map(({ value }) => html`<line x1="${frame.px(value)}" x2="${frame.px(value)}" y1="${MARGIN.top}" y2="${height - MARGIN.bottom}" />`)}${y.ticks.map(({ value }) => html`<line x1="${MARGIN.left}" x2="${width - MARGIN.right}" y1="${frame.py(value)}" y2="${frame.py(value)}" />`)}
      </g>
      <g clip-path="url(#${id}-c)">${spec.layers.map((layer) => drawLayer(layer, frame))}</g>
      <rect class="frame" x="${MARGIN.left}" y="${MARGIN.top}" width="${innerWidth}" height="${innerHeight}" />
      <g class="ticks">
        ${x.ticks.map(({ value, text }) => html`<text x="${frame.px(value)}" y="${height - MARGIN.bottom + 16}" text-anchor="middle">${text}</text>`)}${y.ticks.map(({ value, text }) => html`<text x="${MARGIN.left - 6}" y="${frame.py(value) + 4}" text-anchor="end">${text}</text>`)}
      </g>
      <text class="label" x="${MARGIN.left + innerWidth / 2}" y="${height - 8}" text-anchor="middle">${x.label}</text>
      <text class="label" transform="translate(15 ${MARGIN.top + innerHeight / 2}) rotate(-90)" text-anchor="middle">
        ${y.label}
      </text>
    </svg>
    <figcaption>
      ${title}${labelled.length > 0 && html`<span class="legend">${labelled.map(legendEntry)}</span>`}
    </figcaption>
  </figure>`
}

function legendEntry(layer: Layer): Html {
  const dashed = 'dashed' in layer && layer.dashed ? ' dashed' : ''
  const shape = layer.kind === 'points' ? `marker-${layer.marker ?? 'circle'}` : layer.kind
  return html`<span
    ><svg class="swatch tone-${layer.tone}${dashed}" viewBox="0 0 18 10" aria-hidden="true">
      ${swatch(layer, shape)}
    </svg>
    ${layer.label}</span
  >`
}

function swatch(layer: Layer, shape: string): Html {
  if (layer.kind === 'points') return mark(layer.marker ?? 'circle', 9, 5)
  if (layer.kind === 'bars' || layer.kind === 'band')
    return html`<rect class="${shape}" x="2" y="1" width="14" height="8" />`
  if (layer.kind === 'ellipse') return html`<ellipse class="stroke" cx="9" cy="5" rx="7" ry="4" />`
  return html`<line class="stroke" x1="1" x2="17" y1="5" y2="5" />`
}

function drawLayer(layer: Layer, frame: Frame): Html {
  return html`<g class="tone-${layer.tone}${'dashed' in layer && layer.dashed ? ' dashed' : ''}"
    >${drawMarks(layer, frame)}</g
  >`
}

function drawMarks(layer: Layer, frame: Frame): Html | Html[] {
  const { px, py } = frame
  switch (layer.kind) {
    case 'points':
      return layer.points
        .slice(0, MAX_POINTS)
        .filter(({ x, y }) => Number.isFinite(px(x)) && Number.isFinite(py(y)))
        .map((point) => drawPoint(point, layer.marker ?? 'circle', frame))
    case 'line':
      return html`<path class="stroke" d="${path(layer.points.map(({ x, y }) => [px(x), py(y)]))}" />`
    case 'bars':
      return layer.bars
        .filter(({ y }) => y > 0)
        .map(({ x0, x1, y }) => {
          const left = Math.min(px(x0), px(x1))
          return html`<rect
            class="bars"
            x="${left}"
            y="${py(y)}"
            width="${round(Math.abs(px(x1) - px(x0)))}"
            height="${round(Math.max(0, py(frame.y.domain[0]) - py(y)))}"
          />`
        })
    case 'band': {
      const upper = layer.points.map(({ x, high }) => [px(x), py(high)] as const)
      const lower = layer.points.map(({ x, low }) => [px(x), py(low)] as const).toReversed()
      return html`<path class="band" d="${path([...upper, ...lower])}Z" />`
    }
    case 'level':
      return layer.axis === 'y'
        ? html`<line class="stroke" x1="0" x2="${frame.width}" y1="${py(layer.at)}" y2="${py(layer.at)}" />`
        : html`<line class="stroke" y1="0" y2="${frame.height}" x1="${px(layer.at)}" x2="${px(layer.at)}" />`
    case 'ellipse': {
      const rx = round(Math.abs(px(layer.x + layer.rx) - px(layer.x)))
      const ry = round(Math.abs(py(layer.y + layer.ry) - py(layer.y)))
      return html`<ellipse
        class="stroke"
        cx="${px(layer.x)}"
        cy="${py(layer.y)}"
        rx="${rx}"
        ry="${ry}"
        transform="rotate(${round(layer.turnDeg)} ${px(layer.x)} ${py(layer.y)})"
      />`
    }
    case 'picture': {
      const [left, right] = [px(layer.x0), px(layer.x1)]
      const [bottom, top] = [py(layer.y0), py(layer.y1)]
      return html`<image
        href="${layer.uri}"
        x="${left}"
        y="${top}"
        width="${round(right - left)}"
        height="${round(bottom - top)}"
        preserveAspectRatio="none"
        class="plane"
      />`
    }
    case 'arrows':
      return layer.arrows
        .slice(0, MAX_POINTS)
        .map(
          ({ x, y, dx, dy, title }) =>
            html`<g
              >${title !== undefined && html`<title>${title}</title>`}<line
                class="stroke"
                x1="${px(x)}"
                y1="${py(y)}"
                x2="${px(x + dx)}"
                y2="${py(y + dy)}" /><circle class="mark" cx="${px(x)}" cy="${py(y)}" r="1.8"
            /></g>`,
        )
  }
}

function drawPoint(
  { x, y, ey, title }: PlotPoint,
  marker: NonNullable<Extract<Layer, { kind: 'points' }>['marker']>,
  { px, py, y: axis }: Frame,
): Html {
  const bar =
    ey !== undefined &&
    Number.isFinite(ey) &&
    html`<line
      class="error"
      x1="${px(x)}"
      x2="${px(x)}"
      y1="${py(y + ey)}"
      y2="${py(axis.log === true ? Math.max(y - ey, axis.domain[0]) : y - ey)}"
    />`
  return html`<g>${title !== undefined && html`<title>${title}</title>`}${bar}${mark(marker, px(x), py(y))}</g>`
}

function mark(marker: 'circle' | 'square' | 'diamond' | 'cross', x: number, y: number): Html {
  switch (marker) {
    case 'circle':
      return html`<circle class="mark" cx="${x}" cy="${y}" r="3" />`
    case 'square':
      return html`<rect class="mark" x="${round(x - 3)}" y="${round(y - 3)}" width="6" height="6" />`
    case 'diamond':
      return html`<path
        class="mark"
        d="M${x} ${round(y - 4)}L${round(x + 4)} ${y}L${x} ${round(y + 4)}L${round(x - 4)} ${y}Z"
      />`
    case 'cross':
      return html`<path
        class="stroke"
        d="M${round(x - 4)} ${round(y - 4)}L${round(x + 4)} ${round(y + 4)}M${round(x - 4)} ${round(y + 4)}L${round(x + 4)} ${round(y - 4)}"
      />`
  }
}

/** A path through points; a point that is not finite breaks it. */
function path(points: readonly (readonly [number, number])[]): string {
  let drawing = false
  let text = ''
  for (const [x, y] of points) {
    if (!Number.isFinite(x) || !Number.isFinite(y)) drawing = false
    else {
      text += `${drawing ? 'L' : 'M'}${x} ${y}`
      drawing = true
    }
  }
  return text
}

function round(value: number): number {
  return Math.round(value * 100) / 100
}
