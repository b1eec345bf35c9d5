/** Gates where images come from elsewhere or go there, and what is told of them; scanned for real. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { cachedRegistry } from '../../../test/kit/cached-registry.ts'
import { pushTars } from '../../../test/kit/push-tars.ts'
import { startRegistry } from '../../../test/kit/registry-client.ts'
import { debianAdvisory, debianLayer, putBundle } from '../../../test/kit/scan-place.ts'
import { temporaryDirectory } from '../../../test/kit/temporary.ts'
import { until } from '../../../test/kit/until.ts'

const VULNERABLE = [debianLayer({ openssl: '3.0-1' })]
const SOUND = [debianLayer({ zlib: '1.2-1' })]

async function bundle() {
  const temporary = await temporaryDirectory('bale-gate')
  const path = join(temporary.path, 'advisories.sqlite')
  await putBundle(path, [debianAdvisory('CVE-2024-1', 'openssl')])
  return Object.assign(temporary, { path, directory: temporary.path })
}

test('what comes from an upstream for the first time is looked at before it is given out', async () => {
  await using advisories = await bundle()
  await using both = await cachedRegistry({ serve: { scanning: { advisories: advisories.path } } })
  const bad = await pushTars(both.upstream, 'acme/web', 'bad', VULNERABLE)
  const good = await pushTars(both.upstream, 'acme/web', 'good', SOUND)
  await both.cache.registry.policies.gate('docker.io/**', { unscanned: { wait: 60_000 } })
  const get = async (path: string) => await both.cache.request('GET', `/v2/docker.io/acme/web/${path}`)
  const refused = await get('manifests/bad')
  assert.equal(refused.status, 403)
  assert.match(refused.body.toString(), /blocks docker\.io\/acme\/web@sha256:[0-9a-f]{64}: 1 critical: CVE-2024-1/)
  assert.equal((await get(`blobs/${bad.layer}`)).status, 403)
  assert.equal((await get('manifests/good')).status, 200)
  assert.equal((await get(`blobs/${good.layer}`)).status, 200)
  assert.deepEqual(both.reports, [])
})

test('what is blocked does not follow a rule to another registry, and the task says why', async () => {
  await using advisories = await bundle()
  await using there = await startRegistry()
  await using here = await startRegistry({
    scanning: { advisories: advisories.path },
    replication: [
      { name: 'site', direction: 'push', url: `http://${there.address}`, repositories: ['acme/*'], onPush: true },
    ],
  })
  const { policies, replications } = here.registry
  await policies.gate('acme/**', { unscanned: 'block' })
  await pushTars(here, 'acme/web', 'bad', VULNERABLE)
  await pushTars(here, 'acme/web', 'good', SOUND)
  const tasks = async () => await Array.fromAsync(replications.tasks({ rule: 'site' }))
  const isThere = async () => (await there.request('GET', '/v2/acme/web/manifests/good')).status === 200
  await until('the clean one is there', isThere, { every: 100 })
  const why = await until('the task of the blocked one says why', async () => {
    const task = (await tasks()).find(({ reference }) => reference === 'bad')
    return /1 critical: CVE-2024-1/.test(task?.failure ?? '') ? task!.failure : undefined
  })
  assert.match(why, /^policy \d+ of acme\/\*\* blocks acme\/web@sha256:/)
  assert.equal((await there.request('GET', '/v2/acme/web/manifests/bad')).status, 404)
})

test('changes of a verdict are told once each: new advisories, an exception and its end, a gate that goes', async () => {
  await using advisories = await bundle()
  await using registry = await startRegistry({ scanning: { advisories: advisories.path } })
  const { policies, audit, exceptions } = registry.registry
  const policy = await policies.gate('acme/**', { unscanned: { wait: 60_000 } })
  const { digest } = await pushTars(registry, 'acme/web', '1', SOUND)
  const status = async () => (await registry.request('GET', '/v2/acme/web/manifests/1')).status
  assert.equal(await status(), 200)
  const told = async (action: string) => await Array.fromAsync(audit.entries({ action, target: `acme/web@${digest}` }))
  await putBundle(advisories.path, [debianAdvisory('CVE-2024-2', 'zlib')], '2026-12-01T00:00:00.000Z')
  const blocked = await until(
    'it is told',
    async () => {
      const entries = await told('image.blocked')
      return entries.length > 0 && entries
    },
    { every: 200 },
  )
  assert.equal(await status(), 403)
  assert.match(blocked[0]!.detail!, /1 critical: CVE-2024-2/)
  const id = await exceptions.add('CVE-2024-2', { pattern: 'acme/web', reason: 'not reachable', lasts: 86_400_000 })
  assert.equal(await status(), 200)
  await until('its end is told', async () => (await told('image.allowed')).length > 0, { every: 200 })
  assert.equal((await told('image.blocked')).length, 1)
  await exceptions.remove(id)
  await until('it is told again', async () => (await told('image.blocked')).length === 2, { every: 200 })
  await policies.remove(policy)
  await until('a gate that goes is told as well', async () => (await told('image.allowed')).length === 2, {
    every: 200,
  })
  // It ends in less than fourteen days.
  assert.equal((await Array.fromAsync(audit.entries({ action: 'exception.expiring' }))).length, 1)
})
