/** Media types and annotations of what is attached to images. */
export const ArtifactType = {
  /** Sigstore protobuf-specs, bundle 0.3. */
  bundle: 'application/vnd.dev.sigstore.bundle.v0.3+json',
  /** cosign, SIGNATURE_SPEC.md. */
  simpleSigning: 'application/vnd.dev.cosign.simplesigning.v1+json',
  /** A cosign signature of the old form as a referrer: cosign 2 with experimental features. */
  cosignSignature: 'application/vnd.dev.cosign.artifact.sig.v1+json',
  /** in-toto, DSSE. */
  dsseEnvelope: 'application/vnd.dsse.envelope.v1+json',
  inToto: 'application/vnd.in-toto+json',
  /** Notary Project, signature specification. */
  notation: 'application/vnd.cncf.notary.signature',
  notationJws: 'application/jose+json',
  notationCose: 'application/cose',
} as const

/** Whether a type is that of a Sigstore bundle, of whatever version. */
export function isBundleType(mediaType: string | undefined): boolean {
  return mediaType?.startsWith('application/vnd.dev.sigstore.bundle') ?? false
}
