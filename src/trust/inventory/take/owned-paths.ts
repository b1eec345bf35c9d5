/**
 * Paths that packages of the distribution installed. Only a number of 53 bits is kept for each, since an image may have a million; that
 * two of a thousand million pairs have the same number is less likely than one in a million.
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

/** Packages list files below /lib where the image has them below /usr/lib, since /lib is a link there. */
const MERGED = /^(?:bin|sbin|lib\w*)\//

/** Two 32-bit FNV-1a hashes with different starts, joined to 53 bits. */
function keyOf(path: string): number {
  const whole = MERGED.test(path) ? `usr/${path}` : path
  let low = 0x811c9dc5
  let high = 0x1f35b7a9
  for (let index = 0; index < whole.length; index++) {
    const code = whole.charCodeAt(index)
    low = Math.imul(low ^ code, 0x01000193)
    high = Math.imul(high ^ code, 0x01000193) ^ (high >>> 13)
  }
  return (high & 0x1fffff) * 2 ** 32 + (low >>> 0)
}
