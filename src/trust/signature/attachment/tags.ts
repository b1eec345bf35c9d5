import { isBaleError, type OperationOptions } from '#base'
import { checkedManifest, type ImageSource, type ReadManifest } from '#image'
import { algorithmOf, type Digest, hexOf, isTag } from '#spec'

/** Kinds of attachments that cosign keeps by tag. Source: cosign, SIGNATURE_SPEC.md, "Tag-based Discovery". */
export type TagSuffix = 'sig' | 'att' | 'sbom'

/** `sha256-<hex>.sig`; undefined where that is too long for a tag (sha512). */
export function attachmentTag(subject: Digest, suffix: TagSuffix): string | undefined {
  const tag = `${algorithmOf(subject)}-${hexOf(subject)}.${suffix}`
  return isTag(tag) ? tag : undefined
}

/** What a tag points to, checked; undefined when there is no such tag. */
export async function taggedManifest(
  source: ImageSource,
  tag: string,
  options: OperationOptions = {},
): Promise<ReadManifest | undefined> {
  try {
    return checkedManifest(await source.resolve(tag, options))
  } catch (error) {
    if (isBaleError(error, 'MANIFEST_NOT_FOUND') || isBaleError(error, 'IMAGE_NOT_FOUND')) return undefined
    throw error
  }
}
