import { BaleError, printable } from '#base'

declare const brand: unique symbol

/** `sha256:<64 hex>` or `sha512:<128 hex>`, lower case, checked. A string, so that it works as key of a Map. */
export type Digest = string & { readonly [brand]: 'Digest' }

const PATTERN = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/

/** Whether a text is a digest of a known algorithm, well formed. */
export function isDigest(text: unknown): text is Digest {
  return typeof text === 'string' && PATTERN.test(text)
}

/** Source: image-spec descriptor.md, registered algorithms. Throws INVALID_DIGEST for all else, so that no unchecked text becomes a path or URL. */
export function parseDigest(text: unknown): Digest {
  if (isDigest(text)) return text
  throw new BaleError('INVALID_DIGEST', `invalid digest: ${printable(String(text), 160)}`, {
    hint: 'a digest is sha256: and 64 lower-case hexadecimal digits, or sha512: and 128',
  })
}

/** The algorithm of a digest: `sha256` of `sha256:…`. */
export function algorithmOf(digest: Digest): 'sha256' | 'sha512' {
  return digest.startsWith('sha512:') ? 'sha512' : 'sha256'
}

/** The part of a digest after the algorithm. */
export function hexOf(digest: Digest): string {
  return digest.slice(7)
}

/** The twelve hex digits shown to users. */
export function shortId(digest: Digest): string {
  return digest.slice(7, 19)
}
