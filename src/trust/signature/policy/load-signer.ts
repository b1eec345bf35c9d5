import type { TrustedSigner, TrustRoot } from '../claim/index.ts'
import { readVerificationKey } from '../key/index.ts'
import { readCertificates } from '../notation/index.ts'
import type { SignerContent } from './schema.ts'

/** The files that signers name, by their paths in the policy. */
interface SignerFiles {
  bytes(path: string): Promise<Uint8Array>
  root(path: string): Promise<TrustRoot>
}

/** Makes a trusted signer of what a policy says, with the files that it names. INVALID_ARGUMENT. */
export async function loadSigner(
  { key, identity, certificate }: SignerContent,
  files: SignerFiles,
): Promise<TrustedSigner> {
  if (key !== undefined) {
    const isInline = key.includes('-----BEGIN ')
    const own = readVerificationKey(isInline ? key : await readText(files, key), isInline ? 'the key' : key)
    return { kind: 'key', name: isInline ? `SHA256:${own.hint.slice(0, 12)}` : key, key: own }
  }
  if (identity !== undefined) {
    const { subject, issuer, 'trust-root': root } = identity
    return { kind: 'identity', name: subject, subject, issuer, root: await files.root(root) }
  }
  const { authorities: path, subject, 'signing-authority': signingAuthority } = certificate!
  const authorities = readCertificates(await readText(files, path), path)
  return { kind: 'certificate', name: path, authorities, subject, signingAuthority }
}

async function readText(files: SignerFiles, path: string): Promise<string> {
  return Buffer.from(await files.bytes(path)).toString()
}
