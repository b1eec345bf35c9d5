import { randomUUID } from 'node:crypto'
import { asError, BaleError, printable, systemClock } from '#base'
import {
  createHttpClient,
  defaultHttpLimits,
  type HttpClient,
  isTransient,
  parseRetryAfter,
  tlsSettings,
} from '#transport/http'
import { otlpDocument } from './otlp.ts'
import type { Observe } from './registry-event.ts'
import type { EndedSpan } from './tracer.ts'

/** Sends spans to a collector of OpenTelemetry. Disposing sends what is left, for a few seconds at most. */
interface SpanSender extends AsyncDisposable {
  /** Never waits: what is too much is dropped and counted. */
  add(span: EndedSpan): void
}

/** Where spans are sent. */
export interface SpanSenderOptions {
  /** `http://127.0.0.1:4318` */
  endpoint: string
  /** Of every request: logins, for example. */
  headers?: Readonly<Record<string, string>>
  /** Milliseconds between two requests; for tests. */
  every?: number
}

const MOST_WAITING = 4096
const BATCH = 512
const EVERY = 2000
const PATIENCE = 10_000
const LAST_PATIENCE = 3000
const TRIES = 4
const LONGEST_PAUSE = 30_000

/** By OTLP over HTTP with JSON. `report` is told of spans that a collector did not take. */
export function createSpanSender(
  { endpoint, headers = {}, every = EVERY }: SpanSenderOptions,
  { report, observe }: { report(failure: unknown, what: string): void; observe: Observe | undefined },
): SpanSender {
  const http = createHttpClient({
    limits: { ...defaultHttpLimits, redirects: 0, connections: 1 },
    tls: (url) => tlsSettings([url.host], {}),
  })
  const url = new URL(`${endpoint.replace(/\/$/, '')}/v1/traces`)
  const resource = { 'service.name': 'bale-registry', 'service.instance.id': randomUUID() }
  const stopping = new AbortController()
  const waiting: EndedSpan[] = []
  let full = 0
  let sending: Promise<void> | undefined

  const drop = (count: number, reason: 'full' | 'refused' | 'unreachable') => {
    if (count > 0) observe?.({ kind: 'spans-dropped', count, reason })
  }
  const sendBatch = async (spans: readonly EndedSpan[]) => {
    const outcome = await post({ http, url, headers, body: otlpDocument(resource, spans), signal: stopping.signal })
    const { rejected, reason = 'refused', failure } = outcome
    const lost = Math.min(rejected, spans.length)
    if (spans.length > lost) observe?.({ kind: 'spans-sent', count: spans.length - lost })
    drop(lost, reason)
    if (failure) report(failure, WHAT)
  }
  const sendAll = async () => {
    while (waiting.length > 0 && !stopping.signal.aborted) await sendBatch(waiting.splice(0, BATCH))
    drop(full, 'full')
    if (full > 0) report(new Error(`${full} spans were dropped: they came faster than they were sent`), WHAT)
    full = 0
  }
  const flush = () => {
    sending ??= sendAll().finally(() => {
      sending = undefined
    })
    return sending
  }
  const timer = setInterval(() => void flush(), every).unref()
  return {
    add(span) {
      if (waiting.length >= MOST_WAITING) return void full++
      waiting.push(span)
      if (waiting.length >= BATCH) void flush()
    },
    async [Symbol.asyncDispose]() {
      clearInterval(timer)
      const end = setTimeout(() => stopping.abort(), LAST_PATIENCE)
      await flush()
      await flush()
      clearTimeout(end)
      drop(waiting.length, 'unreachable')
      await http[Symbol.asyncDispose]()
    },
  }
}

const WHAT = 'sending traces'

interface Posting {
  http: HttpClient
  url: URL
  headers: Readonly<Record<string, string>>
  body: string
  signal: AbortSignal
}

interface Outcome {
  /** How many were not taken. */
  rejected: number
  reason?: 'refused' | 'unreachable'
  failure?: Error
}

/** Tries again while that may help. Never rejects. */
async function post(posting: Posting): Promise<Outcome> {
  for (let left = TRIES, pause = 1000; ; left--, pause *= 3) {
    const outcome = await postOnce(posting)
    if (outcome.again === undefined || left <= 1 || posting.signal.aborted) return outcome
    try {
      const wait = Math.min(LONGEST_PAUSE, Math.max(pause, outcome.again))
      await systemClock.sleep(wait, { signal: posting.signal })
    } catch {
      // The registry is being stopped.
      return outcome
    }
  }
}

const ALL = Number.POSITIVE_INFINITY
/** Source: the specification of OTLP, "Retryable Response Codes". */
const RETRYABLE = new Set([429, 502, 503, 504])

/** `again`: milliseconds that the collector wants to have before another try. */
async function postOnce({ http, url, headers, body, signal }: Posting): Promise<Outcome & { again?: number }> {
  try {
    const answer = await http.send({
      method: 'POST',
      url,
      headers: { ...headers, 'content-type': 'application/json' },
      body: async () => body,
      signal: AbortSignal.any([signal, AbortSignal.timeout(PATIENCE)]),
    })
    const text = (await answer.beginning(defaultHttpLimits.errorBytes)).toString()
    if (answer.status >= 200 && answer.status < 300) return takenIn(text)
    const failure = new BaleError('UNAVAILABLE', `${url.host} did not take traces: status ${answer.status}`)
    if (!RETRYABLE.has(answer.status)) return { rejected: ALL, failure }
    return { rejected: ALL, failure, again: parseRetryAfter(answer.headers['retry-after'], Date.now()) ?? 0 }
  } catch (error) {
    const failure = new BaleError('UNAVAILABLE', `${url.host} did not take traces: ${asError(error).message}`, {
      cause: error,
    })
    return { rejected: ALL, reason: 'unreachable', failure, ...(isTransient(error) && { again: 0 }) }
  }
}

/** A collector may take a part. Its message is the collector's. */
function takenIn(text: string): Outcome {
  try {
    const { partialSuccess } = JSON.parse(text) as {
      partialSuccess?: { rejectedSpans?: unknown; errorMessage?: unknown }
    }
    const rejected = Number(partialSuccess?.rejectedSpans ?? 0)
    if (!(rejected > 0)) return { rejected: 0 }
    const failure = new Error(`${rejected} spans were refused: ${printable(String(partialSuccess?.errorMessage), 200)}`)
    return { rejected, failure }
  } catch (error) {
    // An empty answer, or another form than was asked for, of a collector that took all.
    if (error instanceof SyntaxError || error instanceof TypeError) return { rejected: 0 }
    throw error
  }
}
