/** Logins by a real directory (slapd). */
import assert from 'node:assert/strict'
import { type AddressInfo, createServer } from 'node:net'
import { after, before, test } from 'node:test'
import { isBaleError } from '#base'
import { selfSigned } from '../../../test/kit/self-signed.ts'
import { DIRECTORY_ADMIN, type Slapd, startSlapd, withoutSlapd } from '../../../test/kit/slapd.ts'
import { until } from '../../../test/kit/until.ts'
import { createLdapSource, type LdapOptions } from './index.ts'
import { withDirectory } from './ldap-connection.ts'

const options = { skip: withoutSlapd() }
let slapd: Slapd

before(async () => {
  if (options.skip) return
  slapd = await startSlapd()
  for (const name of ['ann', 'bob', 'cat']) slapd.addUser(name, `word of ${name}`)
  slapd.change('add', group('admins', 'ann') + group('Web Team', 'ann', 'bob') + group('owners', 'bob'))
})
after(() => slapd?.[Symbol.asyncDispose]())

const dnOf = (name: string) => `uid=${name},ou=people,${slapd.base}`
const group = (name: string, ...members: string[]) =>
  `dn: cn=${name},ou=groups,${slapd.base}\nobjectClass: groupOfNames\ncn: ${name}\n${members.map((member) => `member: ${dnOf(member)}\n`).join('')}\n`

function source(more: Partial<LdapOptions> = {}) {
  return createLdapSource({
    ...{ url: slapd.url, startTls: false, timeout: 30_000, rememberFor: 0, bind: DIRECTORY_ADMIN },
    users: { base: slapd.base, filter: '(&(objectClass=inetOrgPerson)(uid={name}))', id: 'entryUUID' },
    groups: {
      base: `ou=groups,${slapd.base}`,
      filter: '(&(objectClass=groupOfNames)(member={dn}))',
      rules: [
        { group: `CN=admins, OU=groups, ${slapd.base}`, administrators: true },
        { group: 'web team', member: { name: 'acme/web', role: 'member' } },
        { group: 'owners', member: { name: 'acme', role: 'owner' } },
        { group: 'nobody is in it', member: { name: 'umbrella', role: 'member' } },
      ],
    },
    ...more,
  })
}

const unavailable = (message: RegExp) => (error: unknown) =>
  isBaleError(error, 'UNAVAILABLE') && message.test(error.message)

test('a right password tells who somebody is, and what their groups mean', options, async () => {
  const ldap = source()
  assert.deepEqual(ldap.ruled, ['acme', 'acme/web', 'umbrella'])
  const ann = await ldap.verify('ann', 'word of ann')
  assert.ok(ann !== 'refused')
  assert.match(ann.subject!, /^[\w-]{20,}$/)
  assert.equal(ann.admin, true)
  assert.deepEqual(ann.groups, [
    { name: 'acme', role: 'member' },
    { name: 'acme/web', role: 'member' },
  ])
  const bob = await ldap.verify('bob', 'word of bob')
  assert.ok(bob !== 'refused')
  assert.deepEqual(
    [bob.admin, bob.groups],
    [
      false,
      [
        { name: 'acme', role: 'owner' },
        { name: 'acme/web', role: 'member' },
      ],
    ],
  )
  assert.deepEqual(await ldap.find('bob'), bob)
  assert.notEqual(bob.subject, ann.subject)
})

test(
  'what tells somebody from a later owner of the name must be there, in whatever case it is written',
  options,
  async () => {
    const users = { base: slapd.base, filter: '(uid={name})' }
    const subjectBy = async (id: string) => {
      const found = await source({ users: { ...users, id } }).find('ann')
      return found === 'absent' ? found : found.subject
    }
    assert.equal(await subjectBy('ENTRYuuid'), await subjectBy('entryUUID'))
    await assert.rejects(subjectBy('objectGUID'), unavailable(/shows no objectGUID of uid=ann/))
    const without = await source({ users }).find('ann')
    assert.ok(without !== 'absent' && without.subject === undefined)
  },
)

test('a wrong password, an unknown name and a name of another kind of entry are refused', options, async () => {
  const ldap = source()
  assert.equal(await ldap.verify('ann', 'word of bob'), 'refused')
  assert.equal(await ldap.verify('nobody', 'word of ann'), 'refused')
  assert.equal(await ldap.find('nobody'), 'absent')
  slapd.change(
    'add',
    `dn: uid=device,${slapd.base}\nobjectClass: account\nobjectClass: simpleSecurityObject\nuid: device\nuserPassword: word\n`,
  )
  assert.equal(await ldap.verify('device', 'word'), 'refused', 'it is not what the filter wants')
})

test('A12: a name is a value in the filter, whatever is in it', options, async () => {
  const ldap = source()
  for (const name of ['*', 'a*', 'ann)(uid=*', '*)(|(uid=ann', '\\61nn', 'ann\0']) {
    assert.equal(await ldap.verify(name, 'word of ann'), 'refused', name)
    assert.equal(await ldap.find(name), 'absent', name)
  }
})

test('a name that means several entries is nobody’s, and is told', options, async () => {
  slapd.change('add', `dn: ou=old,${slapd.base}\nobjectClass: organizationalUnit\n`)
  slapd.change(
    'add',
    `dn: uid=cat,ou=old,${slapd.base}\nobjectClass: inetOrgPerson\nuid: cat\ncn: cat\nsn: cat\nuserPassword: other\n`,
  )
  await assert.rejects(source().verify('cat', 'word of cat'), unavailable(/several entries for cat/))
  slapd.change('delete', `uid=cat,ou=old,${slapd.base}\n`)
  assert.notEqual(await source().verify('cat', 'word of cat'), 'refused')
})

test('LDAPS and StartTLS check whose certificate it is; nothing is sent to another one', options, async () => {
  const { ca, secureUrl, url } = slapd
  for (const server of [
    { url: secureUrl, startTls: false },
    { url, startTls: true },
  ]) {
    assert.notEqual(await source({ ...server, ca }).verify('ann', 'word of ann'), 'refused', server.url)
    const stranger = selfSigned('localhost').cert
    await assert.rejects(source({ ...server, ca: stranger }).find('ann'), unavailable(/self-signed|certificate/))
    const byAddress = server.url.replace('localhost', '127.0.0.1')
    await assert.rejects(source({ ...server, url: byAddress, ca }).find('ann'), unavailable(/127\.0\.0\.1/))
  }
  await assert.rejects(source({ url: secureUrl }).find('ann'), unavailable(/self-signed|certificate/))
})

/** Success of a bind, whose message begins with its number. Source: RFC 4511. */
const success = (request: Buffer) =>
  Buffer.from([0x30, 0x0c, 0x02, 0x01, request[4]!, 0x61, 0x07, 0x0a, 0x01, 0x00, 0x04, 0x00, 0x04, 0x00])

test('a connection that ended is not made again, without TLS: the password stays here', async () => {
  const seen: string[] = []
  const server = createServer((socket) => {
    socket.once('data', (bytes) => {
      seen.push(bytes.toString('latin1'))
      socket.end(success(bytes))
    })
    socket.on('error', () => undefined)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `ldap://127.0.0.1:${(server.address() as AddressInfo).port}`
  try {
    const twice = withDirectory({ url, startTls: false, timeout: 30_000 }, async (client) => {
      await client.bind('cn=bale', 'own')
      await until('the client knows that it ended', () => !client.isConnected)
      await client.bind('uid=ann', 'word of ann')
    })
    await assert.rejects(twice, unavailable(/the connection was closed/))
    await assert.rejects(source({ url, startTls: true }).verify('ann', 'word of ann'), unavailable(/cannot be asked/))
  } finally {
    server.close()
  }
  assert.equal(seen.length, 2, 'one connection each')
  assert.doesNotMatch(seen.join(), /word of/)
})

test('a directory that is away, hangs or does not know the registry is unavailable, in time', options, async () => {
  await assert.rejects(
    source({ bind: { ...DIRECTORY_ADMIN, password: 'wrong' } }).verify('ann', 'word of ann'),
    unavailable(/does not let the registry in as cn=admin/),
  )
  const wrongBase = { base: 'dc=elsewhere', filter: '(uid={name})' }
  await assert.rejects(source({ users: wrongBase }).verify('ann', 'word of ann'), unavailable(/cannot be asked/))
  slapd.pause()
  try {
    const began = performance.now()
    await assert.rejects(
      source({ timeout: 300 }).verify('ann', 'word of ann'),
      unavailable(/no answer in 300 ms|timeout/i),
    )
    const secure = source({ timeout: 300, url: slapd.secureUrl, ca: slapd.ca })
    await assert.rejects(secure.verify('ann', 'word of ann'), unavailable(/no answer in 300 ms/))
    assert.ok(performance.now() - began < 5000)
  } finally {
    slapd.resume()
  }
  await slapd.stop()
  try {
    await assert.rejects(source().verify('ann', 'word of ann'), unavailable(/ECONNREFUSED/))
  } finally {
    await slapd.start()
  }
  assert.notEqual(await source().verify('ann', 'word of ann'), 'refused')
})
