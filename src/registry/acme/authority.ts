import type { Clock } from '#base'
import type { HttpAnswer, HttpClient } from '#transport/http'
import type { AccountKey, ExternalAccount } from './account-key.ts'
import { asAuthorityFailure, authorityFailed, documentOf, type Problem, problemIn } from './problem.ts'

/** An authority that speaks ACME (RFC 8555), asked by one account. */
export interface Authority {
  /** `acme.example:443`, for messages. */
  host: string
  /** Takes or makes the account of the key. Everything else needs it. */
  enter(contact: string | undefined, external: ExternalAccount | undefined): Promise<void>
  order(names: readonly string[]): Promise<{ url: string; document: Document }>
  /** Asks for a resource; with a payload, changes it. */
  ask(url: string, payload?: object): Promise<Asked>
  /** A resource that is no JSON. */
  text(url: string): Promise<string>
}

export type Document = Record<string, unknown>

interface Asked {
  document: Document
  retryAfter: string | undefined
}

interface AuthorityParts {
  http: HttpClient
  key: AccountKey
  clock: Clock
  signal: AbortSignal
}

/** Far more than the certificate of a hundred names and those above it. */
const LONGEST_CHAIN = 512 * 1024
/** A nonce is refused when it is old; the answer that says so brings a new one. */
const NONCES = 8

/** Reads the directory of an authority. CERTIFICATE_FAILED, here and later, when it does not do what it is asked. */
export async function openAuthority(directory: string, parts: AuthorityParts): Promise<Authority> {
  const { http, key, clock, signal } = parts
  const { host } = new URL(directory)
  const send = async (method: 'GET' | 'HEAD' | 'POST', url: string, body?: string): Promise<HttpAnswer> => {
    const headers = body === undefined ? undefined : { 'content-type': 'application/jose+json' }
    try {
      return await http.send({
        method,
        url: addressOf(url, host),
        headers,
        body: body === undefined ? undefined : async () => body,
        signal,
      })
    } catch (error) {
      throw asAuthorityFailure(error, host)
    }
  }
  const places = await documentOf(await send('GET', directory))
  const placeOf = (name: string) => textOf(places, name, host)
  let [nonce, account]: [string?, string?] = []

  const freshNonce = async (): Promise<string> => {
    const answer = await send('HEAD', placeOf('newNonce'))
    await answer.discard()
    const fresh = answer.headers['replay-nonce']
    if (fresh === undefined) throw authorityFailed(`the authority ${host} gives no nonce`)
    return fresh
  }
  /** An answer that is no failure. */
  const post = async (url: string, payload?: object): Promise<HttpAnswer> => {
    for (let left = NONCES; ; left--) {
      const used = nonce ?? (await freshNonce())
      nonce = undefined
      const answer = await send('POST', url, key.sign(payload, { url, nonce: used, account }))
      nonce = answer.headers['replay-nonce']
      if (answer.status < 400) return answer
      const problem = await problemIn(answer, clock.now())
      if (problem.type !== 'badNonce' || left === 0) throw refused(host, problem)
    }
  }
  return {
    host,
    async enter(contact, external) {
      const contacts = contact === undefined ? [] : [`mailto:${contact}`]
      if (!external && (places['meta'] as Document | undefined)?.['externalAccountRequired'] === true) {
        throw authorityFailed(
          `the authority ${host} makes certificates for its customers only: set external-account, the key ID and HMAC key of an account there`,
        )
      }
      const place = placeOf('newAccount')
      const answer = await post(place, {
        termsOfServiceAgreed: true,
        contact: contacts,
        ...(external && { externalAccountBinding: key.bind(external, place) }),
      })
      const document = await documentOf(answer)
      account = locationOf(answer, host)
      const known = JSON.stringify(document['contact'] ?? [])
      // An account that was there keeps its contacts.
      if (answer.status === 200 && known !== JSON.stringify(contacts)) {
        await (await post(account, { contact: contacts })).discard()
      }
    },
    async order(names) {
      const identifiers = names.map((value) => ({ type: 'dns', value }))
      const answer = await post(placeOf('newOrder'), { identifiers })
      return { url: locationOf(answer, host), document: await documentOf(answer) }
    },
    async ask(url, payload) {
      const answer = await post(url, payload)
      return { document: await documentOf(answer), retryAfter: answer.headers['retry-after'] }
    },
    async text(url) {
      return (await (await post(url)).document(LONGEST_CHAIN, 'a certificate')).toString()
    },
  }
}

function refused(host: string, { text, wait }: Problem) {
  return authorityFailed(`the authority ${host} refused: ${text}`, { wait })
}

/** The text of a key that an authority must give. */
export function textOf(document: Document, name: string, host: string): string {
  const value = document[name]
  if (typeof value === 'string') return value
  throw authorityFailed(`the authority ${host} does not say ${name}`)
}

/** What it answers leads nowhere that is not protected. */
function addressOf(text: string, host: string): URL {
  const url = URL.parse(text)
  if (url?.protocol === 'https:') return url
  throw authorityFailed(`the authority ${host} names an address that is not https`)
}

function locationOf({ headers, url }: HttpAnswer, host: string): string {
  const location = headers['location']
  if (location === undefined) throw authorityFailed(`the authority ${host} does not say where its answer is`)
  return new URL(location, url).href
}
