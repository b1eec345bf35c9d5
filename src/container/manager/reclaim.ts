import { isBaleError } from '#base'
import { acquireLock } from '#host/file'
import type { Connection } from '../model/index.ts'
import type { ClaimRequest } from '../network/index.ts'
import { type Machinery, pathsOf } from '../state/index.ts'
import { settle } from './finalize.ts'

/**
 * Claims a place on a network. An address or port may still be held by a container whose start was killed, or whose
 * end was not recorded: then those are finalized first, as by a sweep.
 */
export async function claimPlace(machinery: Machinery, request: ClaimRequest): Promise<Connection> {
  try {
    return await machinery.networks.claim(request)
  } catch (error) {
    if (!isBaleError(error, 'CONFLICT') && !isBaleError(error, 'NETWORK_SETUP_FAILED')) throw error
    if (!(await reclaim(machinery, request))) throw error
    return machinery.networks.claim(request)
  }
}

/** True when something was released. */
async function reclaim(machinery: Machinery, { owner: self, network }: ClaimRequest): Promise<boolean> {
  const claims = async () => [
    ...(await machinery.store.ports.list()),
    ...(await machinery.store.addresses.list(network.id)),
  ]
  const before = await claims()
  for (const owner of new Set(before.map(({ owner }) => owner))) if (owner !== self) await putInOrder(machinery, owner)
  return (await claims()).length < before.length
}

/** A container that another process is working on is left alone: two starts must not wait for each other. */
async function putInOrder(machinery: Machinery, id: string): Promise<void> {
  try {
    await using _ = await acquireLock(pathsOf(machinery, id).lock, { timeoutMs: 0 })
    await settle(machinery, id)
  } catch (error) {
    // No record: a build step, or a container that was just removed.
    if (!isBaleError(error, 'LOCKED') && !isBaleError(error, 'CONTAINER_NOT_FOUND')) throw error
  }
}
