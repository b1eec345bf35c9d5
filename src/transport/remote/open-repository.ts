import { BaleError } from '#base'
import { isIndexType, isManifestType } from '#spec'
import { noCredentials } from '#transport/credentials'
import { downloadBlob } from './blob-download.ts'
import { blobSize } from './blob-size.ts'
import { blobExists, uploadBlob } from './blob-upload.ts'
import { createBlobsAhead } from './blobs-ahead.ts'
import { createManifests } from './manifests.ts'
import { createMirroredSource } from './mirrored-source.ts'
import { namesOf } from './names.ts'
import { listReferrers } from './referrers.ts'
import type { RemoteOptions, RemotePlace, Repository } from './repository.ts'
import { createSession } from './session.ts'
import { listTags } from './tags.ts'

/**
 * Opens a repository; nothing is sent before its first use. Tokens and connections live as long as
 * the returned object, so dispose it.
 */
export function openRepository(name: { registry: string; repository: string }, options: RemoteOptions): Repository {
  const { mirrors = [], location, ...own } = options
  const repository = openOne(name, location, own)
  if (mirrors.length === 0) return repository
  // A mirror is another registry: it gets its own credentials, or none, and never those of the one it mirrors.
  const opened = mirrors.map((mirror) => openOne(name, mirror, { ...own, insecure: false }))
  return {
    ...repository,
    ...createMirroredSource([...opened, repository], options.log),
    async [Symbol.asyncDispose]() {
      for (const one of [...opened, repository]) await one[Symbol.asyncDispose]()
    },
  }
}

function openOne(
  name: { registry: string; repository: string },
  place: RemotePlace | undefined,
  options: Omit<RemoteOptions, 'mirrors' | 'location'>,
): Repository {
  const { registry, repository } = { ...name, ...place }
  const insecure = place?.insecure ?? options.insecure
  const session = createSession(registry, repository, { ...options, insecure, base: place?.base })
  const names = namesOf(session.registry.name, repository)
  const manifests = createManifests(session, names)
  const ahead = createBlobsAhead(session, names, options.log)
  const has: Repository['has'] = (descriptor, more) =>
    isIndexType(descriptor.mediaType) || isManifestType(descriptor.mediaType)
      ? manifests.exists(descriptor.digest, more)
      : blobExists(session, names, descriptor, more)
  return {
    registryHost: names.registry,
    repository: names.repository,
    resolve: manifests.resolve,
    manifest: manifests.read,
    blob: (descriptor, more) => downloadBlob(session, names, descriptor, more),
    has,
    hold: has,
    putBlob: async (descriptor, open, more) =>
      (await ahead.join(descriptor, more)) ?? uploadBlob(session, names, descriptor, open, more),
    putBlobAhead: (more) => ahead.begin(more),
    putManifest: (descriptor, bytes, more) => manifests.put(descriptor.digest, descriptor, bytes, more),
    tag: (tag, { descriptor, bytes }, more) => manifests.put(tag, descriptor, bytes, more),
    tags: (more) => listTags(session, names, more),
    currentDigest: (tag, more) => manifests.currentDigest(tag, more),
    blobSize: (digest, more) => blobSize(session, names, digest, more),
    deleteManifest: (digest, more) => manifests.delete(digest, more),
    deleteTag: (tag, more) => manifests.delete(tag, more),
    referrers: (digest, more) => listReferrers(session, names, manifests, digest, more),
    async [Symbol.asyncDispose]() {
      ahead[Symbol.dispose]()
      await session[Symbol.asyncDispose]()
    },
  }
}

/**
 * Asks the registry whether it accepts a login: `GET /v2/`, answering its challenge. It returns when it does, also when
 * the registry requires no login; throws UNAUTHORIZED when it refuses. With an identity token where the token
 * service gave one: that is to be kept in place of the password.
 */
export async function checkLogin(
  registry: string,
  options: RemoteOptions & { signal?: AbortSignal },
): Promise<{ identityToken: string | undefined }> {
  await using session = createSession(registry, undefined, {
    ...options,
    offlineAccess: true,
    credentials: options.credentials ?? noCredentials,
  })
  const answer = await session.send({
    method: 'GET',
    target: '/v2/',
    scopes: [],
    expect: [200, 404],
    what: registry,
    signal: options.signal,
  })
  await answer.discard()
  if (answer.status === 404) {
    throw new BaleError('REGISTRY_FAILED', `${registry} is not a registry: it answers /v2/ with status 404`, {
      hint: 'check the name and its port',
      details: { status: 404 },
    })
  }
  return { identityToken: await session.identityToken() }
}
