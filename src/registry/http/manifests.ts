import type { ServerResponse } from 'node:http'
import { readAll } from '#base'
import { digestOf } from '#blob'
import {
  algorithmOf,
  type Digest,
  isDigest,
  isIndexType,
  isManifestType,
  isTag,
  MANIFEST_LIMIT,
  parseDigest,
} from '#spec'
import { describeManifest } from '../manifest/index.ts'
import type { ManifestObjection } from '../meta/index.ts'
import type { ServedManifest } from '../upstream/index.ts'
import { authorize, metaOf, principalName } from './authorize.ts'
import type { Exchange, RegistryContext } from './exchange.ts'
import { Refusal } from './failure.ts'
import { limitRequests, showLimit } from './limit-requests.ts'
import { releaseManifest } from './release.ts'
import { refuseCache, sourceOf } from './upstream-route.ts'

interface ManifestRoute {
  repository: string
  reference: string
}

type Reference = { tag: string } | { digest: Digest }

/** GET and HEAD of a manifest by tag or digest, as it was pushed. */
export async function readManifest(context: RegistryContext, exchange: Exchange, route: ManifestRoute): Promise<void> {
  const { request, response } = exchange
  const principal = await authorize(context, exchange, 'pull', route.repository)
  if (request.method === 'GET') limitRequests(context, exchange, 'pulls')
  else showLimit(context, exchange, 'pulls')
  const reference = parseTagOrDigest(route.reference)
  const source = sourceOf(context, route)
  const manifest: ServedManifest | undefined = source
    ? await source.manifest(reference)
    : await context.meta.findManifest(route.repository, reference)
  if (!manifest) throw manifestUnknown(route)
  const { digest, gate: generation } = manifest
  await releaseManifest(context, exchange, { principal, repository: route.repository, digest, generation })
  tellStale(response, manifest)
  response.setHeader('Docker-Content-Digest', manifest.digest)
  response.setHeader('ETag', `"${manifest.digest}"`)
  if (request.headers['if-none-match'] === `"${manifest.digest}"`) return void response.writeHead(304).end()
  response.writeHead(200, { 'Content-Type': manifest.mediaType, 'Content-Length': manifest.bytes.byteLength })
  if (request.method === 'HEAD') response.end()
  else if (manifest.bytes.byteLength > ONE_PIECE) response.end(manifest.bytes)
  else response.end(latin1(manifest.bytes), 'latin1')
}

/** Node puts text behind its headers, and hands bytes over apart from them, which takes longer than all else of a small answer. */
const ONE_PIECE = 16 * 1024

const latin1 = ({ buffer, byteOffset, byteLength }: Uint8Array) =>
  Buffer.from(buffer, byteOffset, byteLength).toString('latin1')

/** Source: RFC 7234, sections 5.1 and 5.5. */
function tellStale(response: ServerResponse, { staleFor }: ServedManifest): void {
  if (staleFor === undefined) return
  response.setHeader('Age', Math.floor(staleFor / 1000))
  response.appendHeader('Warning', '111 - "Revalidation Failed"')
}

/** PUT of a manifest or index: everything it refers to must be in the repository. */
export async function putManifest(context: RegistryContext, exchange: Exchange, route: ManifestRoute): Promise<void> {
  const { request, response } = exchange
  const principal = await authorize(context, exchange, 'push', route.repository)
  await refuseCache(context, route)
  limitRequests(context, exchange, 'pushes')
  const reference = parseTagOrDigest(route.reference)
  const tags = [...('tag' in reference ? [reference.tag] : []), ...tagsAsked(exchange)]
  const bytes = await readBody(exchange)
  const digest = digestOf(bytes, 'digest' in reference ? algorithmOf(reference.digest) : 'sha256')
  if ('digest' in reference && reference.digest !== digest) {
    throw new Refusal(400, 'DIGEST_INVALID', 'the manifest does not have the digest in its URL', {
      detail: { expected: reference.digest, got: digest },
    })
  }
  const announced = announcedType(request.headers['content-type'])
  const manifest = describeManifest(bytes, { digest, announced, tags, actor: principalName(principal) })
  const missing = await metaOf(context, exchange, principal).putManifest(route.repository, manifest)
  if (missing) throw objectionRefusal(missing)
  if (manifest.subject) response.setHeader('OCI-Subject', manifest.subject)
  if (tagsAsked(exchange).length > 0) response.setHeader('OCI-Tag', tagsAsked(exchange).join(', '))
  response
    .writeHead(201, {
      Location: `/v2/${route.repository}/manifests/${digest}`,
      'Docker-Content-Digest': digest,
      'Content-Length': 0,
    })
    .end()
}

/** DELETE of a manifest by digest (its tags go with it), or of a tag alone. */
export async function deleteManifest(
  context: RegistryContext,
  exchange: Exchange,
  route: ManifestRoute,
): Promise<void> {
  const principal = await authorize(context, exchange, 'delete', route.repository)
  const reference = parseTagOrDigest(route.reference)
  const actor = principalName(principal)
  const meta = metaOf(context, exchange, principal)
  const deleted = await context.whenFull(() =>
    'tag' in reference
      ? meta.deleteTag(route.repository, reference.tag, actor)
      : meta.deleteManifest(route.repository, reference.digest, actor),
  )
  if (!deleted) throw manifestUnknown(route)
  exchange.response.writeHead(202, { 'Content-Length': 0 }).end()
}

function parseTagOrDigest(text: string): Reference {
  if (isDigest(text)) return { digest: text }
  if (text.includes(':')) return { digest: parseDigest(text) }
  if (isTag(text)) return { tag: text }
  throw new Refusal(400, 'TAG_INVALID', 'invalid tag', { detail: { tag: text.slice(0, 160) } })
}

const TAGS_LIMIT = 32

/** `?tag=` of the next distribution specification: a push by digest that sets tags as well. */
function tagsAsked({ query }: Exchange): string[] {
  const tags = query.getAll('tag')
  if (tags.length <= TAGS_LIMIT && tags.every(isTag)) return tags
  throw new Refusal(400, 'TAG_INVALID', 'invalid tag, or too many tags')
}

async function readBody({ request }: Exchange): Promise<Uint8Array> {
  if (Number(request.headers['content-length'] ?? 0) > MANIFEST_LIMIT) throw tooLarge()
  const stream = request.iterator({ destroyOnReturn: false })
  return await readAll(stream, { limit: MANIFEST_LIMIT, what: 'the manifest' })
}

function tooLarge(): Refusal {
  return new Refusal(413, 'SIZE_INVALID', `a manifest has at most ${MANIFEST_LIMIT} bytes`)
}

/** The Content-Type must be that of a manifest, so that no other reader takes the bytes for something else (M02). */
function announcedType(header: string | undefined): string | undefined {
  if (header === undefined) return undefined
  const type = header.split(';')[0]!.trim()
  if (isManifestType(type) || isIndexType(type)) return type
  throw new Refusal(400, 'MANIFEST_INVALID', 'the Content-Type is not that of an image manifest or index')
}

function objectionRefusal(objection: ManifestObjection): Refusal {
  if ('missing' in objection) {
    return new Refusal(404, 'MANIFEST_BLOB_UNKNOWN', 'the manifest refers to something that is not in the repository', {
      detail: { digest: objection.missing },
    })
  }
  return new Refusal(400, 'SIZE_INVALID', 'the manifest gives a wrong size for a blob', {
    detail: { digest: objection.wrongSize, size: objection.size },
  })
}

function manifestUnknown({ repository, reference }: ManifestRoute): Refusal {
  return new Refusal(404, 'MANIFEST_UNKNOWN', 'manifest unknown to registry', {
    detail: { name: repository, reference: reference.slice(0, 160) },
  })
}
