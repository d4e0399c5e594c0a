/** Counts what arrays and buffers are asked for, touched or not: a claim of gigabytes is a fault even where the kernel lends them. */
export interface MemoryGuard {
  /** Starts counting anew. */
  reset(): void
  readonly bytes: number
}

const countedTypes = [
  'ArrayBuffer',
  'Uint8Array',
  'Int8Array',
  'Uint8ClampedArray',
  'Uint16Array',
  'Int16Array',
  'Uint32Array',
  'Int32Array',
  'Float32Array',
  'Float64Array',
  'BigInt64Array',
  'BigUint64Array',
] as const

/** Puts counters before the constructors of this thread. */
export function guardMemory(): MemoryGuard {
  const guard = {
    bytes: 0,
    reset: () => {
      guard.bytes = 0
    },
  }
  const count = (length: unknown, elementBytes: number): void => {
    if (typeof length === 'number' && length > 0) guard.bytes += length * elementBytes
  }
  for (const name of countedTypes) {
    const type = globalThis[name] as unknown as new (...args: unknown[]) => object
    const elementBytes = (type as unknown as { BYTES_PER_ELEMENT?: number }).BYTES_PER_ELEMENT ?? 1
    const counted: typeof type = new Proxy(type, {
      construct(target, args: unknown[], newTarget) {
        count(args[0], elementBytes)
        return Reflect.construct(target, args, newTarget === counted ? target : newTarget) as object
      },
    })
    Object.defineProperty(globalThis, name, { value: counted, configurable: true, writable: true })
  }
  for (const name of ['alloc', 'allocUnsafe', 'allocUnsafeSlow'] as const) {
    const make = Buffer[name].bind(Buffer) as (size: number, ...rest: unknown[]) => Buffer<ArrayBuffer>
    Object.defineProperty(Buffer, name, {
      value: (size: number, ...rest: unknown[]) => {
        count(size, 1)
        return make(size, ...rest)
      },
      configurable: true,
      writable: true,
    })
  }
  return guard
}
