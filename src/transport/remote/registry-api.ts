import { BaleError } from '#base'
import type { CredentialSource } from '#transport/credentials'
import type { HttpRequest } from '#transport/http'
import type { RemoteOptions } from './repository.ts'
import { createSession } from './session.ts'

/** A request to what a registry offers beside its images. */
export interface ApiRequest {
  method: HttpRequest['method']
  /** From the root of the registry, with the query. */
  path: string
  /** JSON; undefined for none. */
  body?: string
  signal?: AbortSignal
}

/** An answer, also one that refuses. */
export interface ApiAnswer {
  status: number
  /** Without its parameters, in lower case. */
  mediaType: string | undefined
  body: string
}

/** A way to send requests to a registry, with its login. Dispose it to end its connections. */
export interface RegistryApi extends AsyncDisposable {
  /** The registry, as messages name it. */
  name: string
  /**
   * UNAUTHORIZED when the login is missing or refused, RATE_LIMITED, REGISTRY_UNREACHABLE, and REGISTRY_FAILED for what is the registry's own
   * fault; other refusals are answers. What may be sent twice is tried again.
   */
  send(request: ApiRequest): Promise<ApiAnswer>
}

interface ApiOptions extends Omit<RemoteOptions, 'mirrors' | 'location'> {
  credentials: CredentialSource
  /** What tokens are asked for: `registry:api:*`. */
  scope: string
  /** Scheme and host, where they are known. */
  base?: URL
}

/** Whatever is for the caller to judge. The others are temporary, or about the login. */
const ANSWERS = [200, 201, 202, 204, 400, 403, 404, 405, 409, 412, 413, 415, 422, 501]
/** An operation may take long before there is an answer. */
const PATIENCE = 600_000
const LARGEST = 64 * 1024 * 1024

/** Nothing is sent before the first request. INVALID_ARGUMENT for plain http where passwords would be seen. */
export function openRegistryApi(registry: string, { scope, ...options }: ApiOptions): RegistryApi {
  const limits = { ...options.limits, headersTimeout: PATIENCE }
  const session = createSession(registry, undefined, { ...options, limits })
  const { base, insecure = false } = options
  if (base?.protocol === 'http:' && !session.registry.loopback && !insecure) {
    throw new BaleError('INVALID_ARGUMENT', `passwords would go over the network in plain text to ${base.href}`, {
      hint: 'use https, or have the configuration name the registry as insecure',
    })
  }
  return {
    name: session.registry.name,
    async send({ method, path, body, signal }) {
      const headers = { accept: 'application/json, application/problem+json' }
      const answer = await session.send({
        ...{ method, target: path, signal, scopes: [scope], expect: ANSWERS },
        what: `the administration of ${session.registry.name}`,
        headers: body === undefined ? headers : { ...headers, 'content-type': 'application/json' },
        body: body === undefined ? undefined : async () => body,
        confined: true,
        attempts: method === 'GET' ? undefined : 1,
      })
      const bytes = await answer.document(LARGEST, `the answer to ${method} ${path}`)
      return { status: answer.status, mediaType: answer.mediaType, body: bytes.toString('utf8') }
    },
    [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
  }
}
