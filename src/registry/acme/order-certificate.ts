import { createPrivateKey, X509Certificate } from 'node:crypto'
import type { Clock } from '#base'
import { parseRetryAfter } from '#transport/http'
import type { AccountKey } from './account-key.ts'
import { type Authority, type Document, textOf } from './authority.ts'
import { newKeyPair, pemOf, signingRequest } from './certificates.ts'
import { authorityFailed, problemOf } from './problem.ts'

/** How an authority sees that a name is ours. */
export type ChallengeKind = 'tls-alpn-01' | 'http-01'

/** Where answers to an authority are put, so that every process can give them. */
export interface Answers {
  /** For a token, by http-01; for a name, by tls-alpn-01. */
  put(kind: ChallengeKind, about: string, keyAuthorization: string): Promise<void>
  remove(kind: ChallengeKind, about: string): Promise<void>
}

/** PEM texts of a certificate with those that it was issued by, and of its key. */
export interface Issued {
  cert: string
  key: string
}

interface OrderParts {
  authority: Authority
  accountKey: AccountKey
  answers: Answers
  clock: Clock
  signal: AbortSignal
}

interface OrderOptions {
  names: readonly string[]
  challenge: ChallengeKind
}

/** Orders a certificate with a key of its own for these names (RFC 8555 section 7.4), by an account that has entered. */
export async function orderCertificate(parts: OrderParts, { names, challenge }: OrderOptions): Promise<Issued> {
  const { authority } = parts
  const { host } = authority
  const { url, document } = await authority.order(names)
  for (const authorization of listOf(document, 'authorizations', host)) {
    await validate(parts, authorization, challenge)
  }
  const ready = await settled(parts, url, ['pending'], 'the order')
  const keys = newKeyPair()
  const csr = signingRequest(names, keys).toString('base64url')
  await authority.ask(textOf(ready, 'finalize', host), { csr })
  const valid = await settled(parts, url, ['pending', 'ready', 'processing'], 'the order')
  const cert = await authority.text(textOf(valid, 'certificate', host))
  const issued = { cert, key: pemOf(keys.privateKey) }
  checkIssued(issued, names, host)
  return issued
}

/** Has the authority see one name. */
async function validate(parts: OrderParts, url: string, kind: ChallengeKind): Promise<void> {
  const { authority, accountKey, answers } = parts
  const { host } = authority
  const { document } = await authority.ask(url)
  // Validated lately.
  if (document['status'] === 'valid') return
  const name = nameIn(document, host)
  const challenges = Array.isArray(document['challenges']) ? (document['challenges'] as Document[]) : []
  const challenge = challenges.find(({ type }) => type === kind)
  if (!challenge) throw authorityFailed(`the authority ${host} does not offer ${kind} for ${name}`)
  const token = textOf(challenge, 'token', host)
  const about = kind === 'http-01' ? token : name
  await answers.put(kind, about, accountKey.authorization(token))
  try {
    await authority.ask(textOf(challenge, 'url', host), {})
    await settled(parts, url, ['pending', 'processing'], name)
  } finally {
    await answers.remove(kind, about)
  }
}

const PAUSE = { first: 500, most: 10_000 }

/** A resource once its status is none of those that pass; CERTIFICATE_FAILED when that is a bad one. */
async function settled(
  { authority, clock, signal }: OrderParts,
  url: string,
  passing: readonly string[],
  what: string,
): Promise<Document> {
  for (let pause = PAUSE.first; ; pause = Math.min(PAUSE.most, pause * 2)) {
    const { document, retryAfter } = await authority.ask(url)
    const status = textOf(document, 'status', authority.host)
    if (!passing.includes(status)) {
      if (status === 'ready' || status === 'valid') return document
      throw authorityFailed(`the authority ${authority.host} finds ${what} ${status}: ${reasonIn(document)}`)
    }
    const wanted = parseRetryAfter(retryAfter, clock.now()) ?? 0
    await clock.sleep(Math.min(PAUSE.most, Math.max(pause, wanted)), { signal })
  }
}

/** Of an order, or of the challenge that failed. */
function reasonIn({ error, challenges }: Document): string {
  const failed = Array.isArray(challenges) ? (challenges as Document[]).find((one) => one['error']) : undefined
  return problemOf(error ?? failed?.['error']).text
}

function nameIn({ identifier }: Document, host: string): string {
  return textOf((identifier ?? {}) as Document, 'value', host)
}

function listOf(document: Document, name: string, host: string): string[] {
  const value = document[name]
  if (Array.isArray(value) && value.every((one) => typeof one === 'string')) return value
  throw authorityFailed(`the authority ${host} does not say ${name}`)
}

/** What is shown from now on must work: it replaces one that does. */
function checkIssued({ cert, key }: Issued, names: readonly string[], host: string): void {
  const certificate = certificateIn(cert, host)
  const absent = names.filter((name) => certificate.checkHost(name) === undefined)
  if (absent.length > 0) throw authorityFailed(`the certificate of ${host} is not for ${absent.join(', ')}`)
  if (!certificate.checkPrivateKey(createPrivateKey(key))) {
    throw authorityFailed(`the certificate of ${host} is not of the key that it was ordered with`)
  }
}

function certificateIn(cert: string, host: string): X509Certificate {
  try {
    return new X509Certificate(cert)
  } catch (error) {
    throw authorityFailed(`the authority ${host} gave something that is no certificate`, { cause: error })
  }
}
