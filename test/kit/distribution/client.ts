import { type Answer, createExchange, type Sending } from './exchange.ts'
import { authorizationOf, type Login } from './login.ts'

export interface ClientOptions {
  /** `http://127.0.0.1:5000` */
  url: string
  login: Login
  /** PEM text: who signed the registry's certificate. */
  ca?: string
}

/** A client of any distribution registry, for checks: it sends exactly what is asked and hides nothing of the answer. */
export interface DistributionClient {
  /**
   * `target` is a path or the URL that an answer gave. Redirects are followed, challenges for a token are met, and
   * credentials go to the registry's origin alone.
   */
  request(method: string, target: string | URL, sending?: Sending): Promise<Answer>
}

const REDIRECTS = 5

/** The first challenge of a mount may ask for the right to push, and only the second for that to read the source. */
const CHALLENGES = 2

export function distributionClient({ url, login, ca }: ClientOptions): DistributionClient {
  const base = new URL(url)
  const exchange = createExchange(ca)
  const authorization = authorizationOf(login, exchange)

  async function send(method: string, target: URL, sending: Sending): Promise<Answer> {
    if (target.origin !== base.origin) return await exchange(method, target, sending)
    const purpose = `${method} ${repositoryIn(target)}`
    const attempt = () => exchange(method, target, withHeader(sending, authorization.header(purpose)))
    let answer = await attempt()
    for (let left = CHALLENGES; left > 0 && answer.status === 401; left--) {
      if (!(await authorization.satisfy(purpose, answer))) break
      answer = await attempt()
    }
    return answer
  }

  return {
    async request(method, target, sending = {}) {
      let answer = await send(method, new URL(target, base), sending)
      for (let left = REDIRECTS; left > 0 && isRedirect(method, answer); left--) {
        answer = await send(method, new URL(answer.headers.location ?? '', answer.url), sending)
      }
      return answer
    },
  }
}

/** Undefined for what belongs to no repository: the ping. */
function repositoryIn({ pathname }: URL): string | undefined {
  return /^\/v2\/(.+?)\/(?:blobs|manifests|tags|referrers)\//.exec(pathname)?.[1]
}

function withHeader(sending: Sending, Authorization: string | undefined): Sending {
  return Authorization === undefined ? sending : { ...sending, headers: { ...sending.headers, Authorization } }
}

/** Only 307 and 308 keep method and body. */
function isRedirect(method: string, { status }: Answer): boolean {
  const isRead = method === 'GET' || method === 'HEAD'
  return status === 307 || status === 308 || (isRead && (status === 301 || status === 302))
}
