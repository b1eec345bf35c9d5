import { mergedPath } from '../merged-path.ts'

/**
 * Paths that packages of the distribution installed. An image may have a million, so each is kept as a number of 53 bits.
 * A path that is not among a million of them is taken for one with a chance of one in nine thousand million.
 */
export class OwnedPaths {
  readonly #keys = new Set<number>()

  add(path: string): void {
    this.#keys.add(keyOf(path))
  }

  addAll(others: OwnedPaths): void {
    for (const key of others.#keys) this.#keys.add(key)
  }

  has(path: string): boolean {
    return this.#keys.has(keyOf(path))
  }

  get size(): number {
    return this.#keys.size
  }
}

/** Two 32-bit FNV-1a hashes with different starts, joined to 53 bits. */
function keyOf(path: string): number {
  const whole = mergedPath(path)
  let low = 0x811c9dc5
  let high = 0x1f35b7a9
  for (let index = 0; index < whole.length; index++) {
    const code = whole.charCodeAt(index)
    low = Math.imul(low ^ code, 0x01000193)
    high = Math.imul(high ^ code, 0x01000193) ^ (high >>> 13)
  }
  return (high & 0x1fffff) * 2 ** 32 + (low >>> 0)
}
