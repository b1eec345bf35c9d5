/** Logins at several replicas that share a database: each goes on with what another one began. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { test } from 'node:test'
import { createFileObjects, listenWith, openPostgresMeta, openRegistry } from '#registry'
import { createBrowser } from '../../../test/kit/browser.ts'
import { freePort } from '../../../test/kit/free-port.ts'
import { startPostgres, withoutPostgres } from '../../../test/kit/postgres.ts'
import { optionsFor, startProvider } from '../../../test/kit/provider.ts'
import { clientOf } from '../../../test/kit/registry-client.ts'
import { temporaryDirectory } from '../../../test/kit/temporary.ts'

test('a login that begins at one replica ends at another, and its session and programs are known to all', {
  skip: withoutPostgres(),
}, async () => {
  await using postgres = await startPostgres()
  await using place = await temporaryDirectory('bale-login-replicas')
  const [url, secret] = [await postgres.database(), randomBytes(32)]
  const ports = [await freePort(), await freePort()] as const
  const externalUrl = `http://127.0.0.1:${ports[0]}`
  await using provider = await startProvider({ redirects: [`${externalUrl}/login/callback`] })
  provider.people.set('s-1', { preferred_username: 'ann' })
  provider.person = 's-1'
  await using served = new AsyncDisposableStack()
  const replica = async (port: number) => {
    const objects = createFileObjects(join(place.path, 'objects'))
    const parts = { meta: await openPostgresMeta({ url }), objects, secret, shared: true }
    const registry = await openRegistry(parts, { provider: optionsFor(provider), externalUrl })
    return served.use(await listenWith(registry, { port }))
  }
  const [one, other] = [await replica(ports[0]), await replica(ports[1])]
  const browser = createBrowser()
  const back = await browser.open(`${one.url}/login`, { until: `${externalUrl}/login/callback` })
  const before = new Map(browser.cookies)
  const elsewhere = new URL(`${back.url.pathname}${back.url.search}`, other.url)
  assert.match((await browser.open(elsewhere)).text, /<strong>ann<\/strong>/)
  const session = browser.cookies.get('bale-session')!
  for (const { url: at } of [one, other]) {
    assert.match((await browser.open(`${at}/login`)).text, /<strong>ann<\/strong>/)
    // It counts once at all of them together.
    const again = createBrowser()
    for (const [name, value] of before) again.cookies.set(name, value)
    const replayed = await again.open(new URL(`${back.url.pathname}${back.url.search}`, at))
    assert.equal(replayed.status, 403)
    assert.match(replayed.text, /has ended already/)
  }

  const [atOne, atOther] = [clientOf(one.address), clientOf(other.address)]
  const form = (fields: Record<string, string>) => new URLSearchParams(fields).toString()
  const begun = await atOne.request('POST', '/login/device/code', { body: form({ client_id: 'tool' }) })
  const { device_code: code, user_code: typed } = begun.json<{ device_code: string; user_code: string }>()
  await browser.open(`${other.url}/login/device?user_code=${typed}`)
  await browser.submit({ form: 'value="allow"' })
  const body = form({ grant_type: 'urn:ietf:params:oauth:grant-type:device_code', device_code: code })
  const polls = [atOne, atOther, atOne, atOther].map(({ request }) => request('POST', '/login/device/token', { body }))
  const accounts = (await Promise.all(polls)).map((answer) => answer.json()['account'])
  assert.deepEqual(
    accounts.filter((account) => account !== undefined),
    ['ann'],
  )

  await other.registry.users.logOut('ann')
  browser.cookies.set('bale-session', session)
  assert.doesNotMatch((await browser.open(`${one.url}/login?by=password`)).text, /logged in/)
})
