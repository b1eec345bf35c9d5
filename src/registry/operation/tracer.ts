import { AsyncLocalStorage } from 'node:async_hooks'
import type { IncomingMessage } from 'node:http'
import { TLSSocket } from 'node:tls'
import { isBaleError, printable } from '#base'
import type { EndedRequest } from './registry-event.ts'
import { isChosen, newSpanId, newTraceId, readTraceParent } from './trace-context.ts'

/** Something that took time, and is over. */
export interface EndedSpan {
  traceId: string
  spanId: string
  parentSpanId?: string
  /** Whether the parent is somebody else's. */
  remoteParent: boolean
  name: string
  kind: 'server' | 'client'
  /** Milliseconds since 1970, with fractions. */
  start: number
  end: number
  attributes: Readonly<Record<string, string | number | undefined>>
  failed: boolean
}

/** Notes what requests spend their time on. */
export interface Tracer {
  /** The span of a request; undefined when it is not one of those that are recorded. */
  begin(request: IncomingMessage): RequestSpan | undefined
  /** Work of a part of the registry, for the request during which it is done. */
  during<T>(part: Part, operation: string, work: () => Promise<T>): Promise<T>
  /** The same for work that ends when the returned function is called; for the second time it does nothing. */
  start(part: Part, operation: string): (failure?: unknown) => void
}

/** Where requests spend time outside of the registry. */
export type Part = 'database' | 'objects'

/** The span of one request, from its begin on. */
export interface RequestSpan {
  /** What is done meanwhile for the database and the store has its spans below this one. */
  run<T>(work: () => Promise<T>): Promise<T>
  /** Once, with what the request came to. */
  end(request: EndedRequest): void
}

interface Current {
  traceId: string
  spanId: string
  /** The time, counted from the begin of the request: a clock that is set makes no negative durations. */
  now(): number
  /** How many spans it has had below it. */
  children: number
}

/** A push of gigabytes asks the database thousands of times; the first of them tell enough. */
const MOST_CHILDREN = 100
/** Nobody wants to see them, and there are many. */
const PROBES = /^\/(?:livez|readyz)(?:$|\?)/

/**
 * Traces the `sample` part of the requests that do not belong to a trace already; those that do as their client says. Spans hold
 * neither headers nor queries nor messages of errors, in which there may be secrets.
 */
export function createTracer({ sample }: { sample: number }, record: (span: EndedSpan) => void): Tracer {
  const storage = new AsyncLocalStorage<Current>()
  const start: Tracer['start'] = (part, operation) => {
    const current = storage.getStore()
    if (!current || ++current.children > MOST_CHILDREN) return () => undefined
    const { traceId, spanId: parentSpanId, now } = current
    const began = now()
    let over = false
    return (failure) => {
      if (over) return
      over = true
      record({
        ...{
          traceId,
          spanId: newSpanId(),
          parentSpanId,
          remoteParent: false,
          kind: 'client',
          start: began,
          end: now(),
        },
        name: `${part} ${operation}`,
        attributes: {
          'bale.part': part,
          'bale.operation': operation,
          'error.type': failure === undefined ? undefined : codeOf(failure),
        },
        failed: failure !== undefined,
      })
    }
  }
  return {
    start,
    begin(request) {
      const parent = readTraceParent(request.headers['traceparent'])
      const traceId = parent?.traceId ?? newTraceId()
      const recorded = parent ? parent.sampled : isChosen(traceId, sample)
      if (!recorded || PROBES.test(request.url ?? '')) return undefined
      const current: Current = { traceId, spanId: newSpanId(), now: clockFromNow(), children: 0 }
      const began = current.now()
      const connection = connectionAttributes(request)
      return {
        run: (work) => storage.run(current, work),
        end(ended) {
          record({
            ...{ traceId, spanId: current.spanId, parentSpanId: parent?.spanId, remoteParent: parent !== undefined },
            name: nameOf(ended),
            kind: 'server',
            ...{ start: began, end: current.now() },
            attributes: { ...connection, ...requestAttributes(ended), ...leftOut(current) },
            failed: isFailure(ended),
          })
        },
      }
    },
    async during(part, operation, work) {
      const end = start(part, operation)
      try {
        const result = await work()
        end()
        return result
      } catch (error) {
        end(error ?? 'nothing')
        throw error
      }
    },
  }
}

function clockFromNow(): () => number {
  const [time, began] = [Date.now(), performance.now()]
  return () => time + (performance.now() - began)
}

const codeOf = (failure: unknown) => (isBaleError(failure) ? failure.code : 'OTHER')

const leftOut = ({ children }: Current) =>
  children > MOST_CHILDREN ? { 'bale.spans_left_out': children - MOST_CHILDREN } : {}

const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])

const methodOf = ({ method }: EndedRequest) => (METHODS.has(method) ? method : '_OTHER')

function nameOf(request: EndedRequest): string {
  const method = METHODS.has(request.method) ? request.method : 'HTTP'
  const route = request.route === undefined ? undefined : ROUTES.get(request.route)
  return route === undefined ? method : `${method} ${route}`
}

const ROUTES: ReadonlyMap<string, string> = new Map([
  ['ping', '/v2/'],
  ['token', '/token'],
  ['catalog', '/v2/_catalog'],
  ['blob', '/v2/{name}/blobs/{digest}'],
  ['uploads', '/v2/{name}/blobs/uploads/'],
  ['upload', '/v2/{name}/blobs/uploads/{id}'],
  ['manifest', '/v2/{name}/manifests/{reference}'],
  ['tags', '/v2/{name}/tags/list'],
  ['referrers', '/v2/{name}/referrers/{digest}'],
])

/** A refusal is the client's fault; an answer that broke off may be anybody's. */
const isFailure = ({ status }: EndedRequest) => status === undefined || status >= 500

/** Source of the names: OpenTelemetry's semantic conventions for HTTP servers, and of bale's own `bale.`. */
function requestAttributes(request: EndedRequest) {
  const { id, path, route, status, bytesIn, bytesOut, address, user, aborted } = request
  return {
    'http.request.method': methodOf(request),
    'http.route': route === undefined ? undefined : ROUTES.get(route),
    'http.response.status_code': status,
    'http.request.size': bytesIn,
    'http.response.size': bytesOut,
    'url.path': printable(path, 1024),
    'client.address': address,
    'user.name': user,
    'bale.request_id': id,
    'error.type': aborted ? 'aborted' : isFailure(request) ? String(status) : undefined,
  }
}

function connectionAttributes({ socket, httpVersion, headers }: IncomingMessage) {
  const agent = headers['user-agent']
  return {
    'url.scheme': socket instanceof TLSSocket ? 'https' : 'http',
    'network.protocol.version': httpVersion,
    'user_agent.original': agent === undefined ? undefined : printable(agent, 256),
  }
}
