/** Five times a second is as often as a person can read. */
const REDRAW_MS = 200
const CLEAR = '\r\u001b[K'

export interface LiveLine {
  /** Takes the line away, so that others can write. */
  end(): void
}

/** One line of a terminal that is drawn again in place, at most five times a second and only when it has changed. */
export function startLiveLine(write: (text: string) => void, draw: () => string): LiveLine {
  let shown = ''
  const timer = setInterval(() => {
    const text = draw()
    if (text === shown) return
    write(`${CLEAR}${text}`)
    shown = text
  }, REDRAW_MS)
  return {
    end() {
      clearInterval(timer)
      if (shown !== '') write(CLEAR)
      shown = ''
    },
  }
}
