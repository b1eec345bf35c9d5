import { closeSync, constants, lstatSync, readdirSync, realpathSync, statSync } from 'node:fs'
import { normalize } from 'node:path'
import { BaleError, errnoOf, printable } from '#base'
import { openRoot, runProgram } from '#host'
import { mkdirWithModeSync } from '#host/file'
import type { ContainerOptions, MountRequest } from '../options.ts'
import { assertDeclaredOffKernel } from '../process/kernel-folders.ts'
import { createVolume } from '../volume/volumes.ts'
import type { ContainerMount } from './document.ts'
import { type Machinery, newId } from './machinery.ts'

/** The mounts a container will have: what was asked for, and an anonymous volume for each further VOLUME of the image. */
export function mountRequests(options: ContainerOptions): MountRequest[] {
  const asked = (options.host.mounts ?? []).map((mount) => ({ ...mount, target: targetOf(mount.target) }))
  const targets = new Set<string>()
  for (const { target } of asked) {
    if (targets.has(target)) throw new BaleError('INVALID_ARGUMENT', `Duplicate mount point: ${target}`)
    targets.add(target)
  }
  const ofImage = Object.keys(options.image.config.Volumes ?? {}).map(targetOf)
  for (const target of ofImage) if (!targets.has(target)) assertDeclaredOffKernel(target, 'a volume of the image')
  const declared = [...ofImage, ...(options.config.volumes ?? []).map(targetOf)]
  const anonymous = [...new Set(declared)]
    .filter((target) => !targets.has(target))
    .map((target) => ({ type: 'volume' as const, target }))
  // Parents before what lies in them.
  return [...asked, ...anonymous].sort((one, other) => depth(one.target) - depth(other.target))
}

const depth = (path: string) => path.split('/').length

function targetOf(path: string): string {
  const target = normalize(path).replace(/(.)\/$/, '$1')
  if (!path.startsWith('/') || target === '/')
    throw new BaleError('INVALID_ARGUMENT', `invalid mount target: ${printable(path)}`, {
      hint: "it must be an absolute path of the container and not '/'",
    })
  return target
}

/** Makes the volumes that are missing and checks the sources of binds. */
export async function resolveMounts(
  machinery: Machinery,
  requests: readonly MountRequest[],
): Promise<ContainerMount[]> {
  const mounts: ContainerMount[] = []
  for (const request of requests) {
    const common = { destination: request.target, readOnly: request.readOnly ?? false, options: [] as string[] }
    if (request.type === 'bind')
      mounts.push({
        ...common,
        type: 'bind',
        source: bindSource(request),
        propagation: request.propagation ?? 'rprivate',
        anonymous: false,
      })
    else if (request.type === 'tmpfs')
      mounts.push({
        ...common,
        type: 'tmpfs',
        source: '',
        propagation: '',
        anonymous: false,
        options: tmpfsOptions(request),
      })
    else {
      const anonymous = request.source === undefined
      const volume = await createVolume(machinery, { name: request.source ?? newId(), anonymous })
      mounts.push({
        ...common,
        type: 'volume',
        name: volume.name,
        source: machinery.store.volumes.folder(volume.name),
        propagation: '',
        anonymous,
      })
    }
  }
  return mounts
}

function bindSource(request: MountRequest): string {
  const source = request.source ?? ''
  if (!source.startsWith('/'))
    throw new BaleError('INVALID_ARGUMENT', `invalid mount path: '${printable(source)}' mount path must be absolute`)
  try {
    return realpathSync(source)
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error
    if (!request.createSource)
      throw new BaleError(
        'INVALID_ARGUMENT',
        `invalid mount config for type "bind": bind source path does not exist: ${printable(source)}`,
      )
    mkdirWithModeSync(source, 0o755)
    return realpathSync(source)
  }
}

function tmpfsOptions(request: MountRequest): string[] {
  return [
    ...(request.tmpfsOptions ?? []),
    ...(request.tmpfsSize !== undefined ? [`size=${request.tmpfsSize}`] : []),
    ...(request.tmpfsMode !== undefined ? [`mode=${request.tmpfsMode.toString(8)}`] : []),
  ]
}

/** True when a volume would be filled from the image (empty so far), so that the root file system is needed. */
export function wantsCopy(mount: ContainerMount, request: MountRequest): boolean {
  return mount.type === 'volume' && !request.noCopy && readdirSync(mount.source).length === 0
}

/**
 * Fills an empty volume with what the image has at its mount point, owners, modes and attributes kept. The image's
 * folder is found inside the root file system by the kernel, so no link of the image leads the copy to the host's files.
 */
export async function copyImageContent(machinery: Machinery, rootfs: string, mount: ContainerMount): Promise<void> {
  using root = openRoot(rootfs)
  let folder: number
  try {
    folder = root.open(mount.destination, constants.O_RDONLY | constants.O_DIRECTORY)
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ELOOP'].includes(errnoOf(error) ?? '')) return
    throw error
  }
  try {
    const { programs } = machinery
    const source = `/proc/${process.pid}/fd/${folder}/.`
    const result = await runProgram('cp', ['-a', source, mount.source], { env: { PATH: programs.searchPath } })
    if (result.code !== 0)
      throw new BaleError(
        'MOUNT_FAILED',
        `cannot copy the image's content into volume ${mount.name}: ${result.stderr.trim()}`,
      )
  } finally {
    closeSync(folder)
  }
}

/** What has to be in the root file system for the mount to cover. */
export function mountPointKind(mount: Pick<ContainerMount, 'type' | 'source'>): 'file' | 'folder' {
  if (mount.type !== 'bind') return 'folder'
  const stats = statSync(mount.source, { throwIfNoEntry: false }) ?? lstatSync(mount.source, { throwIfNoEntry: false })
  return stats && !stats.isDirectory() ? 'file' : 'folder'
}
