/** The client by itself; the verbs' tests have it beside a served registry. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BaleError } from '#base'
import type { ApiAnswer, ApiRequest } from '#transport'
import { openRemoteAdmin } from './index.ts'

/** A connection that notes what is sent, and gives the answers of a test in their order. */
async function adminOf(...answers: Partial<ApiAnswer>[]) {
  const sent: Omit<ApiRequest, 'signal'>[] = []
  const signals: (AbortSignal | undefined)[] = []
  const admin = await openRemoteAdmin({
    name: 'registry.example',
    async send({ signal, ...request }) {
      sent.push(request)
      signals.push(signal)
      return { status: 200, mediaType: 'application/json', body: '', ...answers.shift() }
    },
  })
  return { admin, sent, signals }
}

const refusal = (status: number, problem: object): ApiAnswer => ({
  status,
  mediaType: 'application/problem+json',
  body: JSON.stringify({ status, ...problem }),
})

test('arguments become parts of the path, query and body, and results are what methods return', async () => {
  const { admin, sent } = await adminOf(
    { status: 204 },
    { body: '{"secret":"bale_x"}' },
    { body: '{"items":[]}' },
    { body: '{"id":7}' },
    { status: 204 },
  )
  await admin.users.grant('acme/web', 'acme/**', 'write')
  const grants = [{ pattern: 'acme/**', role: 'read' } as const]
  assert.equal(await admin.robots.add('acme+ci', { grants, lifetime: undefined }), 'bale_x')
  assert.deepEqual(await admin.tags.history('acme/web', 'v 1', { before: 9, limit: 5 }), [])
  assert.equal(await admin.policies.immutable('acme/*', 'v*', { except: ['v0'] }), 7)
  await admin.accessTokens.remove('ann', 'my laptop')
  assert.deepEqual(sent, [
    { method: 'PUT', path: '/api/v1/accounts/acme%2Fweb/grants/acme%2F**', body: '{"role":"write"}' },
    {
      method: 'POST',
      path: '/api/v1/robots',
      body: '{"name":"acme+ci","grants":[{"pattern":"acme/**","role":"read"}]}',
    },
    {
      method: 'GET',
      path: '/api/v1/repositories/acme%2Fweb/tags/v%201/history?before=9&limit=5',
      body: undefined,
    },
    { method: 'POST', path: '/api/v1/policies/immutable', body: '{"pattern":"acme/*","tags":"v*","except":["v0"]}' },
    { method: 'DELETE', path: '/api/v1/accounts/ann/tokens/my%20laptop', body: undefined },
  ])
})

test('pages are asked for one after another, as long as somebody wants more', async () => {
  const page = (names: string[], next?: string) => ({
    body: JSON.stringify({ items: names.map((name) => ({ name, isPublic: false })), next }),
  })
  const { admin, sent } = await adminOf(page(['a', 'b'], 'b'), page(['c'], 'c'), page([]))
  const names: string[] = []
  for await (const { name } of admin.visibility.repositories()) names.push(name)
  assert.deepEqual(names, ['a', 'b', 'c'])
  assert.deepEqual(
    sent.map(({ path }) => path),
    ['limit=1000', 'last=b&limit=1000', 'last=c&limit=1000'].map((query) => `/api/v1/repositories?${query}`),
  )
  const one = await adminOf(page(['a', 'b'], 'b'))
  for await (const _ of one.admin.visibility.repositories()) break
  assert.equal(one.sent.length, 1)
})

test('the signal of a method goes with its request, and not into it', async () => {
  const collected = { uploads: 0, tags: 0, manifests: 0, blobs: 0, bytes: 0, objects: 0 }
  const { admin, sent, signals } = await adminOf({ body: JSON.stringify(collected) })
  const { signal } = new AbortController()
  assert.deepEqual(await admin.collectGarbage({ grace: 5, signal }), collected)
  assert.deepEqual([sent[0]?.body, signals[0] === signal], ['{"grace":5}', true])
})

test('a refusal is the error that the registry met, printable, with the next steps that are known', async () => {
  const { admin } = await adminOf(
    refusal(409, {
      code: 'CONFLICT',
      detail: 'taken\u001b[2J',
      hint: 'another\u0007',
      next: { act: 'adopt-repositories' },
    }),
    refusal(404, { code: 'NOT_FOUND', detail: 'gone', next: { act: 'of-a-newer-bale' }, instance: 'request-1' }),
  )
  await assert.rejects(admin.organisations.add('acme'), (error) => {
    assert.ok(error instanceof BaleError)
    const { code, message, hint, next } = error
    const steps = { act: 'adopt-repositories' }
    assert.deepEqual(
      { code, message, hint, next },
      { code: 'CONFLICT', message: 'taken\\x1b[2J', hint: 'another\\x07', next: steps },
    )
    return true
  })
  await assert.rejects(admin.users.remove('ann'), {
    code: 'NOT_FOUND',
    next: undefined,
    details: { status: 404, request: 'request-1' },
  })
})

test('what is no registry of bale, or answers in another form, is said to be that', async () => {
  const { admin } = await adminOf(
    { status: 404, mediaType: 'text/html', body: '<html>' },
    refusal(418, { code: 'TEAPOT', detail: 'short and stout' }),
    { status: 403, body: '{"errors":[{"code":"DENIED"}]}' },
    { body: '{"items":[{"name":7}]}' },
    { body: 'not JSON' },
  )
  const failed = async (message: RegExp) =>
    await assert.rejects(admin.users.list(), { code: 'REGISTRY_FAILED', message })
  await failed(/registry\.example cannot be administered: is it a registry of bale/)
  await failed(/it answered with status 418/)
  await failed(/it answered with status 403/)
  await failed(/registry\.example answered in a form that is not known/)
  await failed(/registry\.example answered in a form that is not known/)
})

test('a name that would be another place in a path is not sent', async () => {
  const { admin, sent } = await adminOf()
  for (const name of ['', '.', '..']) {
    await assert.rejects(admin.users.remove(name), { code: 'INVALID_ARGUMENT', message: /not a name/ })
  }
  assert.deepEqual(sent, [])
})

test('a list whose method gives all at once is asked for page by page, and one page of it by its limit', async () => {
  const page = (names: string[], next?: string) => ({
    body: JSON.stringify({ items: names.map((name) => ({ name, grants: [] })), next }),
  })
  const { admin, sent } = await adminOf(
    page(['acme+a', 'acme+b'], 'acme+b'),
    page(['acme+c']),
    page(['acme+c'], 'acme+c'),
  )
  const names = async (...args: Parameters<typeof admin.robots.list>) =>
    (await admin.robots.list(...args)).map(({ name }) => name)
  assert.deepEqual(await names('acme'), ['acme+a', 'acme+b', 'acme+c'])
  assert.deepEqual(await names(undefined, { last: 'acme+b', limit: 1 }), ['acme+c'])
  assert.deepEqual(
    sent.map(({ path }) => path),
    ['owner=acme&limit=1000', 'owner=acme&last=acme%2Bb&limit=1000', 'last=acme%2Bb&limit=1'].map(
      (query) => `/api/v1/robots?${query}`,
    ),
  )
})
