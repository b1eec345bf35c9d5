import { utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { errnoOf, isBaleError } from '#base'
import { makeDirectory, readText, removeOldest, writeFileAtomic } from '#host/file'
import { type Digest, hexOf, parseJson } from '#spec'
import { ANALYSER_VERSION } from '../analyser-version.ts'
import type { Inventory } from '../model.ts'

/** Inventories of images that were looked at before. An image of a digest never changes, so neither does its inventory. */
interface InventoryCache {
  /** Undefined also for one that cannot be read. */
  get(manifest: Digest): Promise<Inventory | undefined>
  /**
   * Not for an inventory in which a layer is missing: the layer may be readable tomorrow. Where it cannot be kept, since
   * the directory is read-only or the disk is full, nothing happens: it is taken again the next time.
   */
  put(inventory: Inventory): Promise<void>
}

/** More than any machine needs: some 200 MB. The ones that were not asked for longest go. */
const KEPT = 1000
/** Bytes; the inventory of an image with 10 000 packages has 3 million. A larger one is not kept. */
const LIMIT = 64 << 20

/** Keeps inventories as files of a directory, which is made when needed. Any number of processes may use it. */
export function createInventoryCache(directory: string): InventoryCache {
  const pathOf = (manifest: Digest) => join(directory, `${hexOf(manifest)}.${ANALYSER_VERSION}.json`)
  return {
    get: (manifest) =>
      orUndefined(async () => {
        const path = pathOf(manifest)
        const found = parseJson(await readText(path, { limit: LIMIT })) as Inventory | undefined
        // A file that was damaged is as good as none.
        if (found?.manifest !== manifest || found.analyser !== ANALYSER_VERSION) return undefined
        const now = new Date()
        await orUndefined(() => utimes(path, now, now))
        return found
      }),
    async put(inventory) {
      const text = textOf(inventory)
      if (text === undefined || Buffer.byteLength(text) > LIMIT) return
      await orUndefined(async () => {
        makeDirectory(directory)
        await writeFileAtomic(pathOf(inventory.manifest), text, { durable: false })
        await removeOldest(directory, KEPT)
      })
    },
  }
}

/** Undefined where the text would be longer than a string can be, some 500 million characters. */
function textOf(inventory: Inventory): string | undefined {
  try {
    return JSON.stringify(inventory)
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

/** What `act` gives; undefined when files cannot be read or written. Other errors are mistakes of this program. */
async function orUndefined<T>(act: () => Promise<T>): Promise<T | undefined> {
  try {
    return await act()
  } catch (error) {
    if (errnoOf(error) === undefined && !isBaleError(error)) throw error
    return undefined
  }
}
