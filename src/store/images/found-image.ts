import type { Descriptor, ImageName, RepoDigest } from '#spec'
import type { StoredImage } from './stored-image.ts'

/** What a user's text refers to. */
export interface FoundImage {
  image: StoredImage
  /** The index or manifest that was named; the image's own manifest when an ID was given. */
  target: Descriptor
  /** When it was a name: with its tag or digest. */
  name?: ImageName | RepoDigest
  /** Given by a digest or a prefix of one. */
  byId: boolean
}
