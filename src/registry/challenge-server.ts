import { serveSmall } from './small-server.ts'

/** Authorities ask from several places at once. */
const MOST_CONNECTIONS = 256
/** Source: RFC 8555 section 8.3. */
const QUESTION = /^\/\.well-known\/acme-challenge\/([A-Za-z0-9_-]{1,256})$/

/** Serves what authorities ask for by http-01, and nothing else. Disposing ends all connections. */
export async function serveChallenges(
  address: { host: string; port: number },
  answer: (token: string) => Promise<string | undefined>,
): Promise<AsyncDisposable> {
  return await serveSmall(
    address,
    async ({ method, url = '' }, response) => {
      const token = method === 'GET' ? QUESTION.exec(url)?.[1] : undefined
      const text = token && (await answer(token))
      if (!text) return void response.writeHead(404).end('nothing but challenges of an ACME authority is here\n')
      response.writeHead(200, { 'Content-Type': 'application/octet-stream' }).end(text)
    },
    { connections: MOST_CONNECTIONS },
  )
}
