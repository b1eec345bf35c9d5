import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { errnoOf } from '#base'
import { readText } from '#host/file'
import type { NetavarkRequest } from './netavark.ts'

export interface StoredRequest {
  networkId: string
  request: NetavarkRequest
}

/** What netavark was asked for, by owner: whatever a set-up leaves can be undone by another process. */
export interface StoredRequests {
  read(owner: string): Promise<StoredRequest | undefined>
  /** Written before the set-up begins. */
  keep(owner: string, stored: StoredRequest): Promise<void>
  forget(owner: string): Promise<void>
}

export function storedRequests(directory: string): StoredRequests {
  const pathOf = (owner: string) => join(directory, `${owner}.json`)
  return {
    async read(owner) {
      try {
        return JSON.parse(await readText(pathOf(owner))) as StoredRequest
      } catch (error) {
        if (errnoOf(error) === 'ENOENT') return undefined
        throw error
      }
    },
    async keep(owner, stored) {
      await mkdir(directory, { recursive: true, mode: 0o700 })
      await writeFile(`${pathOf(owner)}.new`, JSON.stringify(stored), { mode: 0o600 })
      await rename(`${pathOf(owner)}.new`, pathOf(owner))
    },
    async forget(owner) {
      await rm(pathOf(owner), { force: true })
    },
  }
}
