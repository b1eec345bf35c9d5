import { containerMachinery } from './container-machinery.ts'
import type { EngineContext } from './context.ts'

export interface CopyOptions {
  /** Keep owners. */
  archive?: boolean
  /** Copy what a link leads to. */
  follow?: boolean
}

/** Copies a file or directory of this machine (absolute path) into a container, running or not. Answers bytes of its tar. */
export async function copyIntoContainer(
  context: EngineContext,
  idOrName: string,
  local: string,
  path: string,
  options: CopyOptions = {},
): Promise<number> {
  const [room, machinery] = await Promise.all([import('#container'), containerMachinery(context)])
  return room.copyIntoContainer(machinery, idOrName, local, path, options)
}

/** Copies a file or directory out of a container. Answers bytes of its tar. */
export async function copyFromContainer(
  context: EngineContext,
  idOrName: string,
  path: string,
  local: string,
  options: CopyOptions = {},
): Promise<number> {
  const [room, machinery] = await Promise.all([import('#container'), containerMachinery(context)])
  return room.copyFromContainer(machinery, idOrName, path, local, options)
}

/** A path of a container as a tar stream. A path that is not there is told before the first byte. */
export async function readContainerPath(
  context: EngineContext,
  idOrName: string,
  path: string,
  options: { follow?: boolean } = {},
): Promise<AsyncIterable<Uint8Array>> {
  const [room, machinery] = await Promise.all([import('#container'), containerMachinery(context)])
  await room.statContainerPath(machinery, idOrName, path)
  return room.readContainerPath(machinery, idOrName, path, options)
}

/** Unpacks a tar (plain or compressed) into a directory of a container. */
export async function writeContainerPath(
  context: EngineContext,
  idOrName: string,
  directory: string,
  tar: AsyncIterable<Uint8Array>,
  options: { archive?: boolean } = {},
): Promise<void> {
  const [room, machinery, { decompressAny }] = await Promise.all([
    import('#container'),
    containerMachinery(context),
    import('#format/compression'),
  ])
  await room.writeContainerPath(machinery, idOrName, directory, decompressAny(tar), {
    owner: options.archive ? undefined : { uid: 0, gid: 0 },
  })
}
