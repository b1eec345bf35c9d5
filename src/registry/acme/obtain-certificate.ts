import { X509Certificate } from 'node:crypto'
import type { Server } from 'node:https'
import { asError, BaleError, type Clock, isBaleError } from '#base'
import { createHttpClient, defaultHttpLimits, tlsSettings } from '#transport/http'
import { inTurn, type MetaStore } from '../meta/index.ts'
import type { Seal } from '../seal/index.ts'
import { type ExternalAccount, readAccountKey } from './account-key.ts'
import { answerHandshakes } from './answer-handshakes.ts'
import { openAuthority } from './authority.ts'
import { type CertificateShelf, createCertificateShelf, type KeptCertificate, type Trial } from './kept-certificate.ts'
import { type ChallengeKind, type Issued, orderCertificate } from './order-certificate.ts'

/** Which certificate is wanted, and from whom. */
export interface AcmeOptions {
  /** URL of the authority's directory, whose terms the operator agrees to. */
  directory: string
  /** Names of hosts; without stars. */
  names: readonly string[]
  /** Address to which the authority may write. */
  contact?: string
  /** Of an authority that makes certificates for its customers only. */
  externalAccount?: ExternalAccount
  /** Authorities (PEM) that the directory's own certificate may be from, besides the machine's. */
  authorities?: string
  /** How the authority sees that the names are ours: by a handshake at port 443 of each, or by a request at its port 80. */
  challenge: ChallengeKind
  /** Milliseconds between two looks whether it is time for a new one, a minute by default. */
  every?: number
}

/** One certificate for all processes of a registry. Disposing ends the looks at it, and an order that runs. */
export interface ObtainedCertificate extends AsyncDisposable {
  /** As it is now; undefined while there is none. */
  current(): Promise<Issued | undefined>
  /** What an authority wants to hear for a token (http-01), whichever process ordered. Undefined when none asks, or when it cannot be read. */
  answer(token: string): Promise<string | undefined>
  /** Has a server that does not listen yet answer the handshakes of authorities (tls-alpn-01). */
  answerAt(server: Server): void
  /** Begins to look whether a new one is needed; `changed` is called after each that came, by whichever process. */
  begin(changed: () => void): void
  /** Looks now, and does not wait for the time after a failure to be over. Never rejects. */
  tryNow(): Promise<void>
}

interface ObtainParts {
  meta: MetaStore
  seal: Seal
  /** The registry's. */
  clock: Clock
  /** Failures are reported to the operator. */
  report(failure: unknown, what: string): void
}

const LOOK_EVERY = 60_000
/** Nothing can be served yet, and another process may have one any moment. */
const LOOK_WITHOUT = 1000
/** Two processes of different configuration must not order in turn. */
const LEAST_AGE = 600_000
const ORDER_TAKES = 600_000

/** After a failure; the longest is for all others. Few enough for authorities that count failures. */
const WAITS = [60_000, 240_000, 900_000, 3_600_000, 6 * 3_600_000]

/** Rejects with DENIED when the certificate that is there was sealed with another secret. */
export async function obtainCertificate(parts: ObtainParts, options: AcmeOptions): Promise<ObtainedCertificate> {
  const shelf = createCertificateShelf(parts)
  const stopping = new AbortController()
  const state = {
    parts,
    options,
    shelf,
    signal: stopping.signal,
    shown: await shelf.certificate(),
    knows: false,
  }
  let timer: NodeJS.Timeout | undefined
  let looks = Promise.resolve()
  let changed: () => void = () => undefined
  const look = (asked: boolean) => {
    looks = looks.then(() => lookOnce(state, changed, asked))
    return looks
  }
  const answer = (kind: ChallengeKind, about: string) =>
    shelf.answer(kind, about).catch((error: unknown) => parts.report(error, 'answering a challenge') ?? undefined)
  const later = () => {
    const { every = LOOK_EVERY } = options
    const pause = state.shown ? every : Math.min(every, LOOK_WITHOUT)
    if (!stopping.signal.aborted) timer = setTimeout(() => void look(false).then(later), pause).unref()
  }
  return {
    current: () => shelf.certificate(),
    answer: (token) => answer('http-01', token),
    answerAt: (server) => answerHandshakes(server, (name) => answer('tls-alpn-01', name)),
    begin(tell) {
      changed = tell
      void look(false).then(later)
    },
    tryNow: () => look(true),
    async [Symbol.asyncDispose]() {
      stopping.abort(new BaleError('ABORTED', 'the registry is being stopped'))
      clearTimeout(timer)
      await looks
    },
  }
}

interface Looking {
  parts: ObtainParts
  options: AcmeOptions
  shelf: CertificateShelf
  signal: AbortSignal
  shown: KeptCertificate | undefined
  /** Whether the operator was told that tries fail. */
  knows: boolean
}

async function lookOnce(state: Looking, changed: () => void, asked: boolean): Promise<void> {
  if (state.signal.aborted) return
  try {
    const kept = await orderIfNeeded(state, asked)
    if (kept?.cert === state.shown?.cert) return
    state.shown = kept
    changed()
  } catch (error) {
    state.knows = true
    if (!state.signal.aborted) state.parts.report(error, WHAT)
  }
}

/** The certificate that is there afterwards. One process orders at a time. */
async function orderIfNeeded(state: Looking, asked: boolean): Promise<KeptCertificate | undefined> {
  const { parts, options, shelf } = state
  const kept = await shelf.certificate()
  if (!isNeeded(kept, options, parts.clock.now(), asked)) return kept
  const trial = await shelf.trial()
  if (trial && trial.next > parts.clock.now() && !asked) {
    tellOfWait(state, trial)
    return kept
  }
  const done = await inTurn(parts.meta, 'certificate', async (turn) => {
    // Another process may have ordered just before.
    const now = await shelf.certificate()
    if (!isNeeded(now, options, parts.clock.now(), asked)) return now
    return await ordered({ ...state, signal: AbortSignal.any([state.signal, turn]) })
  })
  return done === 'taken' ? kept : done.done
}

/** Once: failures of another process, or of this one before it was started again. */
function tellOfWait(state: Looking, { next }: Trial): void {
  if (state.knows) return
  state.knows = true
  const { clock, report } = state.parts
  const message = `the last try failed before this process looked; the next try is ${inMinutes(next - clock.now())}`
  report(new BaleError('CERTIFICATE_FAILED', message), WHAT)
}

function inMinutes(milliseconds: number): string {
  const minutes = Math.ceil(milliseconds / 60_000)
  return `in ${minutes} minute${minutes === 1 ? '' : 's'}`
}

const WHAT = 'obtaining the certificate'

/** At two thirds of its life, or when it is not the one that is wanted. */
function isNeeded(
  kept: KeptCertificate | undefined,
  { names, directory }: AcmeOptions,
  now: number,
  asked: boolean,
): boolean {
  if (!kept) return true
  const { validFromDate, validToDate } = new X509Certificate(kept.cert)
  const [from, until] = [validFromDate.getTime(), validToDate.getTime()]
  if (now >= from + ((until - from) * 2) / 3) return true
  const isWanted = kept.directory === directory && names.every((name) => kept.names.includes(name))
  return !isWanted && (asked || now >= kept.obtained + LEAST_AGE)
}

async function ordered({ parts, options, shelf, signal }: Looking): Promise<KeptCertificate> {
  const { clock } = parts
  try {
    const issued = await order(parts, options, shelf, AbortSignal.any([signal, AbortSignal.timeout(ORDER_TAKES)]))
    const { directory, names } = options
    const certificate = { ...issued, directory, names, obtained: clock.now() }
    await shelf.putCertificate(certificate)
    await shelf.putTrial(undefined)
    return certificate
  } catch (error) {
    // What is stopped has not failed.
    if (signal.aborted) throw error
    throw await failed(shelf, error, clock.now())
  }
}

async function order(
  { clock }: ObtainParts,
  { directory, names, contact, externalAccount, authorities, challenge }: AcmeOptions,
  shelf: CertificateShelf,
  signal: AbortSignal,
): Promise<Issued> {
  await using http = createHttpClient({
    limits: defaultHttpLimits,
    tls: (url) => tlsSettings([url.host], { ca: authorities === undefined ? [] : [authorities] }),
  })
  const accountKey = readAccountKey(await shelf.accountKey(directory))
  const authority = await openAuthority(directory, { http, key: accountKey, clock, signal })
  await authority.enter(contact, externalAccount)
  return await orderCertificate({ authority, accountKey, answers: shelf, clock, signal }, { names, challenge })
}

/** The failure as it is reported to the operator, once the time of the next try is on record. */
async function failed(shelf: CertificateShelf, error: unknown, now: number): Promise<Error> {
  const failures = ((await shelf.trial())?.failures ?? 0) + 1
  const wanted = isBaleError(error) ? Number(error.details['wait'] ?? 0) : 0
  const wait = Math.max(wanted, WAITS[failures - 1] ?? WAITS.at(-1)!)
  await shelf.putTrial({ failures, next: now + wait })
  const message = `${asError(error).message}; the next try is ${inMinutes(wait)}`
  return new BaleError(isBaleError(error) ? error.code : 'CERTIFICATE_FAILED', message, { cause: error })
}
