import { createHasher } from '#blob'
import type { BuildMachine } from '#build'
import { type Digest, formatPlatform, type Platform } from '#spec'
import type { StoredImage } from '#store'

/** What a build took from elsewhere. */
export interface BuildAccount {
  /** The image that was found for a name. */
  image(name: string, platform: Platform): StoredImage | undefined
  /** The digest of what an address gave; undefined when it was not asked, or not read to its end. */
  fetched(address: string): Digest | undefined
}

/** The same machine, which keeps account of the images and files that it finds for a build. */
export function accountingMachine<M extends BuildMachine>(machine: M): { machine: M; account: BuildAccount } {
  const images = new Map<string, StoredImage>()
  const digests = new Map<string, Digest>()
  const keyOf = (name: string, platform: Platform) => `${formatPlatform(platform)} ${name}`
  return {
    machine: {
      ...machine,
      async findImage(name, options) {
        const found = await machine.findImage(name, options)
        images.set(keyOf(name, options.platform), found.image)
        return found
      },
      async fetchUrl(address, options) {
        const found = await machine.fetchUrl(address, options)
        return { ...found, body: hashed(found.body, (digest) => digests.set(address, digest)) }
      },
    },
    account: {
      image: (name, platform) => images.get(keyOf(name, platform)),
      fetched: (address) => digests.get(address),
    },
  }
}

async function* hashed(body: AsyncIterable<Uint8Array>, ended: (digest: Digest) => void): AsyncGenerator<Uint8Array> {
  const hasher = createHasher()
  for await (const chunk of body) {
    hasher.update(chunk)
    yield chunk
  }
  ended(hasher.digest())
}
