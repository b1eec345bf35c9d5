import { existsSync, realpathSync } from 'node:fs'
import { BaleError, errnoOf, printable } from '#base'
import { mkdirWithModeSync } from '#host/file'
import type { ContainerMount } from '../model/index.ts'
import type { Machinery } from '../state/index.ts'
import { mountVolume } from './volume-mount.ts'

/**
 * A container's mounts at its start: the sources of binds are made where that was requested and their links
 * followed, volumes of a device are mounted. The caller gives the volumes back (`releaseVolumes`).
 */
export async function mountsNow(machinery: Machinery, mounts: readonly ContainerMount[]): Promise<ContainerMount[]> {
  const now: ContainerMount[] = []
  for (const mount of mounts) {
    if (mount.type === 'volume') await mountVolume(machinery, mount.name!)
    now.push(mount.type === 'bind' ? { ...mount, source: sourceNow(mount) } : mount)
  }
  return now
}

function sourceNow({ source, createSource }: ContainerMount): string {
  try {
    if (!existsSync(source) && createSource) mkdirWithModeSync(source, 0o755)
    return realpathSync(source)
  } catch (cause) {
    if (createSource)
      throw new BaleError(
        'INVALID_ARGUMENT',
        `error while creating mount source path '${printable(source)}': ${(cause as Error).message}`,
        { cause },
      )
    if (!['ENOENT', 'ENOTDIR', 'ELOOP'].includes(errnoOf(cause) ?? '')) throw cause
    throw missingSource(source)
  }
}

/** docker's message for a bind whose source is missing. */
export function missingSource(source: string): BaleError {
  return new BaleError(
    'INVALID_ARGUMENT',
    `invalid mount config for type "bind": bind source path does not exist: ${printable(source)}`,
  )
}
