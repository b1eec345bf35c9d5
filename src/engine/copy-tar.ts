import { containerMachinery } from './container-machinery.ts'
import type { EngineContext } from './context/context.ts'

/** How files are copied into and out of containers. */
export interface CopyOptions {
  /** Keep owners. */
  archive?: boolean
  /** Follow symbolic links in the source. */
  follow?: boolean
  /** Stops the copy; files that were copied before stay, and are whole. */
  signal?: AbortSignal
}

export async function writeContainerPath(
  context: EngineContext,
  idOrName: string,
  directory: string,
  tar: AsyncIterable<Uint8Array>,
  options: { archive?: boolean; signal?: AbortSignal } = {},
): Promise<void> {
  const [{ files }, { decompressAny }] = await Promise.all([containerMachinery(context), import('#format/compression')])
  await files.write(idOrName, directory, decompressAny(tar), {
    owner: options.archive ? undefined : { uid: 0, gid: 0 },
    signal: options.signal,
  })
}
