import { BaleError, type OperationOptions } from '#base'
import { type ImageSource, type ImageTarget, makeImage } from '#image'
import type { Descriptor } from '#spec'
import { attachmentTag, keepListed, putSmallBlob, taggedManifest } from '../attachment/index.ts'
import type { SimpleSignature } from './sign-simple.ts'

/**
 * Adds a signature to those under the image's tag `sha256-<hex>.sig`, which has one manifest for all of them: what others add
 * meanwhile is kept. May be repeated. Throws CONFLICT when the tag belongs to an index or others keep changing it.
 */
export async function attachSimpleSignature(
  target: ImageSource & ImageTarget,
  { subject, layer, payload }: SimpleSignature,
  options: OperationOptions = {},
): Promise<void> {
  const tag = attachmentTag(subject.digest, 'sig')
  if (tag === undefined) throw new BaleError('UNSUPPORTED', `cosign has no tag for ${subject.digest}`)
  await putSmallBlob(target, layer, payload, options)
  const isKept = await keepListed(
    {
      read: () => signaturesOf(target, tag, options),
      write: (layers) => put(target, tag, layers, options),
      isSame,
    },
    layer,
  )
  if (!isKept)
    throw new BaleError('CONFLICT', `the tag ${tag} is changed by others all the time: the signature was not added`)
}

async function signaturesOf(target: ImageSource, tag: string, options: OperationOptions): Promise<Descriptor[]> {
  const there = await taggedManifest(target, tag, options)
  if (there?.kind !== 'index') return there?.manifest.layers ?? []
  throw new BaleError('CONFLICT', `the tag ${tag} should have the signatures of the image, but it is an index`)
}

/** Two signatures of one payload differ in their annotation alone. Empty annotations are not written. */
function isSame(one: Descriptor, other: Descriptor): boolean {
  const [left, right] = [one, other].map(({ annotations = {} }) => JSON.stringify(annotations))
  return one.digest === other.digest && left === right
}

/** Layers need a config that lists them: some registries and clients look at it. */
async function put(target: ImageTarget, tag: string, layers: readonly Descriptor[], options: OperationOptions) {
  const made = makeImage({
    config: { architecture: '', os: '' },
    layers: layers.map(({ digest, size, mediaType, annotations }) => ({
      diffId: digest,
      digest,
      size,
      mediaType,
      annotations,
    })),
  })
  await putSmallBlob(target, made.configDescriptor, made.configBytes, options)
  await target.putManifest(made.manifestDescriptor, made.manifestBytes, options)
  await target.tag(tag, { descriptor: made.manifestDescriptor, bytes: made.manifestBytes }, options)
}
