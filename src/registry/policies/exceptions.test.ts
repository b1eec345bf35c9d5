import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryDirectory } from '../../../test/kit/temporary.ts'
import { openSqliteMeta } from '../meta/index.ts'
import { createExceptions, type NewException } from './exceptions.ts'

const DAY = 86_400_000
const PLAIN: NewException = { pattern: 'team/**', reason: 'not started', lasts: DAY }

async function someExceptions() {
  await using opened = new AsyncDisposableStack()
  const { path } = opened.use(await temporaryDirectory('bale-exceptions'))
  const meta = openSqliteMeta({ path: join(path, 'registry.db') })
  opened.defer(() => meta.close())
  const parts = opened.move()
  return {
    ...createExceptions(meta.as({ actor: 'user:ann' })),
    meta,
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  }
}

test('an exception has its author and its end, by the time of the database, and is gone when it is removed', async () => {
  await using exceptions = await someExceptions()
  const id = await exceptions.add('CVE-2024-3094', { ...PLAIN, package: 'deb/libssl3' })
  const [one, ...others] = await exceptions.list()
  const { createdAt, expiresAt, ...rest } = one!
  assert.deepEqual(rest, {
    ...{ id, vulnerability: 'CVE-2024-3094', package: 'deb/libssl3', pattern: 'team/**' },
    ...{ reason: 'not started', author: 'user:ann' },
  })
  assert.deepEqual([expiresAt - createdAt, others], [DAY, []])
  await exceptions.remove(id)
  assert.deepEqual(await exceptions.list(), [])
  await assert.rejects(exceptions.remove(id), { code: 'NOT_FOUND', message: `there is no exception ${id}` })
})

test('ids are stored as advisories write them', async () => {
  await using exceptions = await someExceptions()
  for (const id of ['cve-2024-3094', 'ghsa-JFH8-c2jp-5v3q', 'DSA-5649-1', 'TEMP-0000000-ABCDEF', 'RHSA-2024:1234']) {
    await exceptions.add(id, PLAIN)
  }
  assert.deepEqual(
    (await exceptions.list()).map(({ vulnerability }) => vulnerability),
    ['CVE-2024-3094', 'GHSA-jfh8-c2jp-5v3q', 'DSA-5649-1', 'TEMP-0000000-ABCDEF', 'RHSA-2024:1234'],
  )
})

test('what cannot be meant is refused by name', async () => {
  await using exceptions = await someExceptions()
  const refused = async (message: RegExp, changes: Partial<NewException>, id = 'CVE-2024-3094') =>
    await assert.rejects(exceptions.add(id, { ...PLAIN, ...changes }), { code: 'INVALID_ARGUMENT', message })
  for (const id of ['', 'openssl', '1', 'CVE 2024 1', 'CVE-2024-*', `CVE-${'1'.repeat(128)}`, 'CVE-2024-1\n']) {
    await refused(/not the id of a vulnerability/, {}, id)
  }
  await refused(/not a pattern of repositories/, { pattern: 'Team' })
  for (const of of [
    '',
    'openssl',
    'deb/',
    'dpkg/openssl',
    'deb/open ssl',
    'deb/*',
    'constructor/x',
    'pkg:deb/debian/x',
  ]) {
    await refused(/not a package/, { package: of })
  }
  for (const reason of ['', '  ', 'two\nlines', 'x'.repeat(1001), '\u001b[2J'])
    await refused(/a reason is a line/, { reason })
  for (const lasts of [0, 59_999, 366 * DAY + 1, 60_000.5, Number.NaN, Number.POSITIVE_INFINITY]) {
    await refused(/from a minute to 366 days/, { lasts })
  }
  assert.deepEqual(await exceptions.list(), [])
  await exceptions.add('CVE-2024-3094', { ...PLAIN, lasts: 366 * DAY, package: 'npm/@scope/name' })
  await exceptions.add('CVE-2024-3094', { ...PLAIN, lasts: 60_000 })
})
