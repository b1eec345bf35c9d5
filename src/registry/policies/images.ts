import type { Digest } from '#spec'
import type { ImageState, MetaStore } from '../meta/index.ts'
import { checkReason } from './check-reason.ts'
import { digestNamed, noSuchImage, parseOneImage } from './one-image.ts'

/**
 * What people say of single images, whatever gates say. Each method takes `team/web:1.2` or `team/web@sha256:…` and is about the
 * manifest that this means at the moment, in this repository alone, and about the images of an index; it returns the digest.
 * MANIFEST_NOT_FOUND when it is not there. The reason is mandatory, and on record.
 */
export interface Images {
  /** Gives it out no more, also where no gate is. */
  quarantine(name: string, reason: string): Promise<Digest>
  /** Gives it out although gates block it. */
  release(name: string, reason: string): Promise<Digest>
  /** Leaves it to the gates again. */
  clear(name: string, reason: string): Promise<Digest>
}

export function createImages(meta: MetaStore): Images {
  const set = (kind: ImageState['kind'] | 'none') => async (name: string, reason: string) => {
    checkReason(reason)
    const image = parseOneImage(name)
    const digest = await digestNamed(meta, image)
    if (await meta.setImageState(image.repository, digest, { kind, reason })) return digest
    throw noSuchImage(name)
  }
  return { quarantine: set('quarantined'), release: set('released'), clear: set('none') }
}
