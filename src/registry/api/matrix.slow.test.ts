/** Who may do what over HTTP: every operation with every kind of caller, on both databases. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { test } from 'node:test'
import {
  createFileObjects,
  listenWith,
  openPostgresMeta,
  openRegistry,
  openSqliteMeta,
  type Registry,
  type ServedRegistry,
} from '#registry'
import { startPostgres, withoutPostgres } from '../../../test/kit/postgres.ts'
import { clientOf, type Sending } from '../../../test/kit/registry-client.ts'
import { temporaryDirectory } from '../../../test/kit/temporary.ts'
import { OPERATIONS } from './operations.ts'

const CALLERS = {
  anonymous: {},
  'another user': { login: 'other:password-of-other' },
  member: { login: 'mem:password-of-mem' },
  'member with the role admin': { login: 'deputy:password-of-deputy' },
  robot: 'robot',
  owner: { login: 'own:password-of-own' },
  administrator: { login: 'root:password-of-root' },
  'a token of less repositories': 'narrow',
  'a token of a lesser role': 'reader',
  'a whole token of the owner': 'whole',
  'a limited token of the administrator': 'little',
} satisfies Record<string, Sending | string>

type CallerName = keyof typeof CALLERS

const KNOWN = Object.keys(CALLERS).filter((name) => name !== 'anonymous') as CallerName[]
const LIMITED: CallerName[] = [
  'a token of less repositories',
  'a token of a lesser role',
  'a limited token of the administrator',
]
const ADMINISTRATORS: CallerName[] = ['administrator']
const OWNERS: CallerName[] = ['owner', 'administrator', 'a whole token of the owner']
const UNLIMITED = KNOWN.filter((name) => !LIMITED.includes(name))

/** What is asked, of things of acme that are there and of those that are not; and who is let. All others are refused alike. */
interface Case {
  asks: { path: string; body?: object }[]
  let: readonly CallerName[]
}

const TAG = `sha256:${'0'.repeat(64)}`

const CASES: Record<keyof typeof OPERATIONS, Case> = {
  me: { asks: [{ path: '/me' }], let: KNOWN },
  'users.list': { asks: [{ path: '/users' }], let: ADMINISTRATORS },
  'users.add': { asks: [{ path: '/users', body: { name: 'own', password: 'password-of-own' } }], let: ADMINISTRATORS },
  'users.remove': { asks: [{ path: '/users/mallory' }, { path: '/users/dave' }], let: ADMINISTRATORS },
  'users.logins': { asks: [{ path: '/users/dave/logins' }, { path: '/users/nobody/logins' }], let: ADMINISTRATORS },
  'users.logOut': { asks: [{ path: '/users/dave/logins' }, { path: '/users/nobody/logins' }], let: ADMINISTRATORS },
  'users.setPassword': {
    asks: [
      { path: '/users/dave/password', body: { password: 'new-password' } },
      { path: '/users/nobody/password', body: { password: 'new-password' } },
    ],
    let: ADMINISTRATORS,
  },
  'users.setAdmin': {
    asks: [
      { path: '/users/dave/admin', body: { admin: false } },
      { path: '/users/nobody/admin', body: { admin: true } },
    ],
    let: ADMINISTRATORS,
  },
  'users.grant': {
    asks: [
      { path: '/accounts/other/grants/acme%2Fweb', body: { role: 'read' } },
      { path: '/accounts/nobody/grants/acme%2F**', body: { role: 'read' } },
    ],
    let: OWNERS,
  },
  'users.revoke': { asks: [{ path: '/accounts/acme%2Fweb/grants/acme%2Fnone' }], let: OWNERS },
  'organisations.list': { asks: [{ path: '/organisations' }], let: UNLIMITED },
  'organisations.add': { asks: [{ path: '/organisations', body: { name: 'acme' } }], let: ADMINISTRATORS },
  'organisations.remove': {
    asks: [{ path: '/organisations/acme' }, { path: '/organisations/none' }],
    let: ADMINISTRATORS,
  },
  'organisations.listTeams': { asks: [{ path: '/teams' }, { path: '/teams?organisation=acme' }], let: UNLIMITED },
  'organisations.addTeam': { asks: [{ path: '/teams', body: { name: 'acme/web' } }], let: OWNERS },
  'organisations.removeTeam': { asks: [{ path: '/teams/acme%2Fnone' }], let: OWNERS },
  'organisations.setMember': {
    asks: [
      { path: '/groups/acme/members/mem', body: { role: 'member' } },
      { path: '/groups/acme%2Fweb/members/nobody', body: { role: 'member' } },
    ],
    let: OWNERS,
  },
  'organisations.removeMember': { asks: [{ path: '/groups/acme/members/nobody' }], let: OWNERS },
  'robots.list': { asks: [{ path: '/robots' }, { path: '/robots?owner=acme' }], let: UNLIMITED },
  'robots.add': { asks: [{ path: '/robots', body: { name: 'acme+ci' } }], let: OWNERS },
  'robots.remove': { asks: [{ path: '/robots/acme+none' }], let: OWNERS },
  'accessTokens.list': {
    asks: [{ path: '/accounts/acme+ci/tokens' }, { path: '/accounts/acme+none/tokens' }],
    let: OWNERS,
  },
  'accessTokens.add': { asks: [{ path: '/accounts/acme+ci/tokens', body: { label: 'first' } }], let: OWNERS },
  'accessTokens.remove': { asks: [{ path: '/accounts/acme+ci/tokens/none' }], let: OWNERS },
  'visibility.repositories': { asks: [{ path: '/repositories' }], let: KNOWN },
  'visibility.list': { asks: [{ path: '/public-patterns' }], let: UNLIMITED },
  'visibility.publish': { asks: [{ path: '/public-patterns/acme%2Fpublic' }], let: OWNERS },
  'visibility.hide': { asks: [{ path: '/public-patterns/acme%2Fnone' }], let: OWNERS },
  'policies.list': { asks: [{ path: '/policies' }], let: UNLIMITED },
  'policies.immutable': {
    asks: [{ path: '/policies/immutable', body: { pattern: 'acme/x', tags: 'v[' } }],
    let: OWNERS,
  },
  'policies.keep': { asks: [{ path: '/policies/keep', body: { pattern: 'acme/x' } }], let: OWNERS },
  'policies.types': { asks: [{ path: '/policies/types', body: { pattern: 'acme/x' } }], let: OWNERS },
  'policies.base': { asks: [{ path: '/policies/base', body: { pattern: 'acme/x' } }], let: ADMINISTRATORS },
  'policies.gate': {
    asks: [{ path: '/policies/gate', body: { pattern: 'acme/x', unscanned: { wait: 0 } } }],
    let: OWNERS,
  },
  // 1 is acme's; what is removed is gone, so each caller is asked about one that is there no more.
  'policies.remove': { asks: [{ path: '/policies/2' }, { path: '/policies/999' }], let: ADMINISTRATORS },
  'policies.try': { asks: [{ path: '/unkept-tags?pattern=acme/**' }], let: OWNERS },
  'tags.history': {
    asks: [
      { path: '/repositories/acme%2Fweb/tags/latest/history' },
      { path: '/repositories/acme%2Fnone/tags/latest/history' },
    ],
    let: OWNERS,
  },
  'tags.restore': {
    asks: [{ path: '/repositories/acme%2Fweb/tags/latest', body: { digest: TAG } }],
    let: OWNERS,
  },
  'exceptions.list': { asks: [{ path: '/exceptions' }], let: UNLIMITED },
  'exceptions.add': {
    asks: [
      { path: '/exceptions', body: { vulnerability: 'CVE-2024-1', pattern: 'acme/x', reason: 'unused', lasts: 1 } },
    ],
    let: OWNERS,
  },
  'exceptions.remove': { asks: [{ path: '/exceptions/2' }, { path: '/exceptions/999' }], let: ADMINISTRATORS },
  'scans.run': {
    asks: [{ path: '/images/acme%2Fweb%3Alatest/scans' }, { path: '/images/acme%2Fnone%3Alatest/scans' }],
    let: OWNERS,
  },
  // What others may pull is in it, so a repository that nothing was granted in.
  'scans.report': {
    asks: [{ path: '/images/acme%2Fsecret%3Alatest/scans' }, { path: '/images/acme%2Fnone%3Alatest/scans' }],
    let: KNOWN.filter((name) => !['another user', 'member'].includes(name)),
  },
  'images.quarantine': {
    asks: [
      { path: '/images/acme%2Fweb%3Alatest/quarantine', body: { reason: '' } },
      { path: '/images/acme%2Fnone%3Alatest/quarantine', body: { reason: 'unused' } },
    ],
    let: OWNERS,
  },
  'images.release': {
    asks: [
      { path: '/images/acme%2Fweb%3Alatest/release', body: { reason: '' } },
      { path: '/images/acme%2Fnone%3Alatest/release', body: { reason: 'unused' } },
    ],
    let: OWNERS,
  },
  'images.clear': {
    asks: [
      { path: '/images/acme%2Fweb%3Alatest/clearances', body: { reason: 'unused' } },
      { path: '/images/acme%2Fnone%3Alatest/clearances', body: { reason: 'unused' } },
    ],
    let: OWNERS,
  },
  // Roles in grants count here, and those of limited tokens, too: all of these may pull the one and push the other.
  'promotions.promote': {
    asks: [
      { path: '/promotions', body: { source: 'acme/web:latest', target: 'acme/prod' } },
      { path: '/promotions', body: { source: 'acme/none:latest', target: 'acme/prod' } },
      { path: '/promotions', body: { source: 'acme/web:latest', target: 'acme/none:x' } },
    ],
    let: KNOWN.filter((name) => !['another user', 'member'].includes(name)),
  },
  'renames.rename': {
    asks: [
      { path: '/repositories/acme%2Fweb/name', body: { name: 'acme/web' } },
      { path: '/repositories/acme%2Fnone/name', body: { name: 'acme/other' } },
    ],
    let: OWNERS,
  },
  'renames.list': { asks: [{ path: '/redirects' }], let: UNLIMITED },
  'renames.end': { asks: [{ path: '/redirects/acme%2Fold' }, { path: '/redirects/acme%2Fnone' }], let: OWNERS },
  'quotas.list': { asks: [{ path: '/quotas' }, { path: '/quotas?owner=acme' }], let: UNLIMITED },
  'quotas.set': {
    asks: [
      { path: '/quotas/acme%2F**', body: { bytes: 1e9 } },
      { path: '/quotas/none%2F**', body: { tags: 9 } },
    ],
    let: ADMINISTRATORS,
  },
  'quotas.remove': { asks: [{ path: '/quotas/acme%2Fweb' }, { path: '/quotas/acme%2Fnone' }], let: ADMINISTRATORS },
  'hooks.list': { asks: [{ path: '/hooks' }], let: ADMINISTRATORS },
  // Also where the pattern is below the caller's own name.
  'hooks.add': {
    asks: [
      { path: '/hooks', body: { name: 'ci', url: 'http://127.0.0.1:1/', pattern: 'acme/**' } },
      { path: '/hooks', body: { name: 'new', url: 'x:', pattern: 'acme/**' } },
    ],
    let: ADMINISTRATORS,
  },
  'hooks.remove': { asks: [{ path: '/hooks/none' }], let: ADMINISTRATORS },
  'hooks.enable': { asks: [{ path: '/hooks/ci/enabled' }, { path: '/hooks/none/enabled' }], let: ADMINISTRATORS },
  'hooks.disable': { asks: [{ path: '/hooks/ci/enabled' }, { path: '/hooks/none/enabled' }], let: ADMINISTRATORS },
  // Nothing is sent: loopback addresses are closed to hooks.
  'hooks.test': { asks: [{ path: '/hooks/ci/tests' }, { path: '/hooks/none/tests' }], let: ADMINISTRATORS },
  'hooks.deliveries': { asks: [{ path: '/deliveries' }, { path: '/deliveries?hook=ci' }], let: ADMINISTRATORS },
  'hooks.redeliver': {
    asks: [{ path: '/deliveries/1/attempts' }, { path: '/deliveries/99/attempts' }],
    let: ADMINISTRATORS,
  },
  'replications.list': { asks: [{ path: '/replications' }], let: ADMINISTRATORS },
  'replications.tasks': { asks: [{ path: '/replication-tasks' }], let: ADMINISTRATORS },
  'replications.run': { asks: [{ path: '/replications/none/runs' }], let: ADMINISTRATORS },
  'replications.retry': { asks: [{ path: '/replication-tasks/retries', body: { task: 1 } }], let: ADMINISTRATORS },
  'audit.entries': { asks: [{ path: '/audit' }], let: ADMINISTRATORS },
  collectGarbage: { asks: [{ path: '/collections', body: {} }], let: ADMINISTRATORS },
}

async function company({ users, organisations, robots, accessTokens, policies, exceptions, hooks }: Registry) {
  for (const name of ['other', 'mem', 'deputy', 'own', 'dave']) await users.add(name, `password-of-${name}`)
  await users.add('root', 'password-of-root', { admin: true })
  await organisations.add('acme', { owner: 'own' })
  await organisations.add('elsewhere')
  await organisations.addTeam('acme/web')
  for (const name of ['mem', 'deputy']) await organisations.setMember('acme', name, 'member')
  await users.grant('deputy', 'acme/**', 'admin')
  await policies.immutable('acme/web', 'v*')
  await policies.immutable('elsewhere/web', 'v*')
  for (const pattern of ['acme/web', 'elsewhere/web']) {
    await exceptions.add('CVE-2024-1', { pattern, reason: 'unused', lasts: 3_600_000 })
  }
  await hooks.add('ci', { url: 'http://127.0.0.1:1/', pattern: 'acme/**' })
  return {
    robot: { login: `acme+ci:${await robots.add('acme+ci', { grants: [{ pattern: 'acme/**', role: 'admin' }] })}` },
    narrow: { login: `own:${await accessTokens.add('own', 'narrow', { pattern: 'acme/**' })}` },
    reader: { login: `own:${await accessTokens.add('own', 'reader', { role: 'delete' })}` },
    whole: { login: `own:${await accessTokens.add('own', 'whole')}` },
    little: { login: `root:${await accessTokens.add('root', 'little', { role: 'write' })}` },
  } satisfies Record<string, Sending>
}

async function eachOperationByEachCaller({ address, registry }: ServedRegistry): Promise<void> {
  const secrets: Record<string, Sending> = await company(registry)
  const { request, image } = clientOf(address)
  // An organisation with a repository is not removed by the first that may.
  for (const name of ['acme/web', 'acme/secret']) {
    await image(name, 'one', { tag: 'latest', login: 'own:password-of-own' })
  }
  for (const [name, { asks, let: allowed }] of Object.entries(CASES)) {
    const { method } = OPERATIONS[name as keyof typeof OPERATIONS]
    for (const [caller, how] of Object.entries(CALLERS)) {
      const sending: Sending = typeof how === 'string' ? secrets[how]! : how
      const answers: { status: number; detail: unknown }[] = []
      for (const { path, body } of asks) {
        const json = body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }
        const answer = await request(method, `/api/v1${path}`, { ...sending, ...json })
        const isProblem = answer.headers['content-type'] === 'application/problem+json'
        answers.push({ status: answer.status, detail: isProblem ? answer.json()['detail'] : undefined })
      }
      const statuses = answers.map(({ status }) => status)
      if (!KNOWN.includes(caller as CallerName)) {
        assert.deepEqual([...new Set(statuses)], [401], `${name} by ${caller}`)
      } else if (allowed.includes(caller as CallerName)) {
        const wrong = statuses.filter((status) => status === 401 || status === 403 || status >= 500)
        assert.deepEqual(wrong, [], `${name} by ${caller}: ${statuses}`)
      } else {
        assert.deepEqual([...new Set(statuses)], [403], `${name} by ${caller}`)
        assert.equal(
          new Set(answers.map(({ detail }) => detail)).size,
          1,
          `${name}: what exists looks like what does not`,
        )
      }
    }
  }
}

async function served(directory: string, meta: Parameters<typeof openRegistry>[0]['meta']): Promise<ServedRegistry> {
  const objects = createFileObjects(join(directory, 'objects'))
  return await listenWith(await openRegistry({ meta, objects, secret: randomBytes(32) }), { port: 0 })
}

test('A08 each operation lets those whose things they are, and refuses all others alike, on SQLite', async () => {
  await using directory = await temporaryDirectory('bale-api')
  await using registry = await served(directory.path, openSqliteMeta({ path: join(directory.path, 'registry.db') }))
  await eachOperationByEachCaller(registry)
})

test('A08 the same on PostgreSQL', { skip: withoutPostgres() }, async () => {
  await using directory = await temporaryDirectory('bale-api')
  await using postgres = await startPostgres()
  await using registry = await served(directory.path, await openPostgresMeta({ url: await postgres.database() }))
  await eachOperationByEachCaller(registry)
})
