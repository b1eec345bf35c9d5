import { readTrustRoot } from '../bundle/index.ts'
import type { TrustedSigner } from '../claim/index.ts'
import { readVerificationKey } from '../key/index.ts'
import { readCertificates } from '../notation/index.ts'
import type { SignerContent } from './schema.ts'

/** Makes a trusted signer of what a policy says, with the files that it names. INVALID_ARGUMENT. */
export async function loadSigner(
  { key, identity, certificate }: SignerContent,
  read: (path: string) => Promise<Uint8Array>,
): Promise<TrustedSigner> {
  if (key !== undefined) {
    const isInline = key.includes('-----BEGIN ')
    const own = readVerificationKey(isInline ? key : await readText(read, key), isInline ? 'the key' : key)
    return { kind: 'key', name: isInline ? `SHA256:${own.hint.slice(0, 12)}` : key, key: own }
  }
  if (identity !== undefined) {
    const { subject, issuer, 'trust-root': root } = identity
    return { kind: 'identity', name: subject, subject, issuer, root: await readTrustRoot(await read(root), root) }
  }
  const { authorities: path, subject, 'signing-authority': signingAuthority } = certificate!
  const authorities = readCertificates(await readText(read, path), path)
  return { kind: 'certificate', name: path, authorities, subject, signingAuthority }
}

async function readText(read: (path: string) => Promise<Uint8Array>, path: string): Promise<string> {
  return Buffer.from(await read(path)).toString()
}
