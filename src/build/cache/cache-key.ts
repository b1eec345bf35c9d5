import { createHash } from 'node:crypto'
import type { Digest } from '#spec'

/**
 * Keys of the build cache. A key covers everything that decides the result of a step: what it is told (the definition),
 * and the file system it starts from (the chain ID, which is the content and not the history of how it came about), so
 * that neither another base nor another platform can take its result (B11).
 */

/** Raised when steps of one definition would give other layers than before. */
const VERSION = 1

/** `definition` is JSON; the order of members in objects does not count. */
export function cacheKey(kind: string, definition: unknown): string {
  const hash = createHash('sha256')
  hash.update(`bale build ${VERSION} ${kind}\n${canonical(definition)}`)
  return `${kind}:${hash.digest('hex')}`
}

/** Identity of stacked layers. Source: image-spec config.md, "Layer ChainID". No layers have the empty text. */
export function chainId(diffIds: readonly Digest[]): string {
  return diffIds.reduce<string>(
    (chain, diffId) =>
      chain === '' ? diffId : `sha256:${createHash('sha256').update(`${chain} ${diffId}`).digest('hex')}`,
    '',
  )
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) => {
    if (typeof member !== 'object' || member === null || Array.isArray(member)) return member
    return Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
  })
}
