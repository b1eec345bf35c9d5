import { isRepository } from '#spec'
import { Refusal } from './failure.ts'

/** What a path requests. Digests and tags are still text here. */
export type Route =
  | { kind: 'ping' | 'live' | 'ready' }
  | { kind: 'token' }
  | { kind: 'catalog' }
  /** `path` is what follows `/api/v1`. */
  | { kind: 'api'; path: string }
  /** `path` is what follows `/login`. */
  | { kind: 'login'; path: string }
  | { kind: 'blob' | 'manifest' | 'referrers'; repository: string; reference: string }
  | { kind: 'tags' | 'uploads'; repository: string }
  | { kind: 'upload'; repository: string; id: string }

const SHAPES: [RegExp, (repository: string, last: string) => Route][] = [
  [/^(.+)\/blobs\/uploads\/?()$/, (repository) => ({ kind: 'uploads', repository })],
  [/^(.+)\/blobs\/uploads\/([^/]+)$/, (repository, id) => ({ kind: 'upload', repository, id })],
  [/^(.+)\/blobs\/([^/]+)$/, (repository, reference) => ({ kind: 'blob', repository, reference })],
  [/^(.+)\/manifests\/([^/]+)$/, (repository, reference) => ({ kind: 'manifest', repository, reference })],
  [/^(.+)\/referrers\/([^/]+)$/, (repository, reference) => ({ kind: 'referrers', repository, reference })],
  [/^(.+)\/tags\/list()$/, (repository) => ({ kind: 'tags', repository })],
]

const LONGEST_PATH = 1024
const API_PATH = '/api/v1'
const LOGIN_PATH = '/login'

/** Whether a path belongs to the API, whose refusals look otherwise. */
export function isApiPath(path: string): boolean {
  return path === API_PATH || path.startsWith(`${API_PATH}/`)
}

/** Whether a path is below that of logins, whose refusals look otherwise again. */
export function isLoginPath(path: string): boolean {
  return path === LOGIN_PATH || path.startsWith(`${LOGIN_PATH}/`)
}

/** Of those, whether programs ask there, and no browsers. */
export function isForPrograms(path: string): boolean {
  return ['/device/code', '/device/token', '/bootstrap'].includes(path.slice(LOGIN_PATH.length))
}

/**
 * Reads a path as it was sent: nothing is decoded but the colon of a digest, so that no encoding can change what a
 * name means (A04). Undefined for a path that is none of ours. Throws NAME_INVALID.
 */
export function parseRoute(path: string): Route | undefined {
  if (path === '/v2/' || path === '/v2') return { kind: 'ping' }
  if (path === '/livez') return { kind: 'live' }
  if (path === '/readyz') return { kind: 'ready' }
  if (path === '/token') return { kind: 'token' }
  if (path === '/v2/_catalog') return { kind: 'catalog' }
  // Repositories, patterns and labels are parts of these, percent-encoded.
  if (isApiPath(path))
    return path.length > 4 * LONGEST_PATH ? undefined : { kind: 'api', path: path.slice(API_PATH.length) }
  if (isLoginPath(path)) {
    return path.length > LONGEST_PATH ? undefined : { kind: 'login', path: path.slice(LOGIN_PATH.length) }
  }
  if (!path.startsWith('/v2/') || path.length > LONGEST_PATH) return undefined
  for (const [shape, build] of SHAPES) {
    const match = shape.exec(path.slice('/v2/'.length))
    if (!match) continue
    const [, repository, last] = match as unknown as [string, string, string]
    if (!isRepository(repository)) {
      throw new Refusal(400, 'NAME_INVALID', 'invalid repository name', { detail: { name: repository.slice(0, 256) } })
    }
    return build(repository, last.replace(/^(sha[0-9]+)%3[aA]/, '$1:'))
  }
  return undefined
}
