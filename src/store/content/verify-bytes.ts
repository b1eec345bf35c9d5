import { digestMismatch, digestOf, sizeMismatch } from '#blob'
import { algorithmOf, type Descriptor } from '#spec'

/** Checks bytes in memory against their descriptor. */
export function verifyBytes(descriptor: Pick<Descriptor, 'digest' | 'size'>, bytes: Uint8Array): void {
  if (bytes.byteLength !== descriptor.size) throw sizeMismatch(descriptor, bytes.byteLength)
  const digest = digestOf(bytes, algorithmOf(descriptor.digest))
  if (digest !== descriptor.digest) throw digestMismatch(descriptor.digest, digest)
}
