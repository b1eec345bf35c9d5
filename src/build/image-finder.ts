import type { OperationOptions } from '#base'
import { formatPlatform, fullName, type Platform, parseReference, withDefaultTag } from '#spec'
import type { FoundImage } from './graph/index.ts'
import type { DescribedBase } from './session/index.ts'

export interface ImageFinder<Found extends DescribedBase> {
  /** An image by name; looked up once, however many steps need it. */
  find(reference: string, platform: Platform): Promise<Found>
  /** What FROM needs to know of one. */
  base(of: { reference: string; platform: Platform }): Promise<FoundImage & { wasLocal: boolean }>
}

type FindImage<Found> = (
  reference: string,
  options: OperationOptions & { platform: Platform; pull: boolean },
) => Promise<Found>

export function createImageFinder<Found extends DescribedBase>(
  ask: FindImage<Found>,
  options: OperationOptions & { pull: boolean },
): ImageFinder<Found> {
  const images = new Map<string, Promise<Found>>()
  const find = (reference: string, platform: Platform): Promise<Found> => {
    const key = `${formatPlatform(platform)} ${reference}`
    const found = images.get(key) ?? ask(reference, { platform, ...options })
    images.set(key, found)
    return found
  }
  return {
    find,
    async base({ reference: written, platform }) {
      const reference = isImageId(written) || written.includes('://') ? written : nameOrId(written)
      const { image, wasLocal } = await find(reference, platform)
      const isShort = /^[0-9a-f]+$/.test(reference) && !image.id.startsWith(`sha256:${reference}`)
      const shown = isShort ? fullName(withDefaultTag(parseReference(reference))) : reference
      return { config: image.config, platform: image.platform, reference, shown, wasLocal }
    },
  }
}

/** A name as it is written out in full, unless it can only be an ID, or the beginning of one: which, the store knows. */
function nameOrId(text: string): string {
  const reference = parseReference(text)
  return /^[0-9a-f]{1,64}$/.test(text) ? text : fullName(withDefaultTag(reference))
}

/** `sha256:…`, whole or in part, or 64 digits: never a name. */
function isImageId(text: string): boolean {
  return /^sha256:[0-9a-f]{1,64}$|^[0-9a-f]{64}$/.test(text)
}
