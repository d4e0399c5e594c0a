// A headless Chromium over a pipe: opens pages as a reader does, and reports everything they did wrong.
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { pathToFileURL } from 'node:url'
import axe from 'axe-core'

const program = '/usr/bin/chromium'
const ANSWER_MS = 300_000

/** The reason to skip a test that needs a browser, or false. */
export function needsChromium(): string | false {
  return existsSync(program) ? false : `${program} not installed`
}

export interface View {
  width: number
  height?: number
  scheme?: 'light' | 'dark'
}

export interface Violation {
  id: string
  impact: string
  help: string
  targets: string[]
}

export interface Page {
  evaluate<T>(expression: string): Promise<T>
  /** Presses a key such as Tab or Enter. */
  press(key: string): Promise<void>
  /** What axe-core finds wrong. */
  axe(): Promise<Violation[]>
  /** Everything the page asked for that is neither itself nor a `data:` address. */
  requests(): string[]
  /** Errors and warnings of its console, exceptions, blocked resources. */
  complaints(): string[]
  screenshot(options?: { whole?: boolean }): Promise<Buffer>
  pdf(): Promise<Buffer>
  close(): Promise<void>
}

export interface Browser {
  open(path: string, view: View): Promise<Page>
  close(): Promise<void>
}

interface Message {
  id?: number
  sessionId?: string
  method?: string
  params?: Record<string, unknown>
  result?: Record<string, unknown>
  error?: { message: string }
}

type Parameters = Record<string, unknown>

/** Starts a browser of its own, with a profile that is gone when it is closed. */
export async function openBrowser(): Promise<Browser> {
  const profile = mkdtempSync(join(tmpdir(), 'contimg-chromium-'))
  const child = spawn(
    program,
    [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-dev-shm-usage',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--force-device-scale-factor=1',
      `--user-data-dir=${profile}`,
      '--remote-debugging-pipe',
      'about:blank',
    ],
    { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'], detached: true },
  )
  const ended = new Promise<void>((resolve) => child.on('close', () => resolve()))
  const wire = connect(child.stdio[3] as Writable, child.stdio[4] as Readable)
  child.on('error', (error) => wire.fail(error))
  void ended.then(() => wire.fail(new Error('the browser has ended')))

  async function open(path: string, view: View): Promise<Page> {
    const { targetId } = (await wire.send('Target.createTarget', { url: 'about:blank' })) as { targetId: string }
    const { sessionId } = (await wire.send('Target.attachToTarget', { targetId, flatten: true })) as {
      sessionId: string
    }
    const send = (method: string, params: Parameters = {}): Promise<Parameters> => wire.send(method, params, sessionId)
    const requests: string[] = []
    const complaints: string[] = []
    const loaded = wire.listen(sessionId, (method, params) => {
      if (method === 'Network.requestWillBeSent') requests.push((params['request'] as { url: string }).url)
      if (method === 'Runtime.consoleAPICalled' && ['error', 'warning', 'assert'].includes(String(params['type'])))
        complaints.push(JSON.stringify(params['args']))
      if (method === 'Runtime.exceptionThrown') complaints.push(JSON.stringify(params['exceptionDetails']))
      if (method === 'Log.entryAdded') complaints.push((params['entry'] as { text: string }).text)
      return method === 'Page.loadEventFired'
    })
    for (const domain of ['Page', 'Runtime', 'Log', 'Network']) await send(`${domain}.enable`)
    const { width, height = 900, scheme = 'light' } = view
    await send('Emulation.setDeviceMetricsOverride', { width, height, deviceScaleFactor: 1, mobile: width < 600 })
    await send('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value: scheme }] })
    const url = pathToFileURL(path).href
    await send('Page.navigate', { url })
    await loaded

    const evaluate = async <T>(expression: string): Promise<T> => {
      const { result, exceptionDetails } = (await send('Runtime.evaluate', {
        expression,
        awaitPromise: true,
        returnByValue: true,
      })) as { result: { value: T }; exceptionDetails?: { text: string; exception?: { description?: string } } }
      if (exceptionDetails !== undefined)
        throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text)
      return result.value
    }
    return {
      evaluate,
      async press(key) {
        const keys: Record<string, number> = { Tab: 9, Enter: 13 }
        const event = {
          key,
          code: key,
          windowsVirtualKeyCode: keys[key] ?? 0,
          ...(key === 'Enter' ? { text: '\r' } : {}),
        }
        await send('Input.dispatchKeyEvent', { type: 'keyDown', ...event })
        await send('Input.dispatchKeyEvent', { type: 'keyUp', ...event })
      },
      async axe() {
        // Its own source counts as the reader's tool, not as something the page asked for.
        await evaluate(`${axe.source}\n;0`)
        return evaluate<Violation[]>(`axe.run({ resultTypes: ['violations'] }).then(({ violations }) =>
          violations.map(({ id, impact, help, nodes }) => ({ id, impact, help, targets: nodes.slice(0, 5).map(({ target, any, failureSummary }) => target.join(' ') + ': ' + (any[0]?.message ?? failureSummary)) })))`)
      },
      requests: () => requests.filter((address) => address !== url && !address.startsWith('data:')),
      complaints: () => complaints,
      async screenshot({ whole = true } = {}) {
        const { data } = (await send('Page.captureScreenshot', { format: 'png', captureBeyondViewport: whole })) as {
          data: string
        }
        return Buffer.from(data, 'base64')
      },
      async pdf() {
        const { data } = (await send('Page.printToPDF', { printBackground: false, preferCSSPageSize: true })) as {
          data: string
        }
        return Buffer.from(data, 'base64')
      },
      close: async () => void (await wire.send('Target.closeTarget', { targetId })),
    }
  }

  return {
    open,
    async close() {
      await wire.send('Browser.close').catch(() => undefined)
      const timer = setTimeout(() => process.kill(-(child.pid ?? 0), 'SIGKILL'), 5_000)
      await ended
      clearTimeout(timer)
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

/** The debugging protocol: JSON messages, each ended by a zero byte. */
function connect(input: Writable, output: Readable) {
  const waiting = new Map<number, { resolve: (result: Parameters) => void; reject: (error: Error) => void }>()
  const listeners = new Map<string, (method: string, params: Parameters) => void>()
  let next = 1
  let held = ''
  output.setEncoding('utf8').on('data', (text: string) => {
    const messages = (held + text).split('\0')
    held = messages.pop() ?? ''
    for (const message of messages) hear(JSON.parse(message) as Message)
  })
  input.on('error', () => undefined)

  function hear({ id, sessionId, method, params, result, error }: Message): void {
    if (id === undefined) return listeners.get(sessionId ?? '')?.(method ?? '', params ?? {})
    const asked = waiting.get(id)
    waiting.delete(id)
    if (error !== undefined) asked?.reject(new Error(error.message))
    else asked?.resolve(result ?? {})
  }
  return {
    send(method: string, params: Parameters = {}, sessionId?: string): Promise<Parameters> {
      const id = next++
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`${method}: the browser does not answer`)), ANSWER_MS)
        waiting.set(id, {
          resolve(result) {
            clearTimeout(timer)
            resolve(result)
          },
          reject(error) {
            clearTimeout(timer)
            reject(error)
          },
        })
        input.write(`${JSON.stringify({ id, method, params, ...(sessionId === undefined ? {} : { sessionId }) })}\0`)
      })
    },
    /** Hears a session's events until `done` says so for the first time; it goes on hearing. */
    listen(sessionId: string, done: (method: string, params: Parameters) => boolean): Promise<void> {
      return new Promise((resolve) => {
        listeners.set(sessionId, (method, params) => {
          if (done(method, params)) resolve()
        })
      })
    },
    fail(error: Error): void {
      for (const { reject } of waiting.values()) reject(error)
      waiting.clear()
    },
  }
}
