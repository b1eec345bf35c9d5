/** Who logs in, as a configuration file says it. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { openConfiguredAdmin, readConfiguration, serveConfigured } from '#registry'
import { createBrowser } from '../../../test/kit/browser.ts'
import { freePort } from '../../../test/kit/free-port.ts'
import { startIssuer } from '../../../test/kit/issuer.ts'
import { startProvider } from '../../../test/kit/provider.ts'
import { clientOf } from '../../../test/kit/registry-client.ts'
import { DIRECTORY_ADMIN, startSlapd, withoutSlapd } from '../../../test/kit/slapd.ts'
import { temporaryDirectory } from '../../../test/kit/temporary.ts'

test('people of a directory, jobs of a CI service and refresh tokens, as registry.yaml says', {
  skip: withoutSlapd(),
}, async () => {
  await using place = await temporaryDirectory('bale-login')
  await using slapd = await startSlapd()
  await using issuer = await startIssuer()
  const file = (name: string, text: string) => writeFileSync(join(place.path, name), text, { mode: 0o600 })
  slapd.addUser('ann', 'right')
  slapd.change(
    'add',
    `dn: cn=admins,ou=groups,${slapd.base}\nobjectClass: groupOfNames\ncn: admins\nmember: uid=ann,ou=people,${slapd.base}`,
  )
  file('ca.pem', slapd.ca)
  file('password', `${DIRECTORY_ADMIN.password}\n`)
  file(
    'registry.yaml',
    `listen: { address: '127.0.0.1:0' }
directory: data
login:
  refresh-tokens: { unused-for: 0s }
  ldap:
    url: ${slapd.secureUrl}
    ca-file: ca.pem
    bind-dn: ${DIRECTORY_ADMIN.dn}
    password-file: password
    users: { base: 'ou=people,${slapd.base}' }
    groups: { base: 'ou=groups,${slapd.base}', rules: [{ group: admins, administrators: true }] }
  workloads:
    - { issuer: '${issuer.url}', audience: me, when: { sub: 'job:*' }, as: acme+ci, ca-file: ca.pem }
`,
  )
  const configuration = await readConfiguration(join(place.path, 'registry.yaml'))
  await using served = await serveConfigured(configuration, { environment: {} })
  await using admin = await openConfiguredAdmin(configuration, { environment: {} })
  const { organisations, robots } = admin
  await organisations.add('acme')
  await robots.add('acme+ci', { grants: [{ pattern: 'acme/**', role: 'write' }] })
  const { request, image } = clientOf(served.address)
  const login = `oidc:${await issuer.mint({ aud: 'me', sub: 'job:7' })}`
  assert.equal((await image('acme/web', 'one', { tag: '1', login })).answer.status, 201)
  const asAdmin = await image('other/web', 'two', { tag: '1', login: 'ann:right' })
  assert.equal(asAdmin.answer.status, 201)
  const token = await request('GET', '/token?offline_token=true', { login: 'ann:right' })
  assert.equal(token.json<{ refresh_token?: string }>().refresh_token, undefined)
  const other = `oidc:${await issuer.mint({ aud: 'me', sub: 'other:7' })}`
  assert.equal((await request('GET', '/v2/', { login: other })).status, 401)
})

for (const workers of [1, 2]) {
  test(`people of a provider and a bootstrap token, as registry.yaml says, by ${workers} processes`, async () => {
    await using place = await temporaryDirectory('bale-login')
    const port = await freePort()
    await using provider = await startProvider({ redirects: [`http://127.0.0.1:${port}/login/callback`] })
    provider.people.set('s-1', { preferred_username: 'ann', groups: ['admins'] })
    provider.person = 's-1'
    const file = (name: string, text: string) => writeFileSync(join(place.path, name), text, { mode: 0o600 })
    const token = 'b'.repeat(32)
    file('client-secret', `${provider.clientSecret}\n`)
    file(
      'registry.yaml',
      `listen: { address: '127.0.0.1:${port}', workers: ${workers} }
directory: data
login:
  bootstrap-token-env: FIRST
  oidc:
    issuer: ${provider.url}
    client-id: ${provider.clientId}
    client-secret-file: client-secret
    scopes: [profile, groups]
    groups-claim: groups
    groups: { rules: [{ group: admins, administrators: true }] }
`,
    )
    const configuration = await readConfiguration(join(place.path, 'registry.yaml'))
    await using served = await serveConfigured(configuration, { environment: { FIRST: token } })
    const { request } = clientOf(served.address)
    const body = new URLSearchParams({ token, name: 'root', password: 'password-of-root' }).toString()
    const first = await request('POST', '/login/bootstrap', { body })
    assert.equal(first.status, 201, first.body.toString())
    const page = await createBrowser().open(`${served.url}/login`)
    assert.match(page.text, /logged in as <strong>ann</)
    await using admin = await openConfiguredAdmin(configuration, { environment: { FIRST: token } })
    assert.deepEqual(
      (await admin.users.list()).map(({ name, admin: everything }) => [name, everything]),
      [
        ['ann', true],
        ['root', true],
      ],
    )
  })
}

test('a bootstrap token that could be guessed is refused', async () => {
  await using place = await temporaryDirectory('bale-login')
  const path = join(place.path, 'registry.yaml')
  writeFileSync(path, `listen: { address: '127.0.0.1:0' }\ndirectory: data\nlogin: { bootstrap-token-env: FIRST }\n`)
  const served = serveConfigured(await readConfiguration(path), { environment: { FIRST: 'b'.repeat(31) } })
  await assert.rejects(served, /FIRST does not hold a token of 32 to 512 characters/)
})
