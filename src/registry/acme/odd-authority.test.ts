/** Authorities that pebble cannot be: those that answer something else, or want us to wait. */
import assert from 'node:assert/strict'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { systemClock } from '#base'
import { createHttpClient, defaultHttpLimits, tlsSettings } from '#transport/http'
import { selfSigned } from '../../../test/kit/self-signed.ts'
import { newAccountKey, readAccountKey } from './account-key.ts'
import { type Authority, openAuthority } from './authority.ts'

const own = selfSigned('localhost')

interface Answer {
  status?: number
  headers?: Record<string, string>
  body?: unknown
}

/** An account at an authority that answers requests for its directory with `directory`, and all others with `other`. */
async function ask(answers: { directory?: unknown; other?: Answer }, act: (authority: Authority) => Promise<unknown>) {
  const server = createServer(own, (request, response) => {
    const at = `https://localhost:${(server.address() as AddressInfo).port}`
    const places = { newNonce: `${at}/nonce`, newAccount: `${at}/account`, newOrder: `${at}/order` }
    const {
      status = 200,
      headers = {},
      body = {},
    } = request.url === '/dir' ? { body: answers.directory ?? places } : (answers.other ?? {})
    response.writeHead(status, { 'replay-nonce': 'nonce', ...headers })
    response.end(typeof body === 'string' ? body : JSON.stringify(body))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  await using http = createHttpClient({ limits: defaultHttpLimits, tls: () => tlsSettings([], { ca: [own.cert] }) })
  try {
    const parts = {
      http,
      key: readAccountKey(newAccountKey()),
      clock: systemClock,
      signal: AbortSignal.timeout(60_000),
    }
    await act(await openAuthority(`https://localhost:${(server.address() as AddressInfo).port}/dir`, parts))
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

const failure = (message: RegExp, details = {}) => ({ code: 'CERTIFICATE_FAILED', message, ...details })
const enter = (authority: Authority) => authority.enter(undefined, undefined)

test('a web page, a directory without places, and places that are not protected are named', async () => {
  await assert.rejects(
    ask({ directory: '<html>' }, enter),
    failure(/^what answers at localhost:\d+ is no ACME authority/),
  )
  await assert.rejects(ask({ directory: {} }, enter), failure(/does not say newAccount$/))
  const plain = { newNonce: 'http://localhost/', newAccount: 'http://localhost/' }
  await assert.rejects(ask({ directory: plain }, enter), failure(/names an address that is not https$/))
})

test('what an authority says is told without what a terminal obeys, and the time that it wants us to wait is noted', async () => {
  const body = {
    type: 'urn:ietf:params:acme:error:rateLimited',
    detail: 'too \u001b[31mmany',
    subproblems: [{ detail: 'of a.example' }],
  }
  const other = { status: 429, headers: { 'retry-after': '7200' }, body }
  await assert.rejects(
    ask({ other }, enter),
    ({ code, message, details }: { code: string; message: string; details: { wait: number } }) => {
      assert.equal(code, 'CERTIFICATE_FAILED')
      assert.match(message, /refused: rateLimited: too .*many: of a\.example$/)
      assert.ok(!message.includes('\u001b'))
      assert.equal(details.wait, 7_200_000)
      return true
    },
  )
})

test('an authority that refuses every nonce is given up', async () => {
  const other = { status: 400, body: { type: 'urn:ietf:params:acme:error:badNonce' } }
  await assert.rejects(ask({ other }, enter), failure(/refused: badNonce$/))
})

test('an account without an address, and more than an authority may send, are failures', async () => {
  await assert.rejects(ask({}, enter), failure(/does not say where its answer is$/))
  await assert.rejects(ask({ other: { body: 'x'.repeat(300 * 1024) } }, enter), {
    code: /^(?:LIMIT_EXCEEDED|CERTIFICATE_FAILED)$/,
  })
})
