/** A served registry in a temporary directory, and a client that sends exactly what a test says. */
import { createHash } from 'node:crypto'
import { type IncomingHttpHeaders, type OutgoingHttpHeaders, request as send } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { type Registry, type ServeOptions, serveRegistry } from '#registry'
import { temporaryDirectory } from './temporary.ts'

export interface Answer {
  status: number
  headers: IncomingHttpHeaders
  body: Buffer
  json<T = Record<string, unknown>>(): T
  /** Codes of the errors in the body. */
  codes(): string[]
}

export interface Sending {
  headers?: OutgoingHttpHeaders
  body?: Uint8Array | string
  /** `name:password`, sent as Basic. */
  login?: string
  token?: string
}

export interface TestRegistry extends AsyncDisposable {
  directory: string
  /** `127.0.0.1:port` */
  address: string
  registry: Registry
  /** The path is sent as it is. */
  request(method: string, path: string, sending?: Sending): Promise<Answer>
  /** Pushes a blob in one request and returns its digest. */
  blob(repository: string, content: Uint8Array | string, sending?: Sending): Promise<string>
  /** Pushes a small image under a tag or, without one, its digest; its config and layer come from `content`. */
  image(repository: string, content: string, options?: ImageOptions): Promise<PushedImage>
}

export interface ImageOptions extends Sending {
  tag?: string
  subject?: { mediaType: string; digest: string; size: number }
  artifactType?: string
  annotations?: Record<string, string>
}

export interface PushedImage {
  digest: string
  bytes: Buffer
  config: string
  layer: string
  descriptor: { mediaType: string; digest: string; size: number }
  answer: Answer
}

export const MANIFEST_TYPE = 'application/vnd.oci.image.manifest.v1+json'
export const INDEX_TYPE = 'application/vnd.oci.image.index.v1+json'

export function sha256(content: Uint8Array | string): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`
}

export function sha512(content: Uint8Array | string): string {
  return `sha512:${createHash('sha512').update(content).digest('hex')}`
}

/** Open to all by default (`anonymous: 'push'`), since most tests are not about logins. */
export async function startRegistry(options: Partial<ServeOptions> = {}): Promise<TestRegistry> {
  await using opened = new AsyncDisposableStack()
  const directory = options.directory ?? opened.use(await temporaryDirectory('bale-registry')).path
  const served = opened.use(await serveRegistry({ port: 0, anonymous: 'push', ...options, directory }))
  const client = clientOf(served.address)
  // The directory goes with the registry, also with one that did not start.
  const parts = opened.move()
  return {
    directory,
    address: served.address,
    registry: served.registry,
    ...client,
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  }
}

export function clientOf(address: string): Pick<TestRegistry, 'request' | 'blob' | 'image'> {
  const request: TestRegistry['request'] = (method, path, sending = {}) => exchange(address, method, path, sending)

  const blob: TestRegistry['blob'] = async (repository, content, sending = {}) => {
    const digest = sha256(content)
    const path = `/v2/${repository}/blobs/uploads/?digest=${digest}`
    const answer = await request('POST', path, { ...sending, body: content })
    if (answer.status !== 201) throw new Error(`pushing a blob: ${answer.status} ${answer.body}`)
    return digest
  }

  const image: TestRegistry['image'] = async (repository, content, options = {}) => {
    const { tag, subject, artifactType, annotations, ...sending } = options
    const configBytes = JSON.stringify({
      architecture: 'amd64',
      os: 'linux',
      rootfs: { type: 'layers', diff_ids: [] },
      content,
    })
    const config = await blob(repository, configBytes, sending)
    const layer = await blob(repository, `layer of ${content}`, sending)
    const bytes = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: MANIFEST_TYPE,
        artifactType,
        config: {
          mediaType: 'application/vnd.oci.image.config.v1+json',
          digest: config,
          size: Buffer.byteLength(configBytes),
        },
        layers: [
          {
            mediaType: 'application/vnd.oci.image.layer.v1.tar',
            digest: layer,
            size: Buffer.byteLength(`layer of ${content}`),
          },
        ],
        subject,
        annotations,
      }),
    )
    const digest = sha256(bytes)
    const answer = await request('PUT', `/v2/${repository}/manifests/${tag ?? digest}`, {
      ...sending,
      headers: { ...sending.headers, 'Content-Type': MANIFEST_TYPE },
      body: bytes,
    })
    return {
      digest,
      bytes,
      config,
      layer,
      answer,
      descriptor: { mediaType: MANIFEST_TYPE, digest, size: bytes.byteLength },
    }
  }
  return { request, blob, image }
}

function exchange(address: string, method: string, path: string, sending: Sending): Promise<Answer> {
  const { body, login, token } = sending
  const headers: OutgoingHttpHeaders = { ...sending.headers }
  if (login !== undefined) headers['Authorization'] = `Basic ${Buffer.from(login).toString('base64')}`
  if (token !== undefined) headers['Authorization'] = `Bearer ${token}`
  if (body !== undefined && !headers['Transfer-Encoding']) headers['Content-Length'] ??= Buffer.byteLength(body)
  const { hostname, port } = new URL(`http://${address}`)
  return new Promise((resolve, reject) => {
    const outgoing = send({ hostname, port, method, path, headers, agent: false }, (incoming) => {
      buffer(incoming).then((bytes) => resolve(answerOf(incoming.statusCode ?? 0, incoming.headers, bytes)), reject)
    })
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

function answerOf(status: number, headers: IncomingHttpHeaders, body: Buffer): Answer {
  return {
    status,
    headers,
    body,
    json: <T>() => JSON.parse(body.toString()) as T,
    codes: () => (JSON.parse(body.toString()) as { errors: { code: string }[] }).errors.map((error) => error.code),
  }
}
