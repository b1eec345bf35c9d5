import { statSync } from 'node:fs'
import { normalize } from 'node:path'
import { BaleError, printable } from '#base'
import type { ContainerMount, ContainerOptions, MountRequest } from '../model/index.ts'
import { assertDeclaredOffKernel } from '../process/index.ts'
import { findContainer, type Machinery } from '../state/index.ts'
import { createVolume, missingSource } from '../volume/index.ts'

/**
 * The mounts a container will have: the requested ones, and an anonymous volume for each other VOLUME of the image
 * for which `from`, the mounts of other containers, has none.
 */
export function mountRequests(options: ContainerOptions, from: readonly ContainerMount[] = []): MountRequest[] {
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
    .filter((target) => !targets.has(target) && !from.some(({ destination }) => destination === target))
    .map((target) => ({ type: 'volume' as const, target }))
  // Parents before their contents.
  return [...asked, ...anonymous].sort((one, other) => depth(one.target) - depth(other.target))
}

/** The targets of requested mounts. */
export function askedTargets({ host }: ContainerOptions): ReadonlySet<string> {
  return new Set((host.mounts ?? []).map(({ target }) => targetOf(target)))
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
        ...(request.createSource && { createSource: true }),
        ...(request.recursive === 'disabled' && { recursive: false }),
        ...(request.recursive === 'writable' && { writableBelow: true }),
        propagation: propagationOf(request),
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
      const { volumeDriver: driver, volumeLabels: labels, volumeOptions: options } = request
      const volume = await createVolume(machinery, { name: request.source, driver, labels, options })
      mounts.push({
        ...common,
        type: 'volume',
        name: volume.name,
        source: machinery.store.volumes.directory(volume.name),
        propagation: '',
        anonymous,
      })
    }
  }
  return mounts
}

/** A source that is not made on demand must exist when the container is created. */
function bindSource(request: MountRequest): string {
  const source = normalize(request.source ?? '').replace(/(.)\/$/, '$1')
  if (!source.startsWith('/'))
    throw new BaleError('INVALID_ARGUMENT', `invalid mount path: '${printable(source)}' mount path must be absolute`)
  if (!request.createSource && !statSync(source, { throwIfNoEntry: false })) throw missingSource(source)
  return source
}

const PROPAGATION = ['private', 'rprivate', 'shared', 'rshared', 'slave', 'rslave']

function propagationOf({ propagation = 'rprivate' }: MountRequest): string {
  if (PROPAGATION.includes(propagation)) return propagation
  throw new BaleError('INVALID_ARGUMENT', `invalid propagation mode: ${printable(propagation)}`, {
    hint: PROPAGATION.join(', '),
  })
}

const TMPFS_WORDS = new Set(
  'async atime bind defaults dev diratime dirsync exec mand noatime nodev nodiratime noexec nomand norelatime nostrictatime nosuid rbind relatime remount ro rw strictatime suid sync'.split(
    ' ',
  ),
)
const TMPFS_VALUES = new Set(['size', 'mode', 'uid', 'gid', 'nr_inodes', 'nr_blocks', 'mpol'])

function tmpfsOptions(request: MountRequest): string[] {
  const asked = request.tmpfsOptions ?? []
  for (const word of asked) {
    const [key = '', value] = word.split(/=(.*)/s)
    if (value === undefined ? !TMPFS_WORDS.has(key) : !TMPFS_VALUES.has(key))
      throw new BaleError('INVALID_ARGUMENT', `invalid tmpfs option ${JSON.stringify([printable(word)])}`)
  }
  return [
    ...asked,
    ...(request.tmpfsSize !== undefined ? [`size=${request.tmpfsSize}`] : []),
    ...(request.tmpfsMode !== undefined ? [`mode=${request.tmpfsMode.toString(8)}`] : []),
  ]
}

/**
 * The mounts of other containers (`NAME[:ro|rw]`), volumes and binds with their names and options; requested mounts at
 * the same path take precedence.
 */
export async function mountsFrom(
  machinery: Machinery,
  names: readonly string[],
  taken: ReadonlySet<string>,
): Promise<ContainerMount[]> {
  const mounts = new Map<string, ContainerMount>()
  for (const word of names) {
    const [name = '', mode] = word.split(/:(.*)/s)
    if (mode !== undefined && !/^(ro|rw|z|Z)(,(ro|rw|z|Z))*$/.test(mode))
      throw new BaleError('INVALID_ARGUMENT', `invalid mode: ${printable(mode)}`, { hint: 'NAME, NAME:ro or NAME:rw' })
    const { document } = await findContainer(machinery, name)
    for (const mount of document.mounts) {
      if (mount.type === 'tmpfs' || taken.has(mount.destination)) continue
      const readOnly = mount.readOnly || (mode?.split(',').includes('ro') ?? false)
      mounts.set(mount.destination, { ...mount, readOnly })
    }
  }
  return [...mounts.values()]
}

/** Permissions of a mount point that is made for a tmpfs, which inherits them: by default 1777, writable by every user. */
export function mountPointMode({ type, options }: Pick<ContainerMount, 'type' | 'options'>): number | undefined {
  if (type !== 'tmpfs') return undefined
  const mode = options.find((word) => word.startsWith('mode='))?.slice('mode='.length)
  return mode === undefined ? 0o1777 : Number.parseInt(mode, 8) & 0o7777
}

/** The kind of file that the mount needs as its mount point. */
export function mountPointKind(mount: Pick<ContainerMount, 'type' | 'source'>): 'file' | 'directory' {
  if (mount.type !== 'bind') return 'directory'
  const stats = statSync(mount.source, { throwIfNoEntry: false })
  return stats && !stats.isDirectory() ? 'file' : 'directory'
}
