/** The verbs about gates, on the data of a registry; registry-remote.slow.test.ts has them over the network. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { createEngine, readConfig } from '#engine'
import { INDEX_TYPE, startRegistry } from '../../../test/kit/registry-client.ts'
import { storeScans } from '../../../test/kit/stored-scans.ts'
import { temporaryDirectory } from '../../../test/kit/temporary.ts'
import { runLineHere } from '../../../test/kit/verb-runner.ts'

async function verbs() {
  await using opened = new AsyncDisposableStack()
  const { path } = opened.use(await temporaryDirectory('bale-gate'))
  const registry = opened.use(await startRegistry())
  const engine = opened.use(createEngine({ config: readConfig({ root: join(path, 'store'), run: join(path, 'run') }) }))
  const attempt = (verb: string, ...rest: string[]) =>
    runLineHere(['registry', ...verb.split(' '), '--root', registry.directory, ...rest], { engine })
  const parts = opened.move()
  return {
    ...{ path, registry, engine, attempt },
    async run(verb: string, ...rest: string[]): Promise<string> {
      const { code, stdout, stderr } = await attempt(verb, ...rest)
      assert.equal(code, 0, stderr)
      return stdout.trimEnd()
    },
    async refused(verb: string, ...rest: string[]): Promise<string> {
      const { code, stderr } = await attempt(verb, ...rest)
      assert.equal(code, 1)
      return stderr
    },
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  }
}

test('a gate is made of flags and of files with keys, and is listed in words', async () => {
  await using bale = await verbs()
  await bale.registry.registry.policies.keep('**', { last: 1 })
  const none = join(bale.path, 'none.pub')
  const { publicKey: pub } = await bale.engine.trust.generateKeys(join(bale.path, 'release'))
  const flags = ['--severity', 'high', '--only-fixable', '--grace', '7d', '--unscanned', 'wait=5s', '--signer', pub]
  assert.equal(await bale.run('policy gate', ...flags, '--exempt', 'user:ann', 'prod/**'), '2')
  assert.match(
    await bale.run('policy ls'),
    /2 +gate +prod\/\*\* +blocks high and worse; if fixable; after 7d; unscanned: wait 5s; signed by a key; not for user:ann$/,
  )
  const [, stored] = await bale.registry.registry.policies.list()
  assert.ok(stored?.kind === 'gate' && stored.signers?.[0]?.startsWith('-----BEGIN PUBLIC KEY-----'))
  assert.match(
    await bale.refused('policy gate', '--signer', none, 'prod/**'),
    /the key cannot be read from .*none\.pub/,
  )
  assert.match(await bale.refused('policy gate', '--unscanned', 'soon', 'prod/**'), /allow, block or wait=PERIOD/)
  assert.match(await bale.refused('policy gate', '--unscanned', 'wait=101s', 'prod/**'), /from 1 to 100000/)
  const { code } = await bale.attempt('policy gate', '--severity', 'bad', 'prod/**')
  assert.notEqual(code, 0)
})

test('an exception needs repositories, a reason and an end, which is a period or a day', async () => {
  await using bale = await verbs()
  const given = ['--repositories', 'team/**', '--reason', 'never called', '--expires', '90d']
  assert.equal(await bale.run('exception add', ...given, 'CVE-2024-1'), '1')
  for (const [at, flag] of ['--repositories', '--reason', '--expires'].entries()) {
    const without = given.toSpliced(at * 2, 2)
    assert.match(await bale.refused('exception add', ...without, 'CVE-2024-1'), new RegExp(`needs ${flag}`))
  }
  const tomorrow = new Date(Date.now() + 86_400_000).toISOString().slice(0, 10)
  assert.equal(await bale.run('exception add', ...given.slice(0, 5), tomorrow, 'CVE-2024-2'), '2')
  const [, byDay] = await bale.registry.registry.exceptions.list()
  assert.ok(Math.abs(byDay!.expiresAt - Date.parse(tomorrow)) < 60_000)
  for (const [day, message] of [
    ['2024-02-30', /takes a period or a day/],
    ['2024-01-31', /a day that is still to come/],
    ['500d', /lasts from a minute to 366 days/],
    ['soon', /takes a period/],
  ] as const) {
    assert.match(await bale.refused('exception add', ...given.slice(0, 5), day, 'CVE-2024-2'), message)
  }
  assert.match(await bale.run('exception ls'), /\n1 +CVE-2024-1 +all +team\/\*\* +\S+ +operator +never called\n2 /)
  assert.equal(await bale.run('exception rm', '1', '2'), '1\n2')
  assert.match(await bale.refused('exception rm', '1'), /there is no exception 1.*bale registry exception ls/s)
  assert.match(await bale.refused('exception rm', 'one'), /not the ID of an exception: one/)
})

test('a report is a table, a document or a page, of one image of an index where it is a document', async () => {
  await using bale = await verbs()
  const { registry } = bale
  const manifests = []
  for (const architecture of ['amd64', 'arm64']) {
    const { descriptor } = await registry.image('team/web', architecture, { tag: architecture })
    manifests.push({ ...descriptor, platform: { os: 'linux', architecture } })
  }
  const body = JSON.stringify({ schemaVersion: 2, mediaType: INDEX_TYPE, manifests })
  await registry.request('PUT', '/v2/team/web/manifests/all', { headers: { 'content-type': INDEX_TYPE }, body })
  assert.match(await bale.run('report', 'team/web:amd64'), /^team\/web:amd64: waiting for its scan since \S+$/)
  assert.match(await bale.refused('report', '--format', 'json', 'team/web:amd64'), /waiting for its scan/)
  await storeScans(registry.directory)
  await bale.run('exception add', '--repositories', '**', '--reason', 'unused', '--expires', '90d', 'CVE-2024-1')
  const table = await bale.run('report', 'team/web:all')
  for (const one of manifests) assert.ok(table.includes(`team/web:all (linux/${one.platform.architecture}): Debian`))
  assert.match(table, /CRITICAL +CVE-2024-1 .* does not count \(exception by operator, until \d{4}-\d\d-\d\d\): unused/)
  assert.match(table, /1 vulnerability in 2 packages: 2 high; 1 with a fix; 1 more do not count/)
  assert.ok(!(await bale.run('report', '--severity', 'critical', 'team/web:amd64')).includes('CVE-2024-2'))
  const offered = await bale.refused('report', '--format', 'json', 'team/web:all')
  assert.match(offered, /2 images \(linux\/amd64, linux\/arm64\).*--platform linux\/amd64/s)
  const json = await bale.run('report', '--format', 'json', '--platform', 'linux/arm64', 'team/web:all')
  const { image, findings } = JSON.parse(json) as { image: object; findings: object[] }
  assert.deepEqual([image, findings.length], [{ ...image, name: 'team/web:all', manifest: manifests[1]!.digest }, 3])
  assert.match(await bale.refused('report', '--platform', 'linux/s390x', 'team/web:all'), /available: linux\/amd64/)
  for (const [format, beginning] of [
    ['sarif', /"version": "2\.1\.0"/],
    ['cyclonedx', /"bomFormat": "CycloneDX"/],
    ['html', /<!doctype html>/i],
  ] as const) {
    const file = join(bale.path, format)
    await bale.run('report', '--format', format, '-o', file, 'team/web:arm64')
    assert.match(await readFile(file, 'utf8'), beginning)
  }
  assert.equal(await bale.run('scan', 'team/web:all'), '2')
  assert.match(await bale.run('report', 'team/web:arm64'), /\n\nwaiting for another scan since \S+$/)
  assert.match(await bale.refused('report', 'team/web:none'), /the registry has no image team\/web:none/)
  assert.match(await bale.refused('report', 'team/web'), /not an image of a repository: team\/web/)
})

test('quarantine and release need a reason, and end', async () => {
  await using bale = await verbs()
  const { digest } = await bale.registry.image('team/web', 'one', { tag: 'v1' })
  const states = async () => await bale.run('report', 'team/web:v1')
  assert.match(await bale.refused('quarantine', 'team/web:v1'), /say why, with --reason/)
  assert.equal(await bale.run('quarantine', '--reason', 'stolen', 'team/web:v1'), `team/web@${digest}`)
  assert.match(await states(), /^team\/web:v1: in quarantine: stolen \(operator, /)
  await bale.run('quarantine', '--end', '--reason', 'found', 'team/web:v1')
  assert.match(await states(), /^team\/web:v1: waiting/)
  assert.equal(await bale.run('release', '--reason', 'needed', `team/web@${digest}`), `team/web@${digest}`)
  assert.match(await states(), /^team\/web:v1: released, whatever gates say: needed \(operator, /)
  await bale.run('release', '--end', '--reason', 'not needed', 'team/web:v1')
  assert.match(await states(), /^team\/web:v1: waiting/)
})
