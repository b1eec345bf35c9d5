import { X509Certificate } from 'node:crypto'
import type { Server } from 'node:https'
import { createSecureContext, type SecureContextOptions } from 'node:tls'
import { asError, BaleError } from '#base'
import type { Observe } from './operation/index.ts'
import type { Report } from './report.ts'

/** What a server shows its clients, and whom it serves. PEM texts. */
export interface TlsTexts {
  /** The server's certificate, and those that it was issued by. */
  cert: string | Uint8Array
  key: string | Uint8Array
  /** Clients without a certificate of one of these authorities are refused at the handshake. */
  clientAuthorities?: string | Uint8Array
}

/** Texts that stay, or how to read them: at the start, and again while the registry is served. */
export type TlsSource = TlsTexts | (() => Promise<TlsTexts>)

/** TLS whose texts may change while connections are open. Disposing ends the looks at them. */
export interface ChangingTls extends Disposable {
  /** Of the server to make. */
  options: SecureContextOptions & { requestCert: boolean; rejectUnauthorized: true }
  /** The server whose new connections get new texts; those that are open go on. */
  follow(server: Server): void
  /** Looks now. Never rejects: of what cannot be used the operator is told, and the texts of before stay. */
  reload(): Promise<void>
}

const LOOK_EVERY = 60_000

/** Rejects when the texts cannot be used at the start. */
export async function openTls(
  source: TlsSource,
  { report, observe, every = LOOK_EVERY }: { report?: Report; observe?: Observe; every?: number },
): Promise<ChangingTls> {
  const read = typeof source === 'function' ? source : async () => source
  const first = await read()
  const options = contextOf(first)
  const state = { read, report, observe, used: first }
  tellExpiry(first, observe)
  const requestCert = first.clientAuthorities !== undefined
  let looks = Promise.resolve()
  let server: Server | undefined
  // One after the other: a read that began earlier must not win.
  const reload = (asked: boolean) => {
    looks = looks.then(() => (server ? look(state, server, asked) : undefined))
    return looks
  }
  const timer = typeof source === 'function' ? setInterval(() => void reload(false), every).unref() : undefined
  return {
    options: { ...options, requestCert, rejectUnauthorized: true },
    follow(one) {
      server = one
    },
    reload: () => reload(true),
    [Symbol.dispose]: () => clearInterval(timer),
  }
}

interface Looking {
  read(): Promise<TlsTexts>
  report?: Report
  observe?: Observe
  used: TlsTexts
  /** What was wrong the last time. */
  complaint?: string
}

/** Files that stay wrong are told of once, and whenever somebody asks. */
async function look(state: Looking, server: Server, asked: boolean): Promise<void> {
  try {
    const texts = await state.read()
    if (!areSame(texts, state.used)) {
      checkAuthorities(texts, state.used)
      server.setSecureContext(contextOf(texts))
      state.used = texts
      tellExpiry(texts, state.observe)
    }
    state.complaint = undefined
  } catch (error) {
    const failure = asError(error)
    if (asked || failure.message !== state.complaint) state.report?.(failure, 'reading the TLS files again')
    state.complaint = failure.message
  }
}

/** Throws when the certificate and key are malformed or do not belong together. */
function contextOf({ cert, key, clientAuthorities }: TlsTexts): SecureContextOptions {
  const ca = clientAuthorities === undefined ? undefined : Buffer.from(clientAuthorities)
  const options = { cert: Buffer.from(cert), key: Buffer.from(key), ca, minVersion: 'TLSv1.2' as const }
  try {
    createSecureContext(options)
  } catch (error) {
    const { message } = asError(error)
    throw new BaleError('INVALID_ARGUMENT', `the TLS certificate and key cannot be used: ${message}`, { cause: error })
  }
  return options
}

function tellExpiry({ cert }: TlsTexts, observe: Observe | undefined): void {
  const { validToDate } = new X509Certificate(cert)
  observe?.({ kind: 'certificate-shown', validUntil: validToDate.getTime() })
}

/** Whether clients are asked for certificates is settled with the server; without authorities, all public ones would be trusted. */
function checkAuthorities(texts: TlsTexts, used: TlsTexts): void {
  if ((texts.clientAuthorities === undefined) === (used.clientAuthorities === undefined)) return
  throw new BaleError('INVALID_ARGUMENT', 'the authorities of clients cannot be given or left out while a server runs')
}

function areSame(one: TlsTexts, other: TlsTexts): boolean {
  const equal = (key: keyof TlsTexts) => Buffer.from(one[key] ?? '').equals(Buffer.from(other[key] ?? ''))
  return equal('cert') && equal('key') && equal('clientAuthorities')
}
