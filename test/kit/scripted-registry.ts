import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'

export const digestOf = (bytes: Uint8Array) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`

/** A registry that serves what it is told, also what no honest registry would: for tests of bad answers. */
export interface ScriptedRegistry extends AsyncDisposable {
  readonly host: string
  readonly requests: { method: string; url: string; authorization: string | undefined }[]
  /** Bytes served for a digest or tag, whatever they really are. */
  readonly blobs: Map<string, Uint8Array>
  readonly manifests: Map<string, { bytes: Uint8Array; mediaType: string }>
  /** Sees each request first; true when it answered. */
  intercept: ((request: IncomingMessage, response: ServerResponse) => boolean) | undefined
}

export async function scriptedRegistry(): Promise<ScriptedRegistry> {
  const registry = {
    host: '',
    requests: [] as ScriptedRegistry['requests'],
    blobs: new Map<string, Uint8Array>(),
    manifests: new Map<string, { bytes: Uint8Array; mediaType: string }>(),
    intercept: undefined as ScriptedRegistry['intercept'],
  }
  const server = createServer((request, response) => {
    const url = request.url ?? '/'
    registry.requests.push({ method: request.method ?? '', url, authorization: request.headers.authorization })
    if (registry.intercept?.(request, response)) return
    const what = /^\/v2\/.+\/(blobs|manifests)\/(.+)$/.exec(url)
    const blob = what?.[1] === 'blobs' ? registry.blobs.get(what[2]!) : undefined
    const manifest = what?.[1] === 'manifests' ? registry.manifests.get(what[2]!) : undefined
    if (url === '/v2/') response.writeHead(200).end('{}')
    else if (manifest) {
      response.writeHead(200, { 'content-type': manifest.mediaType, 'content-length': manifest.bytes.length })
      response.end(request.method === 'HEAD' ? undefined : manifest.bytes)
    } else if (blob) {
      response.writeHead(200, { 'content-length': blob.length })
      response.end(request.method === 'HEAD' ? undefined : blob)
    } else response.writeHead(404).end('{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}')
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  registry.host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return Object.assign(registry, {
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((closed) => server.close(closed))
    },
  })
}

export interface ImageParts {
  tars: Uint8Array[]
  /** Changes the documents before they are encoded. */
  config?: (config: Record<string, unknown>) => void
  manifest?: (manifest: Record<string, unknown>) => void
}

/** Puts an image of gzip layers under `tag`; every document can be bent. Returns the manifest's digest. */
export function publish(registry: ScriptedRegistry, tag: string, parts: ImageParts): string {
  const layers = parts.tars.map((tar) => {
    const bytes = gzipSync(tar)
    const digest = digestOf(bytes)
    registry.blobs.set(digest, bytes)
    return { mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', digest, size: bytes.length }
  })
  const config: Record<string, unknown> = {
    architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
    os: 'linux',
    config: { Cmd: ['sh'] },
    rootfs: { type: 'layers', diff_ids: parts.tars.map((tar) => digestOf(tar)) },
  }
  parts.config?.(config)
  const configBytes = Buffer.from(JSON.stringify(config))
  registry.blobs.set(digestOf(configBytes), configBytes)
  const mediaType = 'application/vnd.oci.image.manifest.v1+json'
  const manifest: Record<string, unknown> = {
    schemaVersion: 2,
    mediaType,
    config: {
      mediaType: 'application/vnd.oci.image.config.v1+json',
      digest: digestOf(configBytes),
      size: configBytes.length,
    },
    layers,
  }
  parts.manifest?.(manifest)
  return publishDocument(registry, tag, Buffer.from(JSON.stringify(manifest)), mediaType)
}

export function publishDocument(registry: ScriptedRegistry, tag: string, bytes: Uint8Array, mediaType: string): string {
  const digest = digestOf(bytes)
  registry.manifests.set(tag, { bytes, mediaType })
  registry.manifests.set(digest, { bytes, mediaType })
  return digest
}
