import type { createRandom } from '#runtime/numeric/random.ts'

export type Random = ReturnType<typeof createRandom>

/** A sound input that damage is done to. */
export interface Seed {
  readonly name: string
  readonly bytes: Buffer
}

/** A target at work in a folder of its own. */
export interface FuzzRoom {
  readonly seeds: readonly Seed[]
  mutate(seed: Seed, random: Random): Buffer
  /**
   * Puts an input where its reader expects it and reads it through the door that the program uses. Returns whether it was
   * taken; throws whatever the door throws.
   */
  read(input: { bytes: Buffer; seed: Seed; index: number }): boolean | Promise<boolean>
  /** What the message of a refusal must name: the file, where the door knows it. */
  readonly named?: string
  /** Files and folders that reading may reach, or with a star the beginnings of their names; default: all of the target's folder. */
  readonly allowed?: readonly string[]
}

/** A parser that meets bytes from outside. */
export interface FuzzTarget {
  /** Error codes that a refusal may have. */
  readonly codes: readonly string[]
  /** Most bytes of arrays that reading one input may ask for, all together. */
  readonly memoryBytes: number
  prepare(folder: string): FuzzRoom | Promise<FuzzRoom>
}

export const MiB = 2 ** 20
