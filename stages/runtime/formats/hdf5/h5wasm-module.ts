import type { File, Module as moduleValue } from 'h5wasm/node'

export type { File, Metadata } from 'h5wasm/node'
export type H5Module = typeof moduleValue

export interface H5wasm {
  readonly File: typeof File
  readonly module: H5Module
}

let loading: Promise<H5wasm> | undefined

/**
 * Loads libhdf5 as WebAssembly (100-250 ms, about 80 MB), once a thread and only when a file needs it. Its errors are
 * made to throw: without that a failed read leaves uninitialised bytes behind.
 */
export function loadH5wasm(): Promise<H5wasm> {
  loading ??= load()
  return loading
}

async function load(): Promise<H5wasm> {
  const library = await import('h5wasm/node')
  const module = await library.ready
  module.activate_throwing_error_handler()
  return { File: library.File, module }
}
