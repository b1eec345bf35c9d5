import { type Progress, printable } from '#base'
import { formatPlatform, fullName, type Platform, parseReference, withDefaultTag } from '#spec'
import type { FoundImage } from './graph/index.ts'
import type { BuildMachine, FoundBase } from './session/index.ts'

export interface ImageFinder {
  /** An image by name; asked for once, however many steps need it. */
  find(reference: string, platform: Platform): Promise<FoundBase>
  /** What FROM needs to know of one. Warns when it is for another platform. */
  base(of: { name: string; reference: string; platform: Platform }): Promise<FoundImage & { wasLocal: boolean }>
}

export interface ImageFinderOptions {
  pull: boolean
  signal: AbortSignal
  progress: Progress
}

export function createImageFinder(
  machine: Pick<BuildMachine, 'findImage'>,
  { pull, signal, progress }: ImageFinderOptions,
): ImageFinder {
  const images = new Map<string, Promise<FoundBase>>()
  const find: ImageFinder['find'] = (reference, platform) => {
    const key = `${formatPlatform(platform)} ${reference}`
    const found = images.get(key) ?? machine.findImage(reference, { platform, pull, signal, progress })
    images.set(key, found)
    return found
  }
  return {
    find,
    async base({ name, reference: written, platform }) {
      const reference = isImageId(written) || written.includes('://') ? written : nameOrId(written)
      const { image, wasLocal } = await find(reference, platform)
      if (image.platform.os !== platform.os || image.platform.architecture !== platform.architecture) {
        const text = `the base image ${printable(name)} is for ${formatPlatform(image.platform)}, not for ${formatPlatform(platform)}`
        progress({ kind: 'warning', text })
      }
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
