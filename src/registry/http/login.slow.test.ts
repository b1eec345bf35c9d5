/** People log in with their browsers: at a provider, and by passwords. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ProviderOptions, ServeOptions } from '#registry'
import { createBrowser } from '../../../test/kit/browser.ts'
import { freePort } from '../../../test/kit/free-port.ts'
import { type ProviderSettings, startProvider, type TestProvider } from '../../../test/kit/provider.ts'
import { startRegistry } from '../../../test/kit/registry-client.ts'

const DAY = 24 * 3_600_000

const optionsFor = (provider: TestProvider, more: Partial<ProviderOptions> = {}): ProviderOptions => ({
  ...{ issuer: provider.url, clientId: provider.clientId, clientSecret: provider.clientSecret },
  ...{ scopes: ['openid', 'profile', 'groups'], nameClaim: 'preferred_username', groupsClaim: 'groups', rules: [] },
  ...{ title: 'Example login', validFor: 30 * DAY },
  ...more,
})

/** A registry whose people are known to a provider. */
async function started(
  settings: Partial<ProviderSettings> = {},
  {
    provider: more,
    ...options
  }: Partial<Omit<ServeOptions, 'provider'>> & { provider?: Partial<ProviderOptions> } = {},
) {
  await using opened = new AsyncDisposableStack()
  const port = await freePort()
  const provider = opened.use(
    await startProvider({ redirects: [`http://127.0.0.1:${port}/login/callback`], ...settings }),
  )
  const reports: string[] = []
  const registry = opened.use(
    await startRegistry({
      ...{ anonymous: 'none', port, provider: optionsFor(provider, more) },
      report: (failure) => reports.push(failure.message),
      ...options,
    }),
  )
  const parts = opened.move()
  return {
    ...{ provider, registry, reports, url: `http://127.0.0.1:${port}` },
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  }
}

for (const [title, settings] of [
  ['whose names are asked for', {}],
  ['that puts names into its tokens', { inToken: true }],
  ['of which the registry is a public client', { isPublic: true }],
] as const) {
  test(`somebody logs in at a provider ${title}, and is a user from then on`, async () => {
    await using place = await started(settings)
    const { provider, registry, url } = place
    provider.people.set('s-1', { preferred_username: 'ann' })
    provider.person = 's-1'
    const browser = createBrowser()
    const page = await browser.open(`${url}/login`)
    assert.deepEqual([page.status, provider.failures], [200, []], page.text)
    assert.match(page.text, /You are logged in as <strong>ann<\/strong>/)
    const [user] = await registry.registry.users.list()
    assert.deepEqual([user?.name, user?.origin, user?.admin], ['ann', provider.url, false])
    assert.equal(browser.cookies.has('bale-login'), false)
  })
}
