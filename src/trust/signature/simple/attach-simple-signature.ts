import { BaleError, type OperationOptions } from '#base'
import { type ImageSource, type ImageTarget, makeImage } from '#image'
import type { Descriptor } from '#spec'
import { attachmentTag, putSmallBlob, taggedManifest } from '../attachment/index.ts'
import type { SimpleSignature } from './sign-simple.ts'

/**
 * Adds a signature to those under the image's tag `sha256-<hex>.sig`. The tag has one manifest for all signatures, so two who
 * sign at the same moment can lose one of them: it is looked whether the own one is there, and tried again. May be repeated.
 */
export async function attachSimpleSignature(
  target: ImageSource & ImageTarget,
  { subject, layer, payload }: SimpleSignature,
  options: OperationOptions = {},
): Promise<void> {
  const tag = attachmentTag(subject.digest, 'sig')
  if (tag === undefined) throw new BaleError('UNSUPPORTED', `cosign has no tag for ${subject.digest}`)
  await putSmallBlob(target, layer, payload, options)
  for (let tries = 0; tries < TRIES; tries++) {
    const there = await signaturesOf(target, tag, options)
    if (there.some((one) => isSame(one, layer))) return
    await put(target, tag, [...there, layer], options)
  }
  throw new BaleError('CONFLICT', `others change the tag ${tag} all the time: the signature was not added`)
}

const TRIES = 5

async function signaturesOf(target: ImageSource, tag: string, options: OperationOptions): Promise<Descriptor[]> {
  const there = await taggedManifest(target, tag, options)
  if (there?.kind !== 'index') return there?.manifest.layers ?? []
  throw new BaleError('CONFLICT', `the tag ${tag} has signatures of the image, but points to an index here`)
}

/** Two signatures of one payload differ in their annotation alone. */
function isSame(one: Descriptor, other: Descriptor): boolean {
  return one.digest === other.digest && JSON.stringify(one.annotations) === JSON.stringify(other.annotations)
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
