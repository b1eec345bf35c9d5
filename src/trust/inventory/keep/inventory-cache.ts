import { readdir, rm, stat, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { errnoOf } from '#base'
import { makeDirectory, readText, writeFileAtomic } from '#host/file'
import { type Digest, hexOf, parseJson } from '#spec'
import { ANALYSER_VERSION } from '../analyser-version.ts'
import type { Inventory } from '../model.ts'

/** Inventories of images that were looked at before: an image of a digest never changes. */
interface InventoryCache {
  get(manifest: Digest): Promise<Inventory | undefined>
  /** Not for one of which a layer could not be read: tomorrow it may be readable. */
  put(inventory: Inventory): Promise<void>
}

/** More than any machine needs: some 200 MB. The ones that were not asked for longest go. */
const KEPT = 1000
const LIMIT = 512 * 1024 * 1024

/** Keeps inventories as files of a directory, which is made when needed. Any number of processes may use it. */
export function createInventoryCache(directory: string): InventoryCache {
  const pathOf = (manifest: Digest) => join(directory, `${hexOf(manifest)}.${ANALYSER_VERSION}.json`)
  return {
    async get(manifest) {
      const path = pathOf(manifest)
      try {
        const found = parseJson(await readText(path, { limit: LIMIT })) as Inventory | undefined
        // A file that was damaged is as good as none.
        if (found?.manifest !== manifest || found.analyser !== ANALYSER_VERSION) return undefined
        const now = new Date()
        await utimes(path, now, now)
        return found
      } catch (error) {
        if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'EACCES') return undefined
        throw error
      }
    },
    async put(inventory) {
      makeDirectory(directory)
      await writeFileAtomic(pathOf(inventory.manifest), JSON.stringify(inventory), { durable: false })
      await removeOldest(directory)
    },
  }
}

async function removeOldest(directory: string): Promise<void> {
  const names = await readdir(directory)
  if (names.length <= KEPT) return
  const files = await Promise.all(
    names.map(async (name) => {
      const found = await stat(join(directory, name)).catch(() => undefined)
      return { name, time: found?.mtimeMs ?? 0 }
    }),
  )
  files.sort((a, b) => a.time - b.time)
  for (const { name } of files.slice(0, names.length - KEPT)) await rm(join(directory, name), { force: true })
}
