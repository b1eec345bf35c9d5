import { join } from 'node:path'
import { BaleError, type Clock, isBaleError, systemClock } from '#base'
import { acquireLock, keepReserve } from '#host/file'
import { forgetSealedKeys } from './auth/index.ts'
import { type BackedUp, type BackupOptions, backUp } from './backup.ts'
import { type MetaStore, openSqliteMeta } from './meta/index.ts'
import { createFileObjects, type FileObjectsOptions } from './objects/index.ts'
import {
  type AdminSettings,
  administerRegistry,
  type Member,
  openRegistry,
  type Registry,
  type RegistryAdmin,
  type RegistryParts,
  type RegistrySettings,
} from './registry.ts'
import { makeRegistryDirectory } from './registry-directory.ts'
import { readSecretFile } from './secret-file.ts'

/** Where an embedded registry stores its content, and how it behaves. */
export interface RegistryOptions extends RegistrySettings {
  /**
   * Everything the registry keeps: `registry.db`, `objects` and, apart from the data, `secret`. Made when missing, 0700;
   * DENIED when others may read or write it.
   */
  directory: string
  /** Uploads are refused (507) when less of the disk is free. Percent, 1 by default. */
  minFreePercent?: number
}

/** An embedded registry: one serving process on a directory (LOCKED for a second one), SQLite and files. */
export async function createRegistry(options: RegistryOptions): Promise<Registry> {
  const { directory, clock = systemClock } = options
  makeRegistryDirectory(directory)
  const lock = await lockDirectory(directory)
  try {
    const parts = openParts(directory, clock, options)
    const registry = await openRegistry({ ...parts, secret: await secretFor(directory, parts.meta) }, options)
    const close = async () => {
      await registry.close()
      await lock[Symbol.asyncDispose]()
    }
    return { ...registry, close, [Symbol.asyncDispose]: close }
  } catch (error) {
    await lock[Symbol.asyncDispose]()
    throw error
  }
}

/** What an embedded registry is made of, also while it is served. The caller closes its metadata. */
export async function openEmbedded(
  directory: string,
  clock: Clock = systemClock,
): Promise<Omit<RegistryParts, 'member'>> {
  makeRegistryDirectory(directory)
  const parts = openParts(directory, clock)
  try {
    return { ...parts, secret: await secretOf(directory, parts.meta) }
  } catch (error) {
    await parts.meta.close()
    throw error
  }
}

/** Administration of an embedded registry. */
export interface EmbeddedAdmin extends RegistryAdmin {
  /** Copies everything into a directory, which then is a registry's directory itself. */
  backUp(target: string, options?: BackupOptions): Promise<BackedUp>
}

/** Opens the registry's directory for its administration, also while it is served. */
export async function openRegistryAdmin(options: { directory: string } & AdminSettings): Promise<EmbeddedAdmin> {
  const { directory, clock = systemClock } = options
  makeRegistryDirectory(directory)
  const parts = openParts(directory, clock)
  const secret = () => secretOf(directory, parts.meta)
  return {
    ...administerRegistry({ ...parts, secret }, options),
    backUp: (target, how) => backUp({ ...parts, directory }, target, how),
  }
}

/**
 * Takes a directory for a group of processes that serve it together: each of them opens it by `openMember`, and none outlives
 * the group for long. LOCKED when another group or process serves it.
 */
export async function holdForGroup(directory: string, clock: Clock = systemClock): Promise<AsyncDisposable> {
  makeRegistryDirectory(directory)
  await using held = new AsyncDisposableStack()
  held.use(await lockDirectory(directory))
  const { meta } = openParts(directory, clock)
  await secretFor(directory, meta)
  await meta.close()
  held.defer(() => waitForMembers(directory))
  return held.move()
}

/** Opens a registry in one process of a group that has its directory. */
export async function openMember(options: RegistryOptions, member: Member): Promise<Registry> {
  const { directory, clock = systemClock } = options
  const membership = await acquireLock(membersOf(directory), { shared: true, timeoutMs: MEMBERS_PATIENCE })
  try {
    const { secret } = readSecretFile(join(directory, 'secret'))
    const registry = await openRegistry(
      { ...openParts(directory, clock, options), secret, member, shared: true },
      options,
    )
    const close = async () => {
      await registry.close()
      await membership[Symbol.asyncDispose]()
    }
    return { ...registry, close, [Symbol.asyncDispose]: close }
  } catch (error) {
    await membership[Symbol.asyncDispose]()
    throw error
  }
}

const MEMBERS_PATIENCE = 10_000

const membersOf = (directory: string) => join(directory, 'members.lock')

/** Also removes the file of their lock. */
async function waitForMembers(directory: string): Promise<void> {
  await (await acquireLock(membersOf(directory), { timeoutMs: MEMBERS_PATIENCE }))[Symbol.asyncDispose]()
}

async function lockDirectory(directory: string): Promise<AsyncDisposable> {
  await using locks = new AsyncDisposableStack()
  try {
    locks.use(await acquireLock(join(directory, 'serving.lock'), { timeoutMs: 0 }))
    // Members of a group that was killed end in a moment; until then they may write to files that are about to be freed.
    await waitForMembers(directory)
  } catch (error) {
    if (!isBaleError(error, 'LOCKED')) throw error
    throw new BaleError('LOCKED', `another process serves ${directory}`, { cause: error })
  }
  return locks.move()
}

/** Makes the metadata this process's own, whatever one that was killed left; closes it when that fails. */
async function secretFor(directory: string, meta: MetaStore): Promise<Uint8Array> {
  try {
    await meta.freeUploads()
    await meta.freeDeliveries()
    await meta.freeReplications()
    await meta.freeScans()
    return await secretOf(directory, meta)
  } catch (error) {
    await meta.close()
    throw error
  }
}

/** The secret of a registry; what was sealed with a lost one is useless. */
async function secretOf(directory: string, meta: MetaStore): Promise<Uint8Array> {
  const { secret, made } = readSecretFile(join(directory, 'secret'))
  if (made) {
    await forgetSealedKeys(meta)
    await meta.forgetAcmeTexts()
  }
  return secret
}

function openParts(directory: string, clock: Clock, options: FileObjectsOptions = {}) {
  keepReserve(directory, RESERVE)
  return {
    meta: openSqliteMeta({ path: join(directory, 'registry.db'), clock }),
    objects: createFileObjects(join(directory, 'objects'), options),
    whenFull: createWhenFull(directory),
    // A collection makes room for the reserve again.
    afterCollection: () => keepReserve(directory, RESERVE),
  }
}

const RESERVE = { mebibytes: 4 }

/** Work that frees space goes on when there is none: the reserve is given up for it. */
function createWhenFull(directory: string) {
  return async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work()
    } catch (error) {
      if (!isBaleError(error, 'NO_SPACE')) throw error
      keepReserve(directory, RESERVE)
      return await work()
    }
  }
}
