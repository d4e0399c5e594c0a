import type { RunEvent, StepRef } from '../pipeline/events.ts'
import { liveName, type LiveStep } from '../pipeline/live.ts'
import type { RunState } from '../pipeline/state.ts'
import { liveLines } from '../view/live.ts'
import { paint } from '../view/paint.ts'
import { printableLine } from '../view/printable.ts'
import { heartbeat, plainLines } from '../view/plain.ts'
import { coloursOf, readyLines, runStyle, type Io } from './io.ts'
import type { TerminalOptions } from './options.ts'
import { startScreen, type Screen } from './screen.ts'

const HEARTBEAT_MS = 60_000

export interface RunFollower {
  /** A message beside what the events tell. */
  say(texts: readonly string[]): void
  onEvent(event: RunEvent, state: RunState): void
  onLive(step: StepRef, live: LiveStep): void
  /** Takes the live block away; messages may follow. */
  end(): void
}

interface FollowOptions extends TerminalOptions {
  /** Data root, for the paths in messages. */
  root: string
}

/**
 * Shows a run on standard error while it goes on: a block drawn in place on a terminal that can, with messages above it;
 * elsewhere a line a transition and a line a minute; nothing when quiet.
 */
export function followRun(io: Io, options: FollowOptions): RunFollower {
  const { terminal } = io
  const style = { ...runStyle(io, options, options.root), verbose: options.verbose === true }
  const colour = coloursOf(io, options, terminal !== undefined)
  const painted = (texts: readonly string[]): readonly string[] => {
    const shown = texts.map(printableLine)
    return colour ? paint(shown) : shown
  }
  const drawn = terminal !== undefined && io.env['TERM'] !== 'dumb' && options.quiet !== true
  const live = new Map<string, LiveStep>()
  let current: RunState | undefined
  let screen: Screen | undefined
  let beats: NodeJS.Timeout | undefined
  const say = (texts: readonly string[]): void => {
    if (options.quiet === true) return
    if (screen === undefined) readyLines(io.err, painted(texts))
    else screen.say(painted(texts))
  }
  const draw = (): readonly string[] => {
    if (current === undefined || terminal === undefined) return []
    const size = { columns: terminal.columns(), rows: terminal.rows() }
    return painted(liveLines(current, { ...style, ...size, live, now: io.now().getTime() }))
  }
  const beat = (): void => {
    const line = current === undefined ? undefined : heartbeat(current, { now: io.now().getTime(), live })
    if (line !== undefined) say([line])
  }
  return {
    say,
    onEvent(event, state) {
      current = state
      say(plainLines(event, state, { ...style, drawn }))
      if (drawn) screen ??= startScreen({ write: io.err, terminal, draw })
      else beats ??= setInterval(beat, HEARTBEAT_MS)
    },
    onLive: (step, facts) => live.set(liveName(step), facts),
    end() {
      clearInterval(beats)
      screen?.end()
    },
  }
}
