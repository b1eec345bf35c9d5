/**
 * trust/signature/attachment: what belongs to an image in its repository: referrers, and the tags that cosign used before
 * registries had them. Promises: what was attached is found again, also in registries without a referrers API; lists and
 * documents are bounded. Does not: judge what it reads.
 */
export { attach, putSmallBlob } from './attach.ts'
export { SIGNATURE_PREDICATE } from './attachment-kind.ts'
export { type AttachmentSource, withoutReferrers } from './attachment-source.ts'
export { objectionTo } from './content-objection.ts'
export { keepListed } from './keep-listed.ts'
export { type AttachmentNode, type AttachmentTree, listAttachments } from './list-attachments.ts'
export { type Attachment, type AttachmentParts, makeAttachment } from './make-attachment.ts'
export { ArtifactType, isBundleType } from './media-types.ts'
export { attachmentTag, taggedManifest } from './tags.ts'
