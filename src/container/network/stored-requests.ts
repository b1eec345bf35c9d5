import { rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { errnoOf } from '#base'
import { makeSubdirectory, readText, writeFileAtomic } from '#host/file'
import type { NetavarkRequest } from './netavark.ts'

export interface StoredRequest {
  networkId: string
  request: NetavarkRequest
}

/** The requests made to netavark, by owner and network: what a set-up leaves can be undone by another process. */
export interface StoredRequests {
  read(owner: string): Promise<StoredRequest[]>
  /** Written before the set-up begins; takes the place of the one for the same network. */
  keep(owner: string, stored: StoredRequest): Promise<void>
  /** That for one network, or all. */
  forget(owner: string, networkId?: string): Promise<void>
}

/** Only the holder of the owner's lock changes its requests. */
export function storedRequests(directory: string): StoredRequests {
  const pathOf = (owner: string) => join(directory, `${owner}.json`)
  const read: StoredRequests['read'] = async (owner) => {
    try {
      const stored = JSON.parse(await readText(pathOf(owner))) as StoredRequest | StoredRequest[]
      // bale 0.1 knew one network for each.
      return Array.isArray(stored) ? stored : [stored]
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return []
      throw error
    }
  }
  const others = async (owner: string, networkId: string) =>
    (await read(owner)).filter((one) => one.networkId !== networkId)
  const write = async (owner: string, stored: readonly StoredRequest[]) => {
    for (const one of [dirname(directory), directory]) await makeSubdirectory(one)
    await writeFileAtomic(pathOf(owner), JSON.stringify(stored), { durable: false })
  }
  return {
    read,
    keep: async (owner, stored) => write(owner, [...(await others(owner, stored.networkId)), stored]),
    async forget(owner, networkId) {
      const left = networkId === undefined ? [] : await others(owner, networkId)
      if (left.length > 0) await write(owner, left)
      else await rm(pathOf(owner), { force: true })
    },
  }
}
