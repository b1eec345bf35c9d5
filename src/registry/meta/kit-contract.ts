/** What the parts of the contract work with. */
import assert from 'node:assert/strict'
import { digestOf } from '#blob'
import { type Descriptor, type Digest, MediaType } from '#spec'
import type { MetaStore, NewManifest } from './meta-store.ts'

/** Two openings of the same data, at the time `NOW`. */
export interface Under {
  meta: MetaStore
  other: MetaStore
  setTime(time: number): Promise<void>
}

export const NOW = 1_700_000_000_000
export const DAY = 86_400_000
let counter = 0

/** A key that is unique in the test program. */
export const nextKey = () => keyOf(++counter)
export const keyOf = (number: number) => number.toString(16).padStart(32, '0')

/** Brings a blob into a repository by an upload, as a client would. Returns its digest and the key of the upload. */
export async function push(meta: MetaStore, repository: string, content: string, { lease = DAY } = {}) {
  const [id, key, digest] = [nextKey(), nextKey(), digestOf(content)]
  await meta.createUpload({ id, key, repository, principal: 'ann', algorithm: 'sha256' }, DAY)
  assert.equal(await meta.lockUpload(id, { token: id, offset: 0, lock: 1000 }), true)
  const finish = { token: id, digest, size: content.length, key, lease, keep: DAY, grace: 0 }
  return { digest, key, outcome: await meta.finishUpload(id, finish), id }
}

export interface ManifestParts {
  content: string
  tags?: string[]
  blobs?: NewManifest['blobs']
  children?: Digest[]
  subject?: Digest
  artifactType?: string
  mediaType?: string
}

export function manifest({
  content,
  tags = [],
  blobs = [],
  children = [],
  subject,
  artifactType,
  mediaType = 'application/x',
}: ManifestParts): NewManifest {
  const bytes = Buffer.from(content)
  const digest = digestOf(bytes)
  const descriptor: Descriptor = { mediaType, digest, size: bytes.length, artifactType }
  return {
    digest,
    mediaType,
    bytes,
    descriptor,
    blobs,
    children,
    tags,
    actor: 'ann',
    subject,
    artifactType,
  }
}

/** What is known of the scan of a manifest that a repository has. */
export const scanOf = async (meta: MetaStore, repository: string, digest: Digest) =>
  (await meta.releaseFacts(repository, digest))?.scan

/** A manifest of an image, which is scanned, and one of an index. */
export const image = (content: string, parts: Omit<ManifestParts, 'content'> = {}) =>
  manifest({ content, mediaType: MediaType.ociManifest, ...parts })
export const index = (content: string, children: Digest[]) =>
  manifest({ content, mediaType: MediaType.ociIndex, children })

export const blob = (content: string, optional = false) => ({
  digest: digestOf(content),
  size: content.length,
  optional,
})

export type Check = (title: string, body: (under: Under) => Promise<void>) => void

export const dueKeys = async (meta: MetaStore, limit = 100, ahead?: number) =>
  (await meta.dueObjects(limit, ahead)).map(({ key }) => key).toSorted()
