import type { OperationOptions } from '#base'
import type { ImageSource, ImageTarget } from '#image'
import type { Descriptor, Digest } from '#spec'

/** A place of images that knows what is attached to them; a repository of a registry is one. */
export interface AttachmentSource extends ImageSource {
  /** Manifests whose subject is this digest, as descriptors with their artifact type and annotations. */
  referrers(subject: Digest, options?: OperationOptions & { artifactType?: string }): Promise<readonly Descriptor[]>
}

/** Where attachments go as well. */
export type AttachmentTarget = AttachmentSource & ImageTarget

/** A place that cannot list what is attached (an archive): tags of cosign are still found in it. */
export function withoutReferrers(place: ImageSource): AttachmentSource {
  return {
    resolve: (name, options) => place.resolve(name, options),
    manifest: (descriptor, options) => place.manifest(descriptor, options),
    blob: (descriptor, options) => place.blob(descriptor, options),
    referrers: async () => [],
  }
}
