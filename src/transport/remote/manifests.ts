import { BaleError, type OperationOptions } from '#base'
import { digestMismatch, digestOf, sizeMismatch } from '#blob'
import type { RawManifest } from '#image'
import {
  algorithmOf,
  type Descriptor,
  type Digest,
  isDigest,
  isIndexType,
  isManifestType,
  MediaType,
  parseManifest,
} from '#spec'
import type { HttpAnswer } from '#transport/http'
import { htmlError, isHtml } from './answer-error.ts'
import type { Names } from './names.ts'
import type { Session } from './session.ts'

/** Responses to HEAD that do not settle whether something exists: some registries, and the stores they redirect to, know no HEAD. */
export const UNTOLD = [400, 403, 404, 405, 410, 501]
const ACCEPT = [
  MediaType.ociIndex,
  MediaType.ociManifest,
  MediaType.dockerIndex,
  MediaType.dockerManifest,
  'application/json;q=0.5',
].join(', ')

/** Manifests and indexes of one repository. */
export interface Manifests {
  resolve(name: string | undefined, options?: OperationOptions): Promise<RawManifest>
  read(descriptor: Descriptor, options?: OperationOptions): Promise<Uint8Array>
  /** As `Repository.currentDigest`. */
  currentDigest(tag: string, options?: OperationOptions): Promise<Digest | undefined>
  exists(digest: Digest, options?: OperationOptions): Promise<boolean>
  /** Under its digest, or under a tag. */
  put(name: string, descriptor: Descriptor, bytes: Uint8Array, options?: OperationOptions): Promise<void>
  /** By digest, or a tag alone. */
  delete(name: string, options?: OperationOptions): Promise<void>
}

export function createManifests(session: Session, names: Names): Manifests {
  /** One GET pins the name: later requests use the digest, so a tag that moves meanwhile has no effect. */
  const get = async (name: string, announced: string | undefined, { signal, progress }: OperationOptions) => {
    const what = `manifest for ${names.written(name)}`
    const answer = await session.send({
      method: 'GET',
      target: names.path(`manifests/${name}`),
      headers: { accept: ACCEPT, 'accept-encoding': 'identity' },
      scopes: names.pull,
      expect: [200],
      what,
      notFound: 'MANIFEST_NOT_FOUND',
      signal,
      progress,
    })
    const bytes = await answer.document(session.limits.manifestBytes, what)
    return { bytes, descriptor: describe(answer, bytes, isDigest(name) ? name : undefined, announced, names) }
  }

  return {
    resolve: (name = 'latest', options = {}) => get(name, undefined, options),

    async read(descriptor, options = {}) {
      const { bytes } = await get(descriptor.digest, descriptor.mediaType, options)
      if (bytes.length !== descriptor.size) throw sizeMismatch(descriptor, bytes.length)
      return bytes
    },

    async exists(digest, { signal } = {}) {
      const answer = await session.send({
        method: 'HEAD',
        target: names.path(`manifests/${digest}`),
        headers: { accept: ACCEPT },
        scopes: names.push,
        expect: [200, ...UNTOLD],
        what: `manifest for ${names.written(digest)}`,
        signal,
      })
      await answer.discard()
      return answer.status === 200
    },

    async currentDigest(tag, { signal } = {}) {
      const answer = await session.send({
        method: 'HEAD',
        target: names.path(`manifests/${tag}`),
        headers: { accept: ACCEPT },
        scopes: names.pull,
        expect: [200, ...UNTOLD],
        what: `manifest for ${names.written(tag)}`,
        signal,
      })
      await answer.discard()
      const digest = answer.headers['docker-content-digest']
      return answer.status === 200 && isDigest(digest) ? digest : undefined
    },

    async put(name, descriptor, bytes, { signal, progress } = {}) {
      if (bytes.length !== descriptor.size) throw sizeMismatch(descriptor, bytes.length)
      const digest = digestOf(bytes, algorithmOf(descriptor.digest))
      if (digest !== descriptor.digest) throw digestMismatch(descriptor.digest, digest)
      const answer = await session.send({
        method: 'PUT',
        target: names.path(`manifests/${name}`),
        headers: { 'content-type': descriptor.mediaType },
        body: async () => bytes,
        scopes: names.push,
        expect: [200, 201, 202, 204],
        what: `manifest for ${names.written(name)}`,
        signal,
        progress,
      })
      await answer.discard()
      const stored = answer.headers['docker-content-digest']
      if (isDigest(stored) && algorithmOf(stored) === algorithmOf(descriptor.digest) && stored !== descriptor.digest) {
        throw digestMismatch(descriptor.digest, stored)
      }
    },

    async delete(name, { signal } = {}) {
      const answer = await session.send({
        method: 'DELETE',
        target: names.path(`manifests/${name}`),
        scopes: names.delete,
        expect: [200, 202],
        what: `manifest for ${names.written(name)}`,
        notFound: 'MANIFEST_NOT_FOUND',
        signal,
      })
      await answer.discard()
    },
  }
}

/** The descriptor of bytes that came; everything the answer and the caller claim about them must be true. */
function describe(
  answer: HttpAnswer,
  bytes: Buffer,
  asked: Digest | undefined,
  announced: string | undefined,
  names: Names,
): Descriptor {
  const header = answer.headers['docker-content-digest']
  const claimed = asked ?? (isDigest(header) ? header : undefined)
  const digest = digestOf(bytes, claimed ? algorithmOf(claimed) : 'sha256')
  if (claimed && digest !== claimed) {
    if (isHtml(answer, bytes.subarray(0, 256).toString('latin1'))) throw htmlError(answer, names.registry)
    throw digestMismatch(claimed, digest)
  }
  if (isHtml(answer, bytes.subarray(0, 256).toString('latin1'))) throw htmlError(answer, names.registry)
  const sent = answer.mediaType
  const known = sent !== undefined && (isIndexType(sent) || isManifestType(sent)) ? sent : undefined
  if (announced !== undefined && known !== undefined && known !== announced) {
    throw new BaleError(
      'INVALID_MANIFEST',
      `${names.written(digest)} was announced as ${announced}, but came as ${known}`,
    )
  }
  const parsed = parseManifest(bytes, known ?? announced)
  const { mediaType } = parsed.kind === 'index' ? parsed.index : parsed.manifest
  return { mediaType, digest, size: bytes.length }
}
