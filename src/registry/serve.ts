import { createServer, type Server } from 'node:http'
import { createServer as createTlsServer, Server as TlsServer } from 'node:https'
import type { Socket } from 'node:net'
import { asError, BaleError, isBaleError } from '#base'
import { isLoopback } from './addresses/index.ts'
import { openCertifiedTls, type TlsByAuthority } from './certified-tls.ts'
import type { CollectOptions } from './collect.ts'
import { createConnectionLimit } from './http/index.ts'
import { listen } from './listen.ts'
import type { Registry, RegistrySettings } from './registry.ts'
import { workRegularly } from './regular-work.ts'
import { type ChangingTls, openTls, type TlsTexts } from './tls.ts'

/** Address, certificate and limits of a served registry. */
export interface ListenOptions extends Pick<RegistrySettings, 'trustedProxies' | 'report' | 'observe'> {
  /** 127.0.0.1 by default. */
  host?: string
  /** 0 takes a free one. */
  port: number
  tls?: TlsSource
  /** Milliseconds between two looks at them, a minute by default. */
  tlsEvery?: number
  /** Allows plain HTTP on an address that other machines reach. */
  insecure?: boolean
  /** Milliseconds between collections, ten minutes by default; 0 leaves them to another process. */
  collectEvery?: number
  /** What they collect. */
  collect?: CollectOptions
  /** Connections at once, 4096 by default; an address may have a quarter of them unless it is a trusted proxy's. */
  maxConnections?: number
}

/** Texts, a function that reads them (again every minute, and by `reload`), or an authority that gives them. */
export type TlsSource = TlsTexts | (() => Promise<TlsTexts>) | TlsByAuthority

/** A registry that listens. Disposing it ends open requests and closes it. */
export interface ServedRegistry extends AsyncDisposable {
  /** `127.0.0.1:5000`, as image names begin with it. */
  address: string
  /** `https://127.0.0.1:5000` */
  url: string
  registry: Registry
  /** `http://127.0.0.1:9090/metrics`; undefined when there are none. */
  metricsUrl?: string
  /** Fulfilled when an authority has given the first certificate; undefined when clients are served at once. */
  certified?: Promise<void>
  /** Whether there is something to read again. */
  reloads: boolean
  /** Reads the certificate again or tries to obtain one, and opens the request log anew. Never rejects: `report` is told when that fails, and the one of before stays. */
  reload(): Promise<void>
}

const HEADERS_TIMEOUT = 30_000
const IDLE_TIMEOUT = 120_000
const STOP_PATIENCE = 10_000
const COLLECT_EVERY = 600_000

/** Throws INVALID_ARGUMENT when passwords would go over a network as they are. */
export function checkProtection({ host = LOOPBACK, port, tls, insecure = false }: ListenOptions): void {
  if (tls || insecure || isLoopback(host)) return
  throw new BaleError('INVALID_ARGUMENT', `passwords would go over the network in plain text at ${host}:${port}`, {
    next: { act: 'protect-registry' },
  })
}

const LOOPBACK = '127.0.0.1'

/** How connections come to a server. */
export type Entrance = (server: Server, options: ListenOptions) => Promise<OpenEntrance>

interface OpenEntrance {
  /** Where clients find it: `127.0.0.1:5000`. */
  address: string
  /** No new connections; fulfilled when those that are there have ended. */
  close(): Promise<void>
}

/**
 * Serves a registry, which it closes, also when it cannot listen. Disposing stops it in order: no new connections, requests
 * that run get ten seconds, then they are cut; a cut upload is written down, so that it can be resumed here or elsewhere.
 */
export async function listenWith(registry: Registry, options: ListenOptions): Promise<ServedRegistry> {
  return await serveAt(listenAt, registry, options)
}

/** The same with connections from elsewhere. */
export async function serveAt(entrance: Entrance, registry: Registry, options: ListenOptions): Promise<ServedRegistry> {
  const running = new Set<Promise<void>>()
  const handler = remembering(registry.handler, running)
  const opened = await open({ entrance, registry, handler }, options).catch(async (error: unknown) => {
    await registry.close()
    throw error
  })
  const { server, tls, way } = opened
  const collector = collectRegularly(registry, options)
  return {
    address: way.address,
    url: `${tls ? 'https' : 'http'}://${way.address}`,
    registry,
    certified: tls?.certified,
    reloads: tls !== undefined && !('cert' in options.tls!),
    async reload() {
      await tls?.reload()
    },
    async [Symbol.asyncDispose]() {
      registry.drain()
      await collector[Symbol.asyncDispose]()
      await tls?.[Symbol.asyncDispose]()
      await stop(server, way)
      await settled(running)
      await registry.close()
    },
  }
}

/** A server with its entrance. */
async function open(
  { entrance, registry, handler }: { entrance: Entrance; registry: Registry; handler: Registry['handler'] },
  options: ListenOptions,
): Promise<{ server: Server; way: OpenEntrance; tls: ChangingTls | undefined }> {
  await using opened = new AsyncDisposableStack()
  const tls = options.tls && opened.use(await openTlsOf(options.tls, registry, options))
  const server = createWebServer(handler, tls)
  const way = await entrance(server, options)
  opened.move()
  return { server, way, tls }
}

/** A server that listens itself. */
const listenAt: Entrance = async (server, options) => {
  checkProtection(options)
  limitConnections(server, options)
  const { host = LOOPBACK, port } = options
  return {
    address: await listen(server, { host, port }),
    close: () => new Promise<void>((resolve) => server.close(() => resolve())),
  }
}

function openTlsOf(
  source: TlsSource,
  registry: Registry,
  { report, observe, tlsEvery: every }: ListenOptions,
): Promise<ChangingTls> {
  const options = { report, observe, every }
  return 'acme' in source ? openCertifiedTls(source, registry, options) : openTls(source, options)
}

/** Keeps the requests that are being handled in a set. */
function remembering(handler: Registry['handler'], running: Set<Promise<void>>): Registry['handler'] {
  return (request, response) => {
    const handling = handler(request, response).finally(() => running.delete(handling))
    running.add(handling)
    return handling
  }
}

/** A request whose connection was cut is still at work: it writes down how far it came, and gives its lock back. */
async function settled(running: ReadonlySet<Promise<void>>): Promise<void> {
  const patience = new Promise<void>((resolve) => setTimeout(resolve, STOP_PATIENCE).unref())
  await Promise.race([Promise.all(running), patience])
}

function createWebServer(handler: Registry['handler'], tls: ChangingTls | undefined): Server {
  const limits = {
    headersTimeout: HEADERS_TIMEOUT,
    // A push of many gigabytes takes its time; a connection on which nothing moves is ended by the idle timeout.
    requestTimeout: 0,
    keepAliveTimeout: 60_000,
    maxHeaderSize: 32 * 1024,
    insecureHTTPParser: false,
    requireHostHeader: true,
  }
  const server = tls ? createTlsServer({ ...limits, ...tls.options }, handler) : createServer(limits, handler)
  if (server instanceof TlsServer) tls?.follow(server)
  server.setTimeout(IDLE_TIMEOUT)
  return server
}

function limitConnections(server: Server, options: ListenOptions): void {
  const limit = createConnectionLimit(options)
  server.on('connection', (socket: Socket) => {
    const place = limit.enter(socket.remoteAddress ?? '')
    if (!place) return void socket.destroy()
    socket.once('close', () => place[Symbol.dispose]())
  })
}

async function stop(server: Server, way: OpenEntrance): Promise<void> {
  const closed = way.close()
  server.closeIdleConnections()
  // A connection whose request has just ended waits for another one: it is idle from then on.
  const sweep = setInterval(() => server.closeIdleConnections(), 50)
  const cut = setTimeout(() => server.closeAllConnections(), STOP_PATIENCE)
  await closed
  clearInterval(sweep)
  clearTimeout(cut)
}

/** Collects every now and then. */
function collectRegularly(
  registry: Registry,
  { collectEvery = COLLECT_EVERY, collect, report }: ListenOptions,
): AsyncDisposable {
  const work = async (signal: AbortSignal) => {
    await registry.collectGarbage({ ...collect, signal })
  }
  if (collectEvery === 0) return new AsyncDisposableStack()
  return workRegularly(work, {
    every: collectEvery,
    failed(error) {
      // Another replica is at it.
      if (!isBaleError(error, 'LOCKED')) report?.(asError(error), 'collecting')
    },
  })
}
