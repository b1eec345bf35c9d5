import { closeSync, constants, fstatSync, readSync, statSync } from 'node:fs'
import { posix } from 'node:path'
import { BaleError, errnoOf, printable, untilAborted } from '#base'
import { openRoot, type RootDirectory, resolveInside } from '#host'
import { noOutputDirectory, openOutput, outputPlace, pourInto } from '#host/file'
import { type PathStat, packPath, statPath, unpackTar } from '../archive/index.ts'
import { announce, type Machinery } from '../state/index.ts'
import { contentsOnly, copyPlan, wantsDirectory } from './copy-plan.ts'
import { type ContainerFiles, openFiles } from './open-files.ts'

/** As docker: `..` drops the component before it, whatever that is; a final `/` or `/.` stays. */
function clean(path: string): string {
  const ending = /\/\.?$/.exec(path)?.[0] ?? ''
  const whole = posix.normalize(`/${path}`).replace(/(.)\/$/, '$1')
  return whole === '/' ? (ending === '/.' ? '/.' : '/') : `${whole}${ending}`
}

/** Facts about the file at a path of a container. Throws PATH_NOT_FOUND. */
export async function statContainerPath(machinery: Machinery, idOrName: string, path: string): Promise<PathStat> {
  await using files = await openFiles(machinery, idOrName)
  return { ...source(files, idOrName, path).stat, name: posix.basename(posix.normalize(`/${path}`)) || '/' }
}

/** A path of a container and its file. With `follow` a final link is resolved. */
function source(
  files: ContainerFiles,
  idOrName: string,
  path: string,
  options: { follow?: boolean } = {},
): { path: string; stat: PathStat } {
  try {
    const found = options.follow ? followed(files.root, clean(path)) : clean(path)
    return { path: found, stat: statPath(files.root, found) }
  } catch (error) {
    if (!['ENOENT', 'ENOTDIR', 'ELOOP', 'PATH_NOT_FOUND'].includes(String((error as { code?: unknown }).code)))
      throw error
    throw notFound(path, idOrName, error)
  }
}

function notFound(path: string, idOrName: string, cause: unknown): BaleError {
  const text = `Could not find the file ${printable(path)} in container ${printable(idOrName)}`
  return new BaleError('PATH_NOT_FOUND', text, { cause })
}

/** Only a link at the end is another path; one before it is resolved anyway. */
function followed(root: RootDirectory, path: string): string {
  if (!root.statIfThere(path, { follow: false })?.isSymbolicLink()) return path
  return resolveInside(root, path)
}

/** A path of a container as a tar; its names begin with the path's base name (`.` for `/x/.`), as docker's. */
export async function* readContainerPath(
  machinery: Machinery,
  idOrName: string,
  path: string,
  options: { follow?: boolean } = {},
): AsyncGenerator<Uint8Array> {
  await using files = await openFiles(machinery, idOrName)
  const found = source(files, idOrName, path, options)
  await announce(machinery, files.record, 'archive-path')
  yield* packPath(files.root, found.path, tarName(found.path))
}

/** The name a copied path has in its tar. */
function tarName(path: string): string {
  return contentsOnly(path) ? '.' : posix.basename(posix.normalize(`/${path}`)) || '/'
}

export interface WriteOptions {
  /** Owner of the files that are made; that of the tar when undefined. */
  owner?: { uid: number; gid: number }
  /** Refuse to replace a directory with a file or vice versa; true by default. */
  strict?: boolean
  signal?: AbortSignal
}

/** Unpacks a tar into a directory of a container, which must exist. */
export async function writeContainerPath(
  machinery: Machinery,
  idOrName: string,
  path: string,
  tar: AsyncIterable<Uint8Array>,
  options: WriteOptions = {},
): Promise<void> {
  await using files = await openFiles(machinery, idOrName)
  const place = clean(path)
  if (!isDirectory(files.root, place))
    throw new BaleError('PATH_NOT_FOUND', `destination "${printable(`${idOrName}:${path}`)}" must be a directory`)
  assertWritable(files, place)
  await readOnlyInWords(files.root, place, () =>
    unpackTar(files.root, untilAborted(tar, options.signal), { ...options, directory: place, keepNames: true }),
  )
  await announce(machinery, files.record, 'extract-to-dir')
}

function isDirectory(root: RootDirectory, path: string): boolean {
  try {
    return root.statIfThere(path)?.isDirectory() === true
  } catch (error) {
    if (errnoOf(error) === 'ELOOP') return false
    throw error
  }
}

/** The kernel decides while a container runs; the mount of one that does not run can be written. */
function assertWritable({ root, readOnlyRoot }: ContainerFiles, path: string): void {
  if (readOnlyRoot && onRoot(root, path)) throw readOnly(root, path)
}

const onRoot = (root: RootDirectory, path: string) => root.stat(path).dev === root.stat('/').dev

function readOnly(root: RootDirectory, path: string, cause?: unknown): BaleError {
  const text = onRoot(root, path) ? 'container rootfs is marked read-only' : 'mounted volume is marked read-only'
  return new BaleError('CONFLICT', text, { cause })
}

async function readOnlyInWords<T>(root: RootDirectory, path: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (error) {
    const { cause } = error as { cause?: unknown }
    throw errnoOf(cause) === 'EROFS' ? readOnly(root, path, error) : error
  }
}

export interface CopyOptions {
  /** Keep owners. */
  archive?: boolean
  /** Copy what a link leads to. */
  follow?: boolean
  /** Stops between two pieces; files that were copied before stay, and are whole. */
  signal?: AbortSignal
}

/** `cp LOCAL CONTAINER:PATH`. Without `archive` all belongs to root, as with docker. Returns the bytes of the tar. */
export async function copyIntoContainer(
  machinery: Machinery,
  idOrName: string,
  local: string,
  path: string,
  options: CopyOptions = {},
): Promise<number> {
  await using files = await openFiles(machinery, idOrName)
  using machine = openRoot('/')
  const from = localSource(machine, local, options)
  const typed = clean(path)
  const to = destinationOf(files.root, typed)
  if (to.device)
    throw new BaleError(
      'INVALID_ARGUMENT',
      `${printable(path)} is a device of the container, and bale does not write to devices`,
    )
  const plan = copyPlan(from.plan, to)
  if (!isDirectory(files.root, plan.directory)) throw notFound(plan.directory, idOrName, undefined)
  assertWritable(files, plan.directory)
  const counted = counting(packPath(machine, from.path, from.tarName), options)
  await readOnlyInWords(files.root, plan.directory, () =>
    unpackTar(files.root, counted.tar, { ...plan, owner: options.archive ? undefined : { uid: 0, gid: 0 } }),
  )
  await announce(machinery, files.record, 'extract-to-dir')
  return counted.bytes()
}

function localSource(machine: RootDirectory, local: string, options: CopyOptions) {
  try {
    const path = options.follow ? followed(machine, local) : local
    const stat = statPath(machine, path)
    return { path, ...copied(local, path, stat) }
  } catch (error) {
    if (!['ENOENT', 'ENOTDIR', 'ELOOP', 'PATH_NOT_FOUND'].includes(String((error as { code?: unknown }).code)))
      throw error
    throw new BaleError('PATH_NOT_FOUND', `lstat ${printable(local)}: no such file or directory`, { cause: error })
  }
}

/** The facts of a source that the rules need, and its name in the tar (which is replaced or dropped). */
function copied(typed: string, path: string, { type }: PathStat) {
  const name = tarName(typed)
  return {
    plan: { name: named(name), isDirectory: type === 'directory', contentsOnly: contentsOnly(path) || name === '/' },
    tarName: 'x',
  }
}

const named = (name: string) => (name === '.' || name === '/' ? '' : name)

interface Destination {
  /** Without links; with the `/` that was typed. */
  path: string
  kind: 'directory' | 'file' | 'nothing'
  device: boolean
}

/** Where a destination leads: docker writes what a link leads to, and leaves the link. */
function destinationOf(root: RootDirectory, typed: string): Destination {
  let path: string
  try {
    path = resolveInside(root, typed)
  } catch (error) {
    if (errnoOf(error) !== 'ELOOP') throw error
    throw new BaleError('INVALID_ARGUMENT', `too many links in ${printable(typed)}`, { cause: error })
  }
  const there = root.statIfThere(path, { follow: false })
  const ending = wantsDirectory(typed) && !path.endsWith('/') ? '/' : ''
  return {
    path: `${path}${ending}`,
    kind: there === undefined ? 'nothing' : there.isDirectory() ? 'directory' : 'file',
    device: there !== undefined && (there.isCharacterDevice() || there.isBlockDevice()),
  }
}

/**
 * `cp CONTAINER:PATH LOCAL`. Without `archive` all belongs to the caller. Below the destination nothing goes through a
 * link: an earlier copy may be there, with links of the container. Returns the bytes of the tar.
 */
export async function copyFromContainer(
  machinery: Machinery,
  idOrName: string,
  path: string,
  local: string,
  options: CopyOptions = {},
): Promise<number> {
  await using files = await openFiles(machinery, idOrName)
  const found = source(files, idOrName, path, options)
  await announce(machinery, files.record, 'archive-path')
  if (isStream(local)) return await copyToStream(files.root, found, local, options)
  const from = copied(clean(path), found.path, found.stat)
  using machine = openRoot('/')
  const to = destinationOf(machine, local)
  const plan = copyPlan(from.plan, to)
  if (!isDirectory(machine, plan.directory)) throw new BaleError('PATH_NOT_FOUND', noOutputDirectory(plan.directory))
  using root = openRoot(plan.directory, { links: 'refused' })
  const counted = counting(packPath(files.root, found.path, from.tarName), options)
  await unpackTar(root, counted.tar, {
    directory: '/',
    shown: plan.directory,
    name: plan.name,
    owner: options.archive ? undefined : { uid: process.getuid!(), gid: process.getgid!() },
  })
  return counted.bytes()
}

/** True for a device, fifo or open descriptor of the machine: it is written into, never replaced. */
function isStream(local: string): boolean {
  const there = statSync(local, { throwIfNoEntry: false })
  return there !== undefined && !there.isDirectory() && outputPlace(local).kind === 'stream'
}

async function copyToStream(
  root: RootDirectory,
  found: { path: string; stat: PathStat },
  local: string,
  { signal }: CopyOptions,
): Promise<number> {
  const { path, stat } = found
  if (stat.type !== 'file')
    throw new BaleError(
      'INVALID_ARGUMENT',
      `cannot copy a ${stat.type} onto ${printable(local)}, which is not a directory`,
    )
  await using output = await openOutput(local)
  await pourInto(output, fileBytes(root, path), { signal })
  return output.position
}

async function* fileBytes(root: RootDirectory, path: string): AsyncGenerator<Uint8Array> {
  const fd = root.open(path, constants.O_RDONLY | constants.O_NOFOLLOW)
  try {
    // A device that replaced it would be opened, and read without an end.
    if (!fstatSync(fd).isFile()) throw new BaleError('CONFLICT', `${printable(path)} changed while it was being copied`)
    for (;;) {
      const piece = Buffer.allocUnsafeSlow(256 * 1024)
      const count = readSync(fd, piece)
      if (count === 0) return
      yield piece.subarray(0, count)
    }
  } finally {
    closeSync(fd)
  }
}

function counting(
  tar: AsyncIterable<Uint8Array>,
  { signal }: CopyOptions,
): { tar: AsyncIterable<Uint8Array>; bytes(): number } {
  let bytes = 0
  async function* counted() {
    for await (const chunk of untilAborted(tar, signal)) {
      bytes += chunk.length
      yield chunk
    }
  }
  return { tar: counted(), bytes: () => bytes }
}
