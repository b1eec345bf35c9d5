import { BaleError } from '#base'
import { type Descriptor, type Reference, repositoryName } from '#spec'
import { ArtifactType, type Attachment, makeAttachment, SIGNATURE_PREDICATE } from '../attachment/index.ts'
import { makeBundle, makeStatement, STATEMENT_LIMIT } from '../bundle/index.ts'
import type { SigningKey } from '../key/index.ts'
import { type SimpleSignature, signSimple } from '../simple/index.ts'

/** What is signed besides the digest. */
export interface SignOptions {
  /** Where the image is: the signature counts only there. */
  repository: Pick<Reference, 'registry' | 'repository'>
  /** Of the signer, part of what is signed. */
  annotations?: Readonly<Record<string, string>>
  /**
   * Seconds since 1970, of SOURCE_DATE_EPOCH. Signed as the time of signing, and written into the manifest. Without it nothing
   * has a time, and the signature cannot meet a requirement of age.
   */
  created?: number
}

/** Signs images with one key. */
export interface Signer {
  /** A signature as a Sigstore bundle, as cosign 3 makes it. */
  sign(subject: Descriptor, options: SignOptions): Attachment
  /** Signs something said about an image: an SBOM, a provenance. LIMIT_EXCEEDED when it is too large to be read again. */
  attest(subject: Descriptor, predicateType: string, predicate: unknown, options: SignOptions): Attachment
  /** A signature in cosign's old form, for clients that know no other; `attachSimpleSignature` puts it into its place. */
  signSimple(subject: Descriptor, options: SignOptions): SimpleSignature
}

/** A signer with this key. An index is signed by its own digest, and its images by theirs. */
export function createSigner(key: SigningKey): Signer {
  const attest: Signer['attest'] = (subject, predicateType, predicate, options) => {
    const { repository, ...more } = options
    const parts = { subject, repository: repositoryName(repository), predicateType, predicate, ...more }
    const statement = makeStatement(parts)
    if (statement.length > STATEMENT_LIMIT) {
      throw new BaleError(
        'LIMIT_EXCEEDED',
        `the attestation has ${statement.length} bytes; at most ${STATEMENT_LIMIT} are signed`,
      )
    }
    const bytes = makeBundle(statement, key)
    return makeAttachment({
      subject,
      artifactType: ArtifactType.bundle,
      layers: [{ mediaType: ArtifactType.bundle, bytes }],
      annotations: {
        'dev.sigstore.bundle.content': 'dsse-envelope',
        'dev.sigstore.bundle.predicateType': predicateType,
      },
      created: options.created,
    })
  }
  return {
    sign: (subject, options) => attest(subject, SIGNATURE_PREDICATE, {}, options),
    attest,
    signSimple: (subject, { repository, ...more }) =>
      signSimple(key, subject, { repository: repositoryName(repository), ...more }),
  }
}
