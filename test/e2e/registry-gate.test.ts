/** The gate of the registry, as people meet it. Needs root: images are made here. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { readTextSync } from '#host/file'
import { testBale } from '../kit/bale.ts'
import { busyboxTar } from '../kit/busybox.ts'
import { pushTars } from '../kit/push-tars.ts'
import { clientOf, startRegistry } from '../kit/registry-client.ts'
import { servedFiles } from '../kit/replica.ts'
import { debianAdvisory, debianLayer, putBundle } from '../kit/scan-place.ts'
import { storeScans } from '../kit/stored-scans.ts'
import { until } from '../kit/until.ts'
import { cannotRun } from './prepared.ts'

test('what is not signed by the wanted key is not pulled; it is signed where it is, and pulled then', {
  skip: cannotRun,
}, async () => {
  await using bale = await testBale()
  await using registry = await startRegistry({ anonymous: 'none' })
  const { users, policies } = registry.registry
  for (const [name, role] of [
    ['ann', 'write'],
    ['bob', 'read'],
  ] as const) {
    await users.add(name, `password of ${name}`)
    await users.grant(name, 'acme/*', role)
  }
  const image = `${registry.address}/acme/box`
  const keys = join(bale.directory, 'release')
  for (const name of [keys, join(bale.directory, 'other')]) await bale.run(['key', 'generate', '--no-password', name])
  await bale.run(['import', busyboxTar(bale.directory), image])
  await bale.run(['login', '-u', 'ann', '--password-stdin', registry.address], { input: 'password of ann' })
  await bale.run(['push', '-q', image])
  const { stdout } = await bale.try(['manifest', 'inspect', '--verbose', image])
  const digest = /sha256:[0-9a-f]{64}/.exec(stdout)![0]
  await storeScans(registry.directory, [digest])
  await policies.gate('acme/**', { severity: 'high', signers: [readTextSync(`${keys}.pub`)] })
  const get = async (name: string, path: string) =>
    await registry.request('GET', `/v2/acme/box/${path}`, { login: `${name}:password of ${name}` })
  const manifest = await get('ann', 'manifests/latest')
  const { config, layers } = manifest.json<{ config: { digest: string }; layers: { digest: string }[] }>()
  assert.equal(manifest.status, 200, 'whoever may push reads what is to be signed')
  for (const path of ['manifests/latest', `blobs/${layers[0]!.digest}`]) {
    const refused = await get('bob', path)
    assert.equal(refused.status, 403)
    assert.match(refused.body.toString(), /none of the required keys has signed it/)
  }
  assert.equal((await get('ann', `blobs/${config.digest}`)).status, 403, 'nor does it run what is not signed')
  await bale.run(['sign', '--key', `${join(bale.directory, 'other')}.key`, image])
  assert.equal((await get('bob', 'manifests/latest')).status, 403)
  await bale.run(['sign', '--key', `${keys}.key`, image])
  await until('the signature counts', async () => (await get('bob', 'manifests/latest')).status === 200)
  assert.equal((await get('bob', `blobs/${layers[0]!.digest}`)).status, 200)
})

test('the program, as it is installed, scans what is pushed and keeps back what a gate blocks', async () => {
  await using bale = await testBale()
  await using files = await servedFiles()
  const advisories = join(bale.directory, 'advisories.sqlite')
  await putBundle(advisories, [debianAdvisory('CVE-2024-1', 'openssl')])
  const served = await files.replica({ directory: 'here', anonymous: 'push', scanning: { advisories } })
  await served.start()
  const gate = ['registry', 'policy', 'gate', '--config', served.config, 'acme/**', '--unscanned', 'wait=60s']
  await bale.run(gate)
  const { digest } = await pushTars(clientOf(served.address), 'acme/web', '1', [debianLayer({ openssl: '3.0-1' })])
  const answer = await clientOf(served.address).request('GET', '/v2/acme/web/manifests/1')
  assert.equal(answer.status, 403)
  assert.match(answer.body.toString(), new RegExp(`blocks acme/web@${digest}: 1 critical: CVE-2024-1; report: http`))
  const report = await bale.run(['registry', 'report', '--config', served.config, 'acme/web:1'])
  assert.match(report, /CVE-2024-1/)
})
