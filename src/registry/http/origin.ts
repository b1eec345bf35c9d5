import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import { BaleError } from '#base'
import { createAddressList, plainAddress } from '../addresses/index.ts'
import { Refusal } from './failure.ts'
import { networkOf } from './network-of.ts'

/** Where a request comes from and what the client calls us. */
export interface Origin {
  /** The client's address: the socket's, or what a trusted proxy says. */
  address(request: IncomingMessage): string
  /** What requests and guesses of the client are counted by: see `networkOf`. */
  network(request: IncomingMessage): string
  /** `https://registry.example:5000`, no slash at the end. */
  url(request: IncomingMessage): string
}

export interface OriginOptions {
  /** Overrides whatever requests say. */
  externalUrl?: string
  /** Addresses or ranges (`10.0.0.0/8`) whose X-Forwarded-For, -Proto and -Host are honoured; none by default (A17). */
  trustedProxies?: readonly string[]
}

const HOST = /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,253})|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?$/

export function createOrigin({ externalUrl, trustedProxies = [] }: OriginOptions): Origin {
  const trusted = createAddressList(trustedProxies)
  const fixed = externalUrl === undefined ? undefined : checkedUrl(externalUrl)
  const viaProxy = (request: IncomingMessage) => trusted.has(request.socket.remoteAddress ?? '')
  const addressOf = (request: IncomingMessage) => {
    const peer = plainAddress(request.socket.remoteAddress ?? '')
    if (!viaProxy(request)) return peer
    const hops = String(request.headers['x-forwarded-for'] ?? '')
      .split(',')
      .map((hop) => hop.trim())
    return hops.reverse().find((hop) => isIP(hop) !== 0 && !trusted.has(hop)) ?? peer
  }
  return {
    address: addressOf,
    network: (request) => networkOf(addressOf(request)),
    url(request) {
      if (fixed !== undefined) return fixed
      const secure = 'encrypted' in request.socket && request.socket.encrypted === true
      const forwarded = viaProxy(request)
      const scheme = forwarded && request.headers['x-forwarded-proto'] === 'https' ? 'https' : secure ? 'https' : 'http'
      const host = (forwarded && request.headers['x-forwarded-host']) || request.headers.host || ''
      if (typeof host !== 'string' || !HOST.test(host)) throw new Refusal(400, 'UNSUPPORTED', 'invalid Host header')
      return `${scheme}://${host}`
    },
  }
}

function checkedUrl(text: string): string {
  const url = URL.parse(text)
  if (url && /^https?:$/.test(url.protocol) && url.pathname === '/' && url.search === '') return url.origin
  throw new BaleError('INVALID_ARGUMENT', `not the URL of a registry: ${text}`, {
    hint: 'give scheme and host only, for example https://registry.example',
  })
}
