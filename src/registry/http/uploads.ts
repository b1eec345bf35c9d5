import { isBaleError } from '#base'
import { algorithmOf, type Digest, isRepository, parseDigest } from '#spec'
import type { Principal } from '../auth/index.ts'
import { repositoryMoved, type Upload } from '../meta/index.ts'
import { askForSource, authorize, ownerOf } from './authorize.ts'
import type { Exchange, RegistryContext } from './exchange.ts'
import { Refusal } from './failure.ts'
import { parseContentRange } from './range.ts'
import { isReleased } from './release.ts'
import { refuseCache } from './upstream-route.ts'
import { findWholeBlob } from './whole-blob.ts'

interface UploadRoute {
  repository: string
  id: string
}

/** POST: mounts a blob, takes one in a single request, or begins an upload. */
export async function beginUpload(
  context: RegistryContext,
  exchange: Exchange,
  { repository }: { repository: string },
): Promise<void> {
  const { query } = exchange
  const mount = query.get('mount')
  const from = mount === null ? null : query.get('from')
  const known = from !== null && isRepository(from) ? from : undefined
  const principal = await authorize(context, exchange, 'push', repository, known)
  if (await context.meta.findRedirect(repository)) throw repositoryMoved(repository)
  await refuseCache(context, { repository })
  if (mount !== null) {
    const digest = parseDigest(mount)
    const source = from === null ? await context.meta.repositoriesWith(digest, MOUNT_CANDIDATES) : known ? [known] : []
    if (await mountBlob(context, exchange, { principal, repository, digest, candidates: source })) {
      return sendCreated(exchange, repository, digest)
    }
  }
  const digest = query.has('digest') ? parseDigest(query.get('digest')) : undefined
  const algorithm = digest ? algorithmOf(digest) : algorithmNamed(query.get('digest-algorithm'))
  const upload = await context.uploads.begin({ repository, principal: ownerOf(principal), algorithm })
  if (!digest) return sendProgress(exchange, upload, 202)
  try {
    await receive(context, exchange, upload, digest)
  } catch (error) {
    // The ID of this upload was never sent, so nobody could continue it.
    await context.uploads.cancel(upload)
    throw error
  }
  sendCreated(exchange, repository, digest)
}

/** GET: how far the upload came. */
export async function uploadStatus(context: RegistryContext, exchange: Exchange, route: UploadRoute): Promise<void> {
  sendProgress(exchange, await openUploadOf(context, exchange, route), 204)
}

/** PATCH: the next chunk. */
export async function appendUpload(context: RegistryContext, exchange: Exchange, route: UploadRoute): Promise<void> {
  const upload = await openUploadOf(context, exchange, route)
  const offset = await receive(context, exchange, upload)
  sendProgress(exchange, { ...upload, offset }, 202)
}

/** PUT: the last chunk, or none, and the digest. Asking again after success succeeds again. */
export async function finishUpload(context: RegistryContext, exchange: Exchange, route: UploadRoute): Promise<void> {
  const upload = await uploadOf(context, exchange, route)
  const digest = parseDigest(exchange.query.get('digest') ?? '')
  if (upload.done === undefined) await receive(context, exchange, upload, digest)
  else if (upload.done !== digest) throw uploadUnknown(route)
  sendCreated(exchange, route.repository, digest)
}

/** DELETE: gives the upload up. */
export async function cancelUpload(context: RegistryContext, exchange: Exchange, route: UploadRoute): Promise<void> {
  const upload = await openUploadOf(context, exchange, route)
  await context.whenFull(() => context.uploads.cancel(upload))
  exchange.response.writeHead(204).end()
}

/** Appends the request's body, and commits when a digest is given. Returns the new offset. */
async function receive(context: RegistryContext, exchange: Exchange, upload: Upload, digest?: Digest): Promise<number> {
  const { request } = exchange
  const length = checkRange(exchange, upload)
  await using session = await context.uploads.open(upload)
  if (!session) throw outOfOrder((await context.meta.findUpload(upload.id)) ?? upload)
  const expected = Number(request.headers['content-length'] ?? 0)
  await session.append(request.iterator({ destroyOnReturn: false }), { length: expected })
  if (length !== undefined && session.offset - upload.offset !== length) {
    throw new Refusal(400, 'SIZE_INVALID', 'the length of the chunk does not match its Content-Range')
  }
  if (digest) await committed(session.commit(digest))
  return session.offset
}

async function committed(commit: Promise<void>): Promise<void> {
  try {
    await commit
  } catch (error) {
    if (!isBaleError(error, 'DIGEST_MISMATCH')) throw error
    throw new Refusal(400, 'DIGEST_INVALID', error.message, { detail: error.details })
  }
}

/** A chunk with a Content-Range must start at the end of the upload. Returns its length if stated. */
function checkRange({ request }: Exchange, upload: Upload): number | undefined {
  const header = request.headers['content-range']
  if (header === undefined) return undefined
  const range = parseContentRange(header)
  if (!range) throw new Refusal(400, 'BLOB_UPLOAD_INVALID', 'invalid Content-Range')
  if (range.start !== upload.offset) throw outOfOrder(upload)
  const announced = request.headers['content-length']
  if (announced !== undefined && Number(announced) !== range.end - range.start) {
    throw new Refusal(400, 'SIZE_INVALID', 'Content-Range and Content-Length differ')
  }
  return range.end - range.start
}

function outOfOrder(upload: Upload): Refusal {
  return new Refusal(416, 'BLOB_UPLOAD_INVALID', 'the chunk does not start at the end of the upload', {
    headers: progressHeaders(upload),
  })
}

async function uploadOf(context: RegistryContext, exchange: Exchange, route: UploadRoute): Promise<Upload> {
  const principal = await authorize(context, exchange, 'push', route.repository)
  const of = { repository: route.repository, principal: ownerOf(principal) }
  const upload = await context.uploads.find(route.id, of)
  if (!upload) throw uploadUnknown(route)
  return upload
}

async function openUploadOf(context: RegistryContext, exchange: Exchange, route: UploadRoute): Promise<Upload> {
  const upload = await uploadOf(context, exchange, route)
  if (upload.done !== undefined) throw uploadUnknown(route)
  return upload
}

function uploadUnknown({ id }: UploadRoute): Refusal {
  return new Refusal(404, 'BLOB_UPLOAD_UNKNOWN', 'blob upload unknown to registry', { detail: { id: id.slice(0, 64) } })
}

interface Mount {
  principal: Principal
  repository: string
  digest: Digest
  candidates: string[]
}

const MOUNT_CANDIDATES = 100

/**
 * Only from repositories that the caller may read; otherwise the blob appears not to exist (A01). Where the account may,
 * but the token was not issued for it, another one is asked for.
 */
async function mountBlob(
  context: RegistryContext,
  exchange: Exchange,
  { principal, repository, digest, candidates }: Mount,
): Promise<boolean> {
  const decisions = await context.access.decideEach(principal, 'pull', candidates)
  const mayRead = candidates.filter((_, index) => decisions[index] === 'allowed')
  const allowed = await firstReleased(context, exchange, { principal, digest, repositories: mayRead })
  if (mayRead.length > 0 && allowed === undefined) return false
  const source = allowed ?? candidates[decisions.indexOf('scope')]
  if (source === undefined || !(await findWholeBlob(context, source, digest))) return false
  if (allowed === undefined) throw askForSource(context, exchange, repository, source)
  return await context.meta.mountBlob(repository, digest, { from: source, lease: context.lease })
}

/** A blob that a gate blocks is not mounted; the client uploads it instead. */
async function firstReleased(
  context: RegistryContext,
  exchange: Exchange,
  { principal, digest, repositories }: { principal: Principal; digest: Digest; repositories: readonly string[] },
): Promise<string | undefined> {
  for (const repository of repositories)
    if (await isReleased(context, exchange, { principal, repository, digest })) return repository
  return undefined
}

function algorithmNamed(name: string | null): 'sha256' | 'sha512' {
  if (name === null || name === 'sha256') return 'sha256'
  if (name === 'sha512') return 'sha512'
  throw new Refusal(400, 'DIGEST_INVALID', 'unsupported digest algorithm')
}

function sendProgress({ response }: Exchange, upload: Upload, status: number): void {
  response.writeHead(status, { ...progressHeaders(upload), ...(status === 204 ? {} : { 'Content-Length': 0 }) }).end()
}

/** Location has no host, so that no header of the request can point a client elsewhere (A17), and no query. */
function progressHeaders({ repository, id, offset }: Upload) {
  return {
    Location: `/v2/${repository}/blobs/uploads/${id}`,
    Range: `0-${Math.max(0, offset - 1)}`,
    'Docker-Upload-UUID': id,
  }
}

function sendCreated({ response }: Exchange, repository: string, digest: Digest): void {
  response
    .writeHead(201, {
      Location: `/v2/${repository}/blobs/${digest}`,
      'Docker-Content-Digest': digest,
      'Content-Length': 0,
    })
    .end()
}
