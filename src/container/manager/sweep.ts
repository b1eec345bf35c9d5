import { existsSync, readdirSync } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { asError, errnoOf, isBaleError } from '#base'
import { isClaimed, lifeOf, readClaim, removeCgroup } from '#host'
import { readText, removeTree } from '#host/file'
import { runtimeOfState } from '../runtime/index.ts'
import { cgroupPath } from '../spec/index.ts'
import { lockContainer, type Machinery, pathsOf } from '../state/index.ts'
import { sweepExecs } from './exec-records.ts'
import { forget, settle, takeDownIdleNetworks } from './finalize.ts'

/**
 * Removes what killed bale processes and lost monitors left behind: half-created containers, unrecorded exits,
 * directories and runtime states without a record, unused networks. Safe at any time; returns what it found. A container that
 * cannot be recovered does not stop the others: what failed is thrown at the end.
 */
export async function sweepContainers(machinery: Machinery): Promise<string[]> {
  const found: string[] = []
  const failures: Error[] = []
  const records = await machinery.records.containers.list()
  for (const record of records) {
    await using _ = await lockContainer(machinery, record.id)
    try {
      const before = record.document.state.status
      await settle(machinery, record.id)
      const now = await machinery.records.containers.find(record.id)
      if (now && before !== now.document.state.status) found.push(`container ${record.id.slice(0, 12)}`)
      if (now?.document.state.status === 'removing') await forget(machinery, now, { volumes: true })
    } catch (error) {
      if (!isBaleError(error, 'CONTAINER_NOT_FOUND')) failures.push(asError(error))
    }
  }
  const known = new Set(records.map((record) => record.id))
  for (const id of await unknownIds(machinery, known)) {
    try {
      if (await removeUnknown(machinery, id)) found.push(`leftovers of ${id.slice(0, 12)}`)
    } catch (error) {
      failures.push(asError(error))
    }
  }
  await removeIdleBundles(machinery, records)
  await sweepExecs(machinery, known)
  for (const name of await takeDownIdleNetworks(machinery)) machinery.log.debug('container', `network ${name} is down`)
  await machinery.rootfs.releaseUnused()
  if (failures.length === 1) throw failures[0]
  if (failures.length > 1) throw new AggregateError(failures, failures.map(({ message }) => message).join('; '))
  return found
}

/** IDs that only directories or the runtime still know. */
async function unknownIds({ store }: Machinery, known: ReadonlySet<string>): Promise<string[]> {
  const directories = [join(store.root, 'containers'), join(store.run, 'runtime')]
  const names = (await Promise.all(directories.map(listed))).flat()
  return [...new Set(names)].filter((name) => /^[0-9a-f]{64}$/.test(name) && !known.has(name))
}

async function listed(directory: string): Promise<string[]> {
  try {
    return await readdir(directory)
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return []
    throw error
  }
}

/** A container that is just being made has no record yet, but its maker holds the lock until there is one. */
async function removeUnknown(machinery: Machinery, id: string): Promise<boolean> {
  const paths = pathsOf(machinery, id)
  if (isClaimed(paths.starting) || isStep(machinery, id)) return false
  await using _ = await lockContainer(machinery, id)
  if (await machinery.records.containers.find(id)) return false
  const runtime = runtimeOfState(join(machinery.store.run, 'runtime'), id)
  if (runtime) await (await machinery.runtime(runtime)).delete(id, { force: true })
  await removeCgroup(cgroupPath(id))
  await machinery.networks.disconnect(id)
  await machinery.rootfs.release(id)
  await removeTree(paths.bundle)
  await removeTree(paths.directory)
  return true
}

/** Directories of lives and execs whose monitor is gone, and that no record knows. */
async function removeIdleBundles({ store }: Machinery, records: readonly { id: string }[]): Promise<void> {
  const known = new Set(records.map(({ id }) => id.slice(0, 16)))
  for (const kind of ['c', 'x'])
    for (const name of await listed(join(store.run, kind))) {
      const directory = join(store.run, kind, name)
      if ((kind === 'c' && known.has(name)) || (await isYoung(directory)) || (await hasLivingProcess(directory)))
        continue
      await removeTree(directory)
    }
}

async function hasLivingProcess(bundle: string): Promise<boolean> {
  if (isClaimed(join(bundle, 'starting.json'))) return true
  // The numbers in the other files are of its pid namespace.
  const { owner } = readClaim(join(bundle, 'maker.json'))
  for (const name of ['conmon.pid', 'pidfile']) {
    try {
      const pid = Number.parseInt(await readText(join(bundle, name)), 10)
      if (lifeOf({ ...owner, pid, startTime: undefined }) !== 'dead') return true
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error
    }
  }
  return false
}

function isStep({ store }: Machinery, id: string): boolean {
  const directory = join(store.run, 'steps')
  return existsSync(directory) && readdirSync(directory).some((name) => name.startsWith(id))
}

const YOUNG_MILLISECONDS = 60_000

async function isYoung(directory: string): Promise<boolean> {
  try {
    return Date.now() - (await stat(directory)).ctimeMs < YOUNG_MILLISECONDS
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false
    throw error
  }
}
