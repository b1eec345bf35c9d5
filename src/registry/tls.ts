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

/** TLS whose texts may change while connections are open. Disposing ends the looks at them. */
export interface ChangingTls extends AsyncDisposable {
  /** Of the server to make. */
  options: SecureContextOptions & { requestCert: boolean; rejectUnauthorized: true }
  /** The server whose new connections get new texts; those that are open go on. */
  follow(server: Server): void
  /** Looks now. Never rejects: of what cannot be used the operator is told, and the texts of before stay. */
  reload(): Promise<void>
  /** Fulfilled when there is a certificate to show; undefined when there was one at the start. */
  certified: Promise<void> | undefined
}

/** Without a certificate and its key no handshake succeeds. */
type Texts = Partial<TlsTexts>

const LOOK_EVERY = 60_000

/** Texts that stay, or how to read them. Rejects when they cannot be used at the start. */
export async function openTls(
  source: TlsTexts | (() => Promise<Texts>),
  { report, observe, every = LOOK_EVERY }: { report?: Report; observe?: Observe; every?: number },
): Promise<ChangingTls> {
  const read = typeof source === 'function' ? source : async () => source
  const first = await read()
  const options = contextOf(first)
  const certified = first.cert === undefined ? Promise.withResolvers<void>() : undefined
  const state = { read, report, observe, used: first, certified: () => certified?.resolve() }
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
    certified: certified?.promise,
    async [Symbol.asyncDispose]() {
      clearInterval(timer)
    },
  }
}

interface Looking {
  read(): Promise<Texts>
  report?: Report
  observe?: Observe
  used: Texts
  certified(): void
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
      if (texts.cert !== undefined) state.certified()
    }
    state.complaint = undefined
  } catch (error) {
    const failure = asError(error)
    if (asked || failure.message !== state.complaint) state.report?.(failure, 'reading the TLS files again')
    state.complaint = failure.message
  }
}

/** Throws when the certificate and key are malformed or do not belong together. */
function contextOf({ cert, key, clientAuthorities }: Texts): SecureContextOptions {
  const ca = clientAuthorities === undefined ? undefined : Buffer.from(clientAuthorities)
  const own = cert !== undefined && key !== undefined ? { cert: Buffer.from(cert), key: Buffer.from(key) } : {}
  const options = { ...own, ca, minVersion: 'TLSv1.2' as const }
  try {
    createSecureContext(options)
  } catch (error) {
    const { message } = asError(error)
    throw new BaleError('INVALID_ARGUMENT', `the TLS certificate and key cannot be used: ${message}`, { cause: error })
  }
  return options
}

function tellExpiry({ cert }: Texts, observe: Observe | undefined): void {
  if (cert === undefined) return
  const { validToDate } = new X509Certificate(cert)
  observe?.({ kind: 'certificate-shown', validUntil: validToDate.getTime() })
}

/** Whether clients are asked for certificates is settled with the server; without authorities, all public ones would be trusted. */
function checkAuthorities(texts: Texts, used: Texts): void {
  if ((texts.clientAuthorities === undefined) === (used.clientAuthorities === undefined)) return
  throw new BaleError('INVALID_ARGUMENT', 'the authorities of clients cannot be given or left out while a server runs')
}

function areSame(one: Texts, other: Texts): boolean {
  const equal = (key: keyof TlsTexts) => Buffer.from(one[key] ?? '').equals(Buffer.from(other[key] ?? ''))
  return equal('cert') && equal('key') && equal('clientAuthorities')
}
