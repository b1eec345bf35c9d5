import type { IncomingMessage } from 'node:http'

/** A text that a browser keeps. */
interface Cookie {
  name: string
  /** Empty: it is to be forgotten. */
  value: string
  /** Seconds. */
  maxAge: number
}

/**
 * The value of a cookie of ours; of several the first. `secure`: the browser reached us by https, and nobody but this host can have set it. Source:
 * RFC 6265bis, section 4.1.3.
 */
export function readCookie({ headers }: IncomingMessage, name: string, secure: boolean): string | undefined {
  const wanted = fullName(name, secure)
  for (const pair of (headers.cookie ?? '').split(';')) {
    const equals = pair.indexOf('=')
    if (equals > 0 && pair.slice(0, equals).trim() === wanted) return pair.slice(equals + 1).trim() || undefined
  }
  return undefined
}

/** A header Set-Cookie. No script sees it, and other sites can have it sent by links alone. */
export function cookieHeader({ name, value, maxAge }: Cookie, secure: boolean): string {
  const age = value === '' ? 0 : Math.floor(maxAge)
  const plain = `${fullName(name, secure)}=${value}; Path=/; Max-Age=${age}; HttpOnly; SameSite=Lax`
  return secure ? `${plain}; Secure` : plain
}

/** Browsers take the prefix by https alone. */
const fullName = (name: string, secure: boolean) => (secure ? `__Host-${name}` : name)
