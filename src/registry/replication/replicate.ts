import { BaleError } from '#base'
import { checkedManifest, copyImage, type RawManifest } from '#image'
import { type Descriptor, type Digest, isIndexType, isManifestType } from '#spec'
import type { End, Going } from './end.ts'

interface Replication {
  from: End
  to: End
  going: Going
  /** What refers to the image follows. */
  referrers: boolean
}

/** Of one image, at most so many are looked at. */
const MOST_MANIFESTS = 10_000

/** Makes a tag of the destination what it is at the source. Undefined when the source has no such tag; else its digest. */
export async function replicateTag(replication: Replication, tag: string): Promise<Digest | undefined> {
  const { from, to, going } = replication
  const [wanted, there] = [await from.current(tag), await to.current(tag)]
  if (wanted !== undefined && wanted === there) {
    if (replication.referrers) await replicateReferrers(replication, [wanted])
    return wanted
  }
  const root = await from.resolve(tag)
  if (!root) return undefined
  const { digest } = root.descriptor
  await copy(replication, root)
  // Whoever checks signatures at the destination finds them when the tag moves.
  if (replication.referrers) await replicateReferrers(replication, await manifestsOf(from, root, going))
  if (digest !== there) await to.target.tag(tag, root, { signal: going.signal })
  return digest
}

/** Brings what refers to an image that is replicated. False when the source has no such manifest. */
export async function replicateReferrer(replication: Replication, digest: Digest): Promise<boolean> {
  const { from, to, going } = replication
  const root = await from.resolve(digest)
  if (!root) return false
  await copy(replication, root)
  const subject = subjectOf(root)
  if (subject !== undefined) await to.listReferrers(subject, [await describedBy(from, subject, root.descriptor)])
  await replicateReferrers(replication, await manifestsOf(from, root, going))
  return true
}

/** As lists of referrers have it: with its annotations and its artifact type. */
async function describedBy(from: End, subject: Digest, descriptor: Descriptor): Promise<Descriptor> {
  return (await from.referrers(subject)).find((one) => one.digest === descriptor.digest) ?? descriptor
}

async function copy({ from, to, going }: Replication, root: RawManifest, tag?: string): Promise<void> {
  const { signal } = going
  await copyImage(from.source, to.target, {
    name: root,
    targetName: tag,
    all: true,
    verbatim: true,
    act: 'push',
    signal,
  })
}

/** Of an image and all its platforms. */
async function manifestsOf(from: End, root: RawManifest, { signal }: Going): Promise<Digest[]> {
  const found = new Set<Digest>()
  const add = async (raw: RawManifest): Promise<void> => {
    if (found.has(raw.descriptor.digest) || found.size === MOST_MANIFESTS) return
    found.add(raw.descriptor.digest)
    const read = checkedManifest(raw)
    if (read.kind !== 'index') return
    for (const { mediaType, digest, size } of read.index.manifests) {
      if (!isIndexType(mediaType) && !isManifestType(mediaType)) continue
      signal.throwIfAborted()
      const bytes = await from.source.manifest({ mediaType, digest, size }, { signal })
      await add({ descriptor: { mediaType, digest, size }, bytes })
    }
  }
  await add(root)
  return [...found]
}

/** What refers to manifests, and to that in turn. */
async function replicateReferrers(replication: Replication, subjects: readonly Digest[]): Promise<void> {
  const { from, to, going } = replication
  const seen = new Set(subjects)
  const waiting = [...subjects]
  for (let subject = waiting.shift(); subject !== undefined; subject = waiting.shift()) {
    going.signal.throwIfAborted()
    const referrers = await from.referrers(subject)
    for (const { digest } of referrers) {
      if (seen.has(digest)) continue
      if (seen.size === MOST_MANIFESTS) {
        throw new BaleError('LIMIT_EXCEEDED', `more than ${MOST_MANIFESTS} manifests refer to one image`)
      }
      seen.add(digest)
      const root = await from.resolve(digest)
      if (!root) continue
      await copy(replication, root)
      waiting.push(digest)
    }
    if (referrers.length > 0) await to.listReferrers(subject, referrers)
    for (const tag of await from.referrerTags(subject)) {
      const [wanted, there] = [await from.current(tag), await to.current(tag)]
      const root = wanted !== undefined && wanted !== there ? await from.resolve(tag) : undefined
      if (root) await copy(replication, root, tag)
    }
  }
}

function subjectOf(root: RawManifest): Digest | undefined {
  const read = checkedManifest(root)
  return (read.kind === 'index' ? read.index : read.manifest).subject?.digest
}
