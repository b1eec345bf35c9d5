import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { BaleError, isBaleError, table, toldBy } from '#base'
import { isClaimed, isMounted, runProgram, unmount } from '#host'
import { acquireLock, mkdirWithMode } from '#host/file'
import type { ContainerMount } from '../model/index.ts'
import { type Machinery, pathsOf, see } from '../state/index.ts'

/** The options of docker's local driver; `size` is a quota, which is not supported here. */
const NEEDED = table<readonly string[]>({
  type: ['device'],
  device: ['type'],
  o: ['device', 'type'],
  size: [],
})

/** Throws with docker's messages for invalid options of the local driver. */
export function checkVolumeOptions(options: Readonly<Record<string, string>>): void {
  for (const key of Object.keys(options)) {
    if (!NEEDED[key]) throw new BaleError('INVALID_ARGUMENT', `invalid option: ${JSON.stringify(key)}`)
    if (key === 'size') throw new BaleError('UNSUPPORTED', 'quota size requested but no quota support')
    for (const needed of NEEDED[key]!)
      if (!Object.hasOwn(options, needed))
        throw new BaleError('INVALID_ARGUMENT', `missing required option: ${JSON.stringify(needed)}`)
  }
}

/** Held while a volume is mounted or unmounted; milliseconds, but for a server that does not answer. */
async function lockOf({ store, log }: Machinery, name: string) {
  const directory = join(store.run, 'volumes')
  await mkdir(directory, { recursive: true, mode: 0o700 })
  return acquireLock(join(directory, `${name}.lock`), {
    progress: toldBy(log),
    what: `the volume ${name}, which another command mounts or unmounts`,
  })
}

/** Makes a volume's files available below its directory: a device, directory or server is mounted there, once for all. */
export async function mountVolume(machinery: Machinery, name: string): Promise<void> {
  const { store, records, programs } = machinery
  const directory = store.volumes.directory(name)
  await mkdirWithMode(directory, 0o755)
  const { type, device, o } = (await records.volumes.find(name))?.document.options ?? {}
  if (type === undefined || device === undefined) return
  await using _ = await lockOf(machinery, name)
  if (isMounted(directory)) return
  const args = ['-t', type, ...(o ? ['-o', o] : []), '--', device, directory]
  const { code, stderr } = await runProgram('mount', args, { env: { PATH: programs.searchPath } })
  if (code !== 0)
    throw new BaleError(
      'MOUNT_FAILED',
      `error while mounting volume '${directory}': failed to mount local volume: ${stderr.trim()}`,
    )
}

/** Unmounts those of a container's volumes that no container that runs, or is being started, uses. */
export async function releaseVolumes(machinery: Machinery, mounts: readonly ContainerMount[]): Promise<void> {
  const { store } = machinery
  for (const { name } of mounts) {
    if (name === undefined || !isMounted(store.volumes.directory(name))) continue
    await using _ = await lockOf(machinery, name)
    if (!(await isUsed(machinery, name))) unmountIdle(store.volumes.directory(name))
  }
}

async function isUsed(machinery: Machinery, name: string): Promise<boolean> {
  for (const record of await machinery.records.containers.list()) {
    if (!record.document.mounts.some((mount) => mount.name === name)) continue
    if (isClaimed(pathsOf(machinery, record.id).starting)) return true
    if (['running', 'paused'].includes((await see(machinery, record)).status)) return true
  }
  return false
}

/** A process of the machine may be using it; then it stays until the next container that uses it ends. */
function unmountIdle(directory: string): void {
  try {
    unmount(directory)
  } catch (error) {
    if (!isBaleError(error, 'CONFLICT')) throw error
  }
}
