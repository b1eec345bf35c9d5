/** An issuer of tokens, as a CI service has one: discovery, keys, and whatever tokens a test wants of it. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose'

type KeyPair = Awaited<ReturnType<typeof generateKeyPair>>

export interface IssuerKey extends KeyPair {
  id: string
  alg: string
}

export interface TestIssuer extends AsyncDisposable {
  /** `http://127.0.0.1:port` */
  readonly url: string
  /** What it was asked for so far. */
  readonly requests: string[]
  /** What it says instead of the truth, by path. */
  readonly answers: Map<string, { status: number; body: string }>
  /** Its keys, the first of which signs. */
  keys: IssuerKey[]
  /** A token of a job, good for ten minutes from `now`; a claim that is undefined is left out. */
  mint(
    claims: JWTPayload,
    options?: { key?: IssuerKey; header?: Record<string, unknown>; now?: number },
  ): Promise<string>
}

export async function issuerKey(id: string, alg = 'ES256'): Promise<IssuerKey> {
  return { id, alg, ...(await generateKeyPair(alg, { extractable: true })) }
}

export async function startIssuer(): Promise<TestIssuer> {
  const state = { keys: [await issuerKey('one')] }
  const requests: string[] = []
  const answers: TestIssuer['answers'] = new Map()
  let url = ''
  const documents: Record<string, () => Promise<unknown>> = {
    '/.well-known/openid-configuration': async () => ({ issuer: url, jwks_uri: `${url}/jwks` }),
    '/jwks': async () => ({ keys: await Promise.all(state.keys.map(publicJwk)) }),
  }
  const server = createServer((request, response) => {
    const path = request.url ?? ''
    requests.push(path)
    const answer = async () => {
      const said = answers.get(path)
      if (said) return void response.writeHead(said.status).end(said.body)
      const document = await documents[path]?.()
      response.writeHead(document ? 200 : 404, { 'Content-Type': 'application/json' }).end(JSON.stringify(document))
    }
    void answer()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url,
    requests,
    answers,
    get keys() {
      return state.keys
    },
    set keys(keys) {
      state.keys = keys
    },
    async mint(claims, { key = state.keys[0]!, header = {}, now = Date.now() } = {}) {
      const seconds = Math.floor(now / 1000)
      const payload = { iss: url, iat: seconds, nbf: seconds, exp: seconds + 600, ...claims }
      return await new SignJWT(payload)
        .setProtectedHeader({ alg: key.alg, kid: key.id, typ: 'JWT', ...header })
        .sign(key.privateKey)
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function publicJwk({ publicKey, id, alg }: IssuerKey): Promise<JWK> {
  return { ...(await exportJWK(publicKey)), kid: id, alg, use: 'sig' }
}
