/**
 * trust/signature: who made an image, and may it be used. Keys (`key`), what is attached to images (`attachment`), signing
 * (`sign`), Sigstore bundles (`bundle`), cosign's older form (`simple`), Notation (`notation`), checking all of these (`verify`),
 * and files of rules (`policy`). Promises: works offline, with keys and roots that the user gives; a signature counts for one
 * digest only, and only in the repository that it names, if it names one; whatever is attached is read with limits and not
 * trusted until it is checked; a failed request is never taken for a missing signature. Does not: read the environment, ask
 * for passwords, talk to Sigstore's services, know which images run or are pulled.
 *
 * A signature says that a digest is genuine, not that it is current. A tag that somebody moves back to an older image leads to a
 * digest that was signed as well. Rules with `not-older-than` refuse that, and so does comparing with the digest seen last.
 */
export {
  type AttachmentNode,
  type AttachmentSource,
  type AttachmentTree,
  attach,
  listAttachments,
  makeAttachment,
  withoutReferrers,
} from './attachment/index.ts'
export { readTrustRoot } from './bundle/index.ts'
export type {
  RepositoryRule,
  TrustedSigner,
} from './claim/index.ts'
export {
  generateKeys,
  readSigningKey,
  readVerificationKey,
} from './key/index.ts'
export { readCertificates } from './notation/index.ts'
export {
  type Judgement,
  judgeSignatures,
  type PolicyRule,
  readSignaturePolicy,
  requireTrusted,
  ruleFor,
  type SignaturePolicy,
} from './policy/index.ts'
export { createSigner, type Signer } from './sign/index.ts'
export { attachSimpleSignature } from './simple/index.ts'
export {
  type Verification,
  verifyImage,
} from './verify/index.ts'
