import { posix } from 'node:path'
import type { Analyser, Interest, LayerFile, ReadableFile } from '../analyser.ts'
import type { FoundInFile, FoundPackage, OwnedPath } from '../model.ts'
import { linesOf } from './control-file.ts'
import { ownedPath } from './owned-path.ts'
import { readPackageList } from './package-list.ts'

/** An image with 6000 packages has 8 MB. */
const STATUS_LIMIT = 64 << 20
/** One package's list: of 500 000 files. */
const LIST_LIMIT = 32 << 20

const DIRECTORY = 'var/lib/dpkg/'

/**
 * Packages of Debian and its relatives, from dpkg's status file, and from `status.d`, where images without dpkg have one
 * file for each package. A package counts when files of it are in the image: not if it was never installed or only its
 * configuration is left. Owned paths come from `info/*.list`, and from the checksums beside the files of `status.d`.
 * Source: dpkg(1), section "Package states"; deb-md5sums(5).
 */
export const dpkg: Analyser = {
  name: 'dpkg',
  wants: ({ path }: LayerFile): Interest | undefined => {
    if (!path.startsWith(DIRECTORY)) return undefined
    const kind = kindOf(path)
    return kind && { limit: kind === 'status' ? STATUS_LIMIT : LIST_LIMIT }
  },
  analyse: async (file) => {
    const kind = kindOf(file.path)
    if (kind === 'list') return { owned: ownedBy(nameOf(file.path), listedPaths(await file.read())) }
    if (kind === 'checksums') return { owned: ownedBy(nameOf(file.path), checkedPaths(await file.read())) }
    return readStatus(file)
  },
}

function kindOf(path: string): 'status' | 'list' | 'checksums' | undefined {
  const [directory, name, ...deeper] = path.slice(DIRECTORY.length).split('/')
  if (directory === 'status' && name === undefined) return 'status'
  if (!name || deeper.length > 0) return undefined
  if (directory === 'info') return name.endsWith('.list') ? 'list' : undefined
  if (directory !== 'status.d') return undefined
  return name.endsWith('.md5sums') ? 'checksums' : 'status'
}

async function readStatus(file: ReadableFile): Promise<FoundInFile> {
  return readPackageList(file.path, await file.read(), FIELDS, (fields) =>
    isPresent(fields.get('Status')) ? packageOf(fields) : undefined,
  )
}

const FIELDS = new Set(['Package', 'Status', 'Version', 'Architecture', 'Source', 'Maintainer'])

/** In each other state at least some files of the package are in place. What `status.d` has needs no state. */
function isPresent(status: string | undefined): boolean {
  const state = status?.split(/\s+/).at(-1)
  return state !== 'not-installed' && state !== 'config-files'
}

function packageOf(fields: ReadonlyMap<string, string>): FoundPackage {
  const version = fields.get('Version') ?? ''
  return {
    type: 'deb',
    name: fields.get('Package') ?? '',
    version,
    architecture: fields.get('Architecture'),
    source: sourceOf(fields.get('Source'), version),
    vendor: fields.get('Maintainer'),
  }
}

/** `glibc`, or `glibc (2.36-9)` when the source has another version than the package. */
function sourceOf(source: string | undefined, version: string): FoundPackage['source'] {
  if (!source) return undefined
  const [name = '', inBrackets] = source.split(' ', 2)
  return { name, version: inBrackets?.replace(/^\(|\)$/g, '') || version }
}

/** `libc6` of `info/libc6:amd64.list`, and of `status.d/libc6.md5sums`. */
function nameOf(path: string): string {
  return posix
    .basename(path)
    .replace(/\.(?:list|md5sums)$/, '')
    .replace(/:[a-z0-9-]+$/, '')
}

function* ownedBy(name: string, listed: Iterable<string>): Generator<OwnedPath> {
  for (const one of listed) {
    const path = ownedPath(one)
    if (path !== undefined) yield [path, name]
  }
}

function* listedPaths(list: Buffer): Generator<string> {
  for (const line of linesOf(list)) yield line.toString('latin1')
}

/** Lines are a checksum, two spaces and a path. */
function* checkedPaths(checksums: Buffer): Generator<string> {
  for (const line of linesOf(checksums)) {
    const text = line.toString('latin1')
    const space = text.indexOf(' ')
    if (space > 0) yield text.slice(space + 1).trimStart()
  }
}
