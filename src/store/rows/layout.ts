import { chmodSync, mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { BaleError } from '#base'
import { makeDirectory } from '#host/file'
import { algorithmOf, type Digest, hexOf, isDigest } from '#spec'

/** Paths below the store's two directories. */
export interface Layout {
  readonly root: string
  readonly run: string
  readonly database: string
  readonly blobs: string
  readonly layers: string
  readonly containers: string
  readonly volumes: string
  readonly temporary: string
  readonly locks: string
  readonly verified: string
  layerDirectory(diffId: Digest): string
  lock(kind: 'layer' | 'blob', digest: Digest): string
}

/** The file that makes a directory a store. */
export const databasePath = (root: string) => join(root, 'bale.db')

/** Makes the directories, all private to their owner. */
export function prepareLayout(root: string, run: string): Layout {
  const layout: Layout = {
    root,
    run,
    database: databasePath(root),
    blobs: join(root, 'blobs'),
    layers: join(root, 'layers-v1'),
    containers: join(root, 'containers'),
    volumes: join(root, 'volumes'),
    temporary: join(root, 'tmp'),
    locks: join(run, 'locks'),
    verified: join(run, 'verified'),
    layerDirectory: (diffId) => join(root, 'layers-v1', name(diffId)),
    lock: (kind, digest) => join(run, 'locks', `${kind}-${name(digest)}`),
  }
  privateDirectory(root)
  privateDirectory(run)
  const { blobs, layers, containers, volumes, temporary, locks, verified } = layout
  for (const path of [join(blobs, 'sha256'), layers, containers, volumes, temporary, locks, verified]) {
    mkdirSync(path, { recursive: true, mode: 0o700 })
  }
  return layout
}

/** The last line before a path is built of a digest (M01). */
function name(digest: Digest): string {
  if (!isDigest(digest)) throw new TypeError('not a digest')
  return algorithmOf(digest) === 'sha256' ? hexOf(digest) : `sha512-${hexOf(digest)}`
}

function privateDirectory(path: string): void {
  makeDirectory(path)
  const { uid, mode } = statSync(path)
  const me = process.geteuid?.() ?? uid
  if (uid !== me && me !== 0) {
    throw new BaleError('UNSUPPORTED_HOST', `the directory ${path} belongs to another user (uid ${uid})`, {
      next: { act: 'choose-directory', of: 'root' },
    })
  }
  if ((mode & 0o077) !== 0) chmodSync(path, 0o700)
}
