import { type Clock, isBaleError, printable } from '#base'
import {
  type AddressRules,
  createHttpClient,
  defaultHttpLimits,
  type HttpAnswer,
  type HttpClient,
  parseRetryAfter,
  tlsSettings,
} from '#transport/http'
import { createAddressGuard } from '../addresses/index.ts'
import type { TakenDelivery } from '../meta/index.ts'
import type { Seal } from '../seal/index.ts'
import { cloudEventOf } from './cloud-event.ts'
import { signatureHeaders } from './signing-secret.ts'

/** How hooks are told. */
export interface HookSettings {
  /** Ranges that may be connected to besides public addresses. None by default. */
  allowAddresses?: readonly string[]
  /** How long a delivery that fails is tried again. Milliseconds, a day by default. */
  retryFor?: number
  /** How names become addresses: as this machine does it by default. */
  lookup?: AddressRules['lookup']
}

/** What came of sending. `wait` is what the receiver asks for before the next attempt, in milliseconds. */
export interface Sent {
  outcome: 'delivered' | 'failed' | 'unwanted'
  status?: number
  failure?: string
  answer?: string
  wait?: number
}

/** Sends events to the URLs of hooks. Disposing it ends its connections. */
export interface HookSender extends AsyncDisposable {
  /** Rejects for what is not the receiver's fault: an abort, a secret that cannot be opened. */
  send(delivery: TakenDelivery, options?: { signal?: AbortSignal }): Promise<Sent>
}

/** The whole of an attempt, in milliseconds. */
export const ATTEMPT_TIME = 15_000
const LIMITS = {
  ...defaultHttpLimits,
  connectTimeout: 5_000,
  headersTimeout: 10_000,
  headerBytes: 32 * 1024,
  errorBytes: 1024,
}
/** Of an answer, so that deliveries can be looked at without showing what else is at the URL. */
const SHOWN = 80

interface SenderParts {
  seal(): Promise<Seal>
  clock: Clock
  /** What the events are from: a URI, or a part of one. */
  source: string
  settings: HookSettings
}

export function createHookSender({ seal, clock, source, settings }: SenderParts): HookSender {
  const addresses = { admits: createAddressGuard(settings.allowAddresses), lookup: settings.lookup }
  const client = createHttpClient({ limits: LIMITS, tls: (url) => tlsSettings([url.host], {}), addresses })
  return {
    async send(delivery, { signal } = {}) {
      const body = cloudEventOf(delivery, source)
      const secret = (await seal()).open(delivery.hook.id, delivery.hook.secret)
      const headers = {
        'content-type': 'application/cloudevents+json; charset=utf-8',
        ...signatureHeaders(secret, { id: delivery.eventId, at: clock.now(), body }),
      }
      return await post(client, { url: new URL(delivery.hook.url), headers, body }, { stopping: signal, clock })
    },
    [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
  }
}

interface Message {
  url: URL
  headers: Record<string, string>
  body: string
}

async function post(
  client: HttpClient,
  { body, ...message }: Message,
  { stopping, clock }: { stopping: AbortSignal | undefined; clock: Clock },
): Promise<Sent> {
  const patience = AbortSignal.timeout(ATTEMPT_TIME)
  const signal = stopping ? AbortSignal.any([stopping, patience]) : patience
  try {
    const request = { method: 'POST', ...message, body: async () => body, follow: false, signal } as const
    return await sentOf(await client.send(request), clock.now())
  } catch (error) {
    stopping?.throwIfAborted()
    if (patience.aborted) return { outcome: 'failed', failure: `no answer within ${ATTEMPT_TIME / 1000} seconds` }
    if (isBaleError(error)) return { outcome: 'failed', failure: error.message }
    throw error
  }
}

/** Source of 410: Standard Webhooks, "Delivery". */
async function sentOf(answer: HttpAnswer, now: number): Promise<Sent> {
  const { status, headers } = answer
  // The status has said it all: a body that does not end changes nothing.
  const begun = await answer.beginning(SHOWN).catch(() => Buffer.alloc(0))
  const told = { status, answer: printable(begun.toString('utf8'), SHOWN) || undefined }
  if (status >= 200 && status < 300) return { outcome: 'delivered', ...told }
  const outcome = status === 410 ? 'unwanted' : 'failed'
  return { outcome, ...told, failure: `the answer is ${status}`, wait: parseRetryAfter(headers['retry-after'], now) }
}
