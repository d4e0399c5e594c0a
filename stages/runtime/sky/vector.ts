/** A vector with three Cartesian components. */
export type Vec3 = readonly [number, number, number]

/** A 3 by 3 matrix, rows first. */
export type Matrix3 = readonly [Vec3, Vec3, Vec3]

export function dot(a: Vec3, b: Vec3): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

export function cross(a: Vec3, b: Vec3): Vec3 {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}

export function add(a: Vec3, b: Vec3): Vec3 {
  return [a[0] + b[0], a[1] + b[1], a[2] + b[2]]
}

export function subtract(a: Vec3, b: Vec3): Vec3 {
  return [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
}

export function scale(a: Vec3, factor: number): Vec3 {
  return [a[0] * factor, a[1] * factor, a[2] * factor]
}

export function length(a: Vec3): number {
  return Math.hypot(a[0], a[1], a[2])
}

export function normalize(a: Vec3): Vec3 {
  return scale(a, 1 / length(a))
}

/** Matrix times column vector. */
export function multiply(m: Matrix3, v: Vec3): Vec3 {
  return [dot(m[0], v), dot(m[1], v), dot(m[2], v)]
}

/** Transposed matrix times column vector: the inverse rotation. */
export function multiplyTransposed(m: Matrix3, v: Vec3): Vec3 {
  return [
    m[0][0] * v[0] + m[1][0] * v[1] + m[2][0] * v[2],
    m[0][1] * v[0] + m[1][1] * v[1] + m[2][1] * v[2],
    m[0][2] * v[0] + m[1][2] * v[1] + m[2][2] * v[2],
  ]
}

/** Coordinates of `v` in axes turned by `angleRad` about x. */
export function rotateX(v: Vec3, angleRad: number): Vec3 {
  const c = Math.cos(angleRad)
  const s = Math.sin(angleRad)
  return [v[0], c * v[1] + s * v[2], c * v[2] - s * v[1]]
}

/** Coordinates of `v` in axes turned by `angleRad` about z. */
export function rotateZ(v: Vec3, angleRad: number): Vec3 {
  const c = Math.cos(angleRad)
  const s = Math.sin(angleRad)
  return [c * v[0] + s * v[1], c * v[1] - s * v[0], v[2]]
}

/** Unit vector towards longitude (RA) and latitude (dec), radians. */
export function fromSpherical(longitudeRad: number, latitudeRad: number): Vec3 {
  const c = Math.cos(latitudeRad)
  return [c * Math.cos(longitudeRad), c * Math.sin(longitudeRad), Math.sin(latitudeRad)]
}
