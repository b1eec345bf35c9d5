import { posix } from 'node:path'
import { BaleError } from '#base'
import { isAlive, openRoot, type RootFolder } from '#host'
import type { Machinery } from '../manager/machinery.ts'
import { mountContainer } from '../manager/own-layer.ts'
import { seeContainer } from '../manager/state.ts'
import { contentsOnly, copyPlan } from './copy-plan.ts'
import { type PathStat, packPath, statPath } from './pack-path.ts'

interface FileView extends AsyncDisposable {
  /** The root that holds a path, and the path in it. */
  place(path: string): { root: RootFolder; path: string; readOnly: boolean }
}

/**
 * A container's files as its processes see them. Of a running one that is its own root, volumes and all; of a stopped
 * one its layers and, below their mount points, its volumes and binds.
 */
async function openFiles(machinery: Machinery, idOrName: string): Promise<FileView> {
  const seen = await seeContainer(machinery, idOrName)
  if (seen.status === 'running' || seen.status === 'paused') {
    const { process } = seen.state
    const root = openRoot(`/proc/${process!.pid}/root`)
    // The number may have been given to another process between the look and the opening.
    if (isAlive(process!)) {
      return {
        place: (path) => ({ root, path, readOnly: false }),
        [Symbol.asyncDispose]: async () => root[Symbol.dispose](),
      }
    }
    root[Symbol.dispose]()
  }
  return stoppedFiles(machinery, idOrName)
}

async function stoppedFiles(machinery: Machinery, idOrName: string): Promise<FileView> {
  const stack = new AsyncDisposableStack()
  try {
    const mounted = stack.use(await mountContainer(machinery, idOrName))
    const { host, mounts } = mounted.seen.record.document
    const own = stack.adopt(openRoot(mounted.path), (root) => root[Symbol.dispose]())
    const places = mounts
      .filter((mount) => mount.type !== 'tmpfs')
      .sort((one, other) => other.destination.length - one.destination.length)
    return {
      place(path) {
        const clean = posix.normalize(path)
        const mount = places.find(({ destination }) => clean === destination || clean.startsWith(`${destination}/`))
        if (!mount) return { root: own, path, readOnly: host.readOnly ?? false }
        const root = stack.adopt(openRoot(mount.source), (opened) => opened[Symbol.dispose]())
        const rest = path.slice(mount.destination.length)
        return { root, path: rest === '' ? '/' : rest, readOnly: mount.readOnly }
      },
      [Symbol.asyncDispose]: () => stack.disposeAsync(),
    }
  } catch (error) {
    await stack.disposeAsync()
    throw error
  }
}

const absolute = (path: string) => (path.startsWith('/') ? path : `/${path}`)

/** What is at a path of a container. Throws PATH_NOT_FOUND. */
export async function statContainerPath(machinery: Machinery, idOrName: string, path: string): Promise<PathStat> {
  await using files = await openFiles(machinery, idOrName)
  const place = files.place(absolute(path))
  return { ...statPath(place.root, place.path), name: posix.basename(posix.normalize(absolute(path))) || '/' }
}

/** A path of a container as a tar; its names begin with the path's base name. */
export async function* readContainerPath(
  machinery: Machinery,
  idOrName: string,
  path: string,
  options: { follow?: boolean } = {},
): AsyncGenerator<Uint8Array> {
  await using files = await openFiles(machinery, idOrName)
  const place = files.place(absolute(path))
  yield* packPath(place.root, place.path, tarName(path), options)
}

/** The name a copied path has in its tar; the root has none. */
export function tarName(path: string): string {
  return posix.basename(posix.normalize(absolute(path))) || '.'
}

export interface WriteOptions {
  /** Owner of what is made; the tar's own when undefined. */
  owner?: { uid: number; gid: number }
  /** Refuse to put a file in a folder's place or the other way round; true by default. */
  strict?: boolean
}

/** Unpacks a tar into a folder of a container, which must be there. */
export async function writeContainerPath(
  machinery: Machinery,
  idOrName: string,
  folder: string,
  tar: AsyncIterable<Uint8Array>,
  options: WriteOptions = {},
): Promise<void> {
  await using files = await openFiles(machinery, idOrName)
  const place = writable(files, folder)
  const stat = statPath(place.root, place.path, { follow: true })
  if (stat.type !== 'directory')
    throw new BaleError('INVALID_ARGUMENT', `extraction point is not a directory: ${folder}`)
  const { unpackTar } = await import('./unpack-tar.ts')
  await unpackTar(place.root, tar, { ...options, folder: place.path, keepNames: true })
}

function writable(files: FileView, path: string) {
  const place = files.place(absolute(path))
  if (place.readOnly) throw new BaleError('CONFLICT', 'the container root file system or volume is read-only')
  return place
}

export interface CopyOptions {
  /** Keep owners. */
  archive?: boolean
  /** Copy what a link leads to. */
  follow?: boolean
}

/** `cp LOCAL CONTAINER:PATH`. Without `archive` all belongs to root, as with docker. */
export async function copyIntoContainer(
  machinery: Machinery,
  idOrName: string,
  local: string,
  path: string,
  options: CopyOptions = {},
): Promise<void> {
  await using files = await openFiles(machinery, idOrName)
  const place = writable(files, path)
  using machine = openRoot('/')
  const target = { root: place.root, path: keepSlash(place.path, path) }
  await copyBetween({ root: machine, path: local }, target, {
    ...options,
    owner: options.archive ? undefined : { uid: 0, gid: 0 },
  })
}

/** `cp CONTAINER:PATH LOCAL`. Without `archive` all belongs to the caller. */
export async function copyFromContainer(
  machinery: Machinery,
  idOrName: string,
  path: string,
  local: string,
  options: CopyOptions = {},
): Promise<void> {
  await using files = await openFiles(machinery, idOrName)
  const place = files.place(absolute(path))
  using machine = openRoot('/')
  const source = { root: place.root, path: keepSlash(place.path, path) }
  await copyBetween(
    source,
    { root: machine, path: local },
    {
      ...options,
      owner: options.archive ? undefined : { uid: process.getuid!(), gid: process.getgid!() },
    },
  )
}

/** A path that lost its slash to a mount point still means a folder. */
function keepSlash(path: string, typed: string): string {
  return typed.endsWith('/') && !path.endsWith('/') ? `${path}/` : path
}

interface CopyEnd {
  root: RootFolder
  path: string
}

async function copyBetween(
  from: CopyEnd,
  to: CopyEnd,
  options: CopyOptions & { owner?: { uid: number; gid: number } },
): Promise<void> {
  const source = statPath(from.root, from.path, { follow: options.follow })
  const there = to.root.statIfThere(to.path)
  const plan = copyPlan(
    { name: source.name, isDirectory: source.type === 'directory', contentsOnly: contentsOnly(from.path) },
    { path: to.path, kind: there === undefined ? 'nothing' : there.isDirectory() ? 'folder' : 'file' },
  )
  if (to.root.statIfThere(plan.folder)?.isDirectory() !== true)
    throw new BaleError('PATH_NOT_FOUND', `Could not find the directory ${plan.folder}`)
  const name = tarName(from.path)
  // The root has no name of its own; in the tar it is called like what it becomes.
  const tar = packPath(from.root, from.path, name === '.' ? 'root' : name, options)
  const { unpackTar } = await import('./unpack-tar.ts')
  await unpackTar(to.root, tar, { folder: plan.folder, name: plan.name, owner: options.owner })
}
