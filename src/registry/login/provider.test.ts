/** What a registry takes of a provider, and what it does not: an issuer that says what a test wants. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BaleError, systemClock } from '#base'
import { type IssuerKey, issuerKey, startIssuer, type TestIssuer } from '../../../test/kit/issuer.ts'
import { createProvider, type ProviderOptions } from './provider.ts'

const REQUEST = {
  state: 's',
  nonce: 'n-1',
  verifier: 'v'.repeat(43),
  redirectUri: 'https://registry.example/login/callback',
}
const DISCOVERY = '/.well-known/openid-configuration'

interface Place {
  issuer: TestIssuer
  /** What it says of itself besides what it has to. */
  describe(more?: object): void
  /** What it answers for a code. */
  give(status: number, body: object): void
  identify(issuer?: string): Promise<{ name: string; subject: string; admin?: boolean; groups: readonly object[] }>
}

async function withProvider(options: Partial<ProviderOptions>, use: (place: Place) => Promise<void>): Promise<void> {
  await using issuer = await startIssuer()
  const { url } = issuer
  const describe = (more: object = {}) => {
    const known = {
      issuer: url,
      jwks_uri: `${url}/jwks`,
      authorization_endpoint: `${url}/auth`,
      token_endpoint: `${url}/token`,
    }
    issuer.answers.set(DISCOVERY, { status: 200, body: JSON.stringify({ ...known, ...more }) })
  }
  describe()
  await using provider = createProvider(
    {
      ...{
        issuer: url,
        clientId: 'registry',
        scopes: ['openid'],
        nameClaim: 'name',
        rules: [],
        title: 'x',
        validFor: 1,
      },
      ...options,
    },
    systemClock,
  )
  await use({
    issuer,
    describe,
    give: (status, body) => void issuer.answers.set('/token', { status, body: JSON.stringify(body) }),
    identify: (said) => provider.identify(REQUEST, { code: 'c', issuer: said }),
  })
}

const CLAIMS = { aud: 'registry', sub: 's-1', nonce: REQUEST.nonce, name: 'ann' }

const fails = (code: string, words: RegExp) => (error: unknown) =>
  error instanceof BaleError && error.code === code && words.test(error.message)

test('a token that is for this registry and this login says who it is', async () => {
  await withProvider({}, async ({ issuer, give, identify }) => {
    give(200, { id_token: await issuer.mint(CLAIMS) })
    assert.deepEqual(await identify(), { name: 'ann', subject: 's-1', groups: [] })
    give(200, { id_token: await issuer.mint({ ...CLAIMS, aud: ['registry', 'other'], azp: 'registry' }) })
    assert.equal((await identify()).name, 'ann')
  })
})

test('A05: a token that is for another login, registry or time, or from somebody else, is not taken', async () => {
  const stranger = await issuerKey('one')
  const seconds = Math.floor(Date.now() / 1000)
  const cases: [string, object, { key?: IssuerKey; header?: Record<string, unknown> }?][] = [
    ['another nonce', { nonce: 'n-2' }],
    ['no nonce', { nonce: undefined }],
    ['another audience', { aud: 'other' }],
    ['no audience', { aud: undefined }],
    ['several audiences without azp', { aud: ['registry', 'other'] }],
    ['another authorised party', { aud: ['registry', 'other'], azp: 'other' }],
    ['another authorised party, alone', { azp: 'other' }],
    ['another issuer', { iss: 'https://evil.example' }],
    ['its time is over', { exp: seconds - 60 }],
    ['no end', { exp: undefined }],
    ['not yet', { nbf: seconds + 600 }],
    ['no time of issue', { iat: undefined }],
    ['no subject', { sub: undefined }],
    ['an empty subject', { sub: '' }],
    ['another key', {}, { key: stranger }],
  ]
  await withProvider({}, async ({ issuer, give, identify }) => {
    for (const [title, claims, how] of cases) {
      give(200, { id_token: await issuer.mint({ ...CLAIMS, ...claims }, how) })
      await assert.rejects(identify(), fails('DENIED', /not for this login/), title)
    }
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const unsigned = `${part({ alg: 'none' })}.${part({ ...CLAIMS, iss: issuer.url, iat: seconds, exp: seconds + 60 })}.`
    for (const token of [unsigned, 'x.y.z', '', 7, undefined]) {
      give(200, { id_token: token })
      await assert.rejects(identify(), fails('DENIED', /not for this login/), String(token))
    }
  })
})

test('A05: an answer of another provider is not taken, nor one without a name where names are announced', async () => {
  await withProvider({}, async ({ issuer, give, identify }) => {
    give(200, { id_token: await issuer.mint(CLAIMS) })
    await assert.rejects(identify('https://evil.example'), fails('DENIED', /not from/))
    assert.equal((await identify(issuer.url)).name, 'ann')
  })
  await withProvider({}, async ({ issuer, describe, give, identify }) => {
    describe({ authorization_response_iss_parameter_supported: true })
    give(200, { id_token: await issuer.mint(CLAIMS) })
    await assert.rejects(identify(undefined), fails('DENIED', /not from/))
    assert.equal((await identify(issuer.url)).name, 'ann')
  })
})

test('what is not in the token is asked for, about the same person', async () => {
  const rules = [{ group: 'admins', administrators: true }]
  await withProvider({ groupsClaim: 'groups', rules }, async ({ issuer, describe, give, identify }) => {
    describe({ userinfo_endpoint: `${issuer.url}/me` })
    give(200, { id_token: await issuer.mint({ ...CLAIMS, name: undefined }), access_token: 'a' })
    const answer = (body: object) => issuer.answers.set('/me', { status: 200, body: JSON.stringify(body) })
    answer({ sub: 's-1', name: 'ann', groups: ['admins', 7, null] })
    assert.deepEqual(await identify(), { name: 'ann', subject: 's-1', admin: true, groups: [] })
    answer({ sub: 's-1', name: 'ann', groups: 'admins' })
    assert.equal((await identify()).admin, true)
    answer({ sub: 's-2', name: 'eve' })
    await assert.rejects(identify(), fails('DENIED', /somebody else/))
    issuer.answers.set('/me', { status: 500, body: '' })
    await assert.rejects(identify(), fails('UNAVAILABLE', /does not answer as it should/))
    // What is signed counts more than what is not.
    give(200, { id_token: await issuer.mint(CLAIMS), access_token: 'a' })
    answer({ sub: 's-1', name: 'eve', groups: ['admins'] })
    assert.deepEqual(await identify(), { name: 'ann', subject: 's-1', admin: true, groups: [] })
  })
})

test('a code that is not good is the browser’s affair, all else is the operator’s', async () => {
  await withProvider({}, async ({ issuer, give, identify }) => {
    give(400, { error: 'invalid_grant' })
    await assert.rejects(identify(), fails('DENIED', /does not take the code/))
    give(401, { error: 'invalid_client' })
    await assert.rejects(identify(), fails('UNAVAILABLE', /no token: "invalid_client"/))
    give(503, {})
    await assert.rejects(identify(), fails('UNAVAILABLE', /status 503/))
    issuer.answers.set('/token', { status: 200, body: '<html>' })
    await assert.rejects(identify(), fails('UNAVAILABLE', /does not answer as it should/))
    issuer.answers.set('/token', { status: 200, body: `"${'x'.repeat(300_000)}"` })
    await assert.rejects(identify(), fails('UNAVAILABLE', /does not answer as it should/))
  })
})

test('end points that are not protected are not spoken to', async () => {
  for (const token_endpoint of ['ftp://127.0.0.1/token', 'javascript:1', undefined, 7]) {
    await withProvider({}, async ({ describe, identify }) => {
      describe({ token_endpoint })
      await assert.rejects(identify(), fails('UNAVAILABLE', /names no token_endpoint/))
    })
  }
})
