import { BaleError } from '#base'
import { algorithmOf, type Descriptor, type Digest } from '#spec'
import { createHasher } from './hasher.ts'

type Bytes = AsyncIterable<Uint8Array>
type Expected = Pick<Descriptor, 'digest' | 'size'>

/** What each stream verifies itself against before it ends, so that its consumers need not hash it again. */
const checks = new WeakMap<Bytes, Expected>()

/** Marks a stream that throws instead of ending when its bytes have another digest or size. */
export function selfChecking<S extends Bytes>(stream: S, { digest, size }: Expected): S {
  checks.set(stream, { digest, size })
  return stream
}

/** Keeps the mark of a stream that is wrapped. `wrap` must pass on all bytes, errors and the end unchanged. */
export function passedOn<S extends Bytes>(stream: Bytes, wrap: (stream: Bytes) => S): S {
  const wrapped = wrap(stream)
  const expected = checks.get(stream)
  return expected ? selfChecking(wrapped, expected) : wrapped
}

/**
 * Passes a stream on and checks it against its descriptor: throws SIZE_MISMATCH as soon as one byte too many comes
 * (so a hostile endless stream is abandoned at once) or when it ends early, DIGEST_MISMATCH at the end. A consumer must
 * treat what it got as unverified until the iteration ends. A stream already marked with the same digest and size is returned as it is.
 */
export function verifying(stream: Bytes, expected: Expected): Bytes {
  const known = checks.get(stream)
  if (known?.digest === expected.digest && known.size === expected.size) return stream
  return selfChecking(verified(stream, expected), expected)
}

async function* verified(stream: Bytes, expected: Expected): AsyncGenerator<Uint8Array> {
  const hasher = createHasher(algorithmOf(expected.digest))
  for await (const chunk of stream) {
    if (hasher.size + chunk.byteLength > expected.size) throw sizeMismatch(expected, 'more')
    hasher.update(chunk)
    yield chunk
  }
  if (hasher.size !== expected.size) throw sizeMismatch(expected, hasher.size)
  const digest = hasher.digest()
  if (digest !== expected.digest) throw digestMismatch(expected.digest, digest)
}

/** SIZE_MISMATCH in one wording for all places; `got` is the number of bytes, or 'more' when counting was stopped. */
export function sizeMismatch(expected: Pick<Descriptor, 'digest' | 'size'>, got: number | 'more'): BaleError {
  const found = got === 'more' ? 'it has more' : `it has ${got}`
  return new BaleError('SIZE_MISMATCH', `blob ${expected.digest} should have ${expected.size} bytes, but ${found}`, {
    details: { digest: expected.digest, expected: expected.size, got },
  })
}

/** The error for bytes that do not match the requested digest. */
export function digestMismatch(expected: Digest, got: Digest): BaleError {
  return new BaleError('DIGEST_MISMATCH', `bytes announced as ${expected} have the digest ${got}`, {
    details: { expected, got },
  })
}
