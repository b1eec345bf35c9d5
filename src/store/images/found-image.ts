import type { Descriptor } from '#spec'
import type { StoredImage } from './stored-image.ts'

/** What a text of the user stands for. */
export interface FoundImage {
  image: StoredImage
  /** The index or manifest that was named; the image's own manifest when an ID was given. */
  target: Descriptor
  /** The full name (with tag or digest), when it was a name. */
  name?: string
  /** Given by a digest or a prefix of one. */
  byId: boolean
}
