/** Typed arrays of zeros that workers share. */
export function sharedFloat64(length: number): Float64Array {
  return new Float64Array(new SharedArrayBuffer(8 * length))
}

export function sharedFloat32(length: number): Float32Array {
  return new Float32Array(new SharedArrayBuffer(4 * length))
}

export function sharedUint32(length: number): Uint32Array {
  return new Uint32Array(new SharedArrayBuffer(4 * length))
}

export function sharedUint16(length: number): Uint16Array {
  return new Uint16Array(new SharedArrayBuffer(2 * length))
}

export function sharedUint8(length: number): Uint8Array {
  return new Uint8Array(new SharedArrayBuffer(length))
}

export function sharedInt32(length: number): Int32Array {
  return new Int32Array(new SharedArrayBuffer(4 * length))
}

/** A copy in shared memory. */
export function shareFloat64(values: ArrayLike<number>): Float64Array {
  const out = sharedFloat64(values.length)
  out.set(values)
  return out
}

export function shareInt32(values: ArrayLike<number>): Int32Array {
  const out = sharedInt32(values.length)
  out.set(values)
  return out
}
