import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { execute, testBale } from '../kit/bale.ts'
import { baleRegistry, dockerRegistry, dockerRegistryMissing } from '../kit/registry.ts'
import { cannotRun, prepared } from './prepared.ts'

const options = { skip: cannotRun }
const password = 'correct-horse-battery'

test('a push without a login or with a wrong password is refused; login, push, pull, logout', options, async () => {
  await using place = await prepared()
  const { bale } = place
  await using registry = await baleRegistry(bale)
  const name = `${registry.host}/team/webserver:latest`
  await bale.run(['tag', 'busybox:1', name])
  const anonymous = await bale.try(['push', name])
  assert.equal(anonymous.code, 1)
  assert.match(anonymous.stderr, /unauthorized|login/i)
  const wrong = await bale.try(['login', '-u', 'ann', '--password-stdin', registry.host], { input: 'not-the-password' })
  assert.equal(wrong.code, 1)
  assert.equal(existsSync(join(bale.directory, 'docker/config.json')), false)
  assert.match(
    await bale.run(['login', '-u', 'ann', '--password-stdin', registry.host], { input: password }),
    /Login Succeeded/,
  )
  const config = JSON.parse(readFileSync(join(bale.directory, 'docker/config.json'), 'utf8'))
  const kept = config.auths[registry.host]
  assert.match(kept.identitytoken, /^bale_r_/, 'not the password')
  assert.equal(Buffer.from(kept.auth, 'base64').toString(), 'ann:')

  assert.match(await bale.run(['push', name]), /latest: digest: sha256:[0-9a-f]{64} size: \d+/)
  assert.match(await bale.run(['push', name]), /Layer already exists/)
  const elsewhere = `${registry.host}/other/webserver:latest`
  await bale.run(['tag', 'busybox:1', elsewhere])
  const denied = await bale.try(['push', elsewhere])
  assert.equal(denied.code, 1)
  assert.match(denied.stderr, /denied|unauthorized/i)

  await using fresh = await testBale()
  assert.equal((await fresh.try(['pull', name])).code, 1)
  await fresh.run(['login', '-u', 'ann', '--password-stdin', registry.host], { input: password })
  const pulled = await fresh.run(['pull', name])
  const digest = /Digest: (sha256:[0-9a-f]{64})/.exec(pulled)?.[1]
  assert.ok(digest, pulled)
  assert.match(pulled, /Status: Downloaded newer image/)
  assert.match(await fresh.run(['pull', name]), /Image is up to date/)
  assert.equal(
    await fresh.run(['image', 'inspect', name, '--format', '{{.Id}}']),
    await bale.run(['image', 'inspect', name, '--format', '{{.Id}}']),
  )
  assert.equal(await fresh.run(['run', '--rm', name, 'echo', 'pulled']), 'pulled')

  // What was pulled is pushed with the same digest, under another name as well.
  const copy = `${registry.host}/team/copy:1`
  await fresh.run(['tag', name, copy])
  assert.match(await fresh.run(['push', copy]), new RegExp(`digest: ${digest}`))
  await fresh.run(['logout', registry.host])
  assert.equal((await fresh.try(['push', copy])).code, 1)
})

test("Debian's docker-registry as server, skopeo as client of ours", options, async (context) => {
  if (dockerRegistryMissing) return context.skip(dockerRegistryMissing)
  await using place = await prepared()
  const { bale } = place
  await using theirs = await dockerRegistry(bale.directory)
  await using ours = await baleRegistry(bale)
  const name = `${theirs.host}/some/image:1`
  await bale.run(['tag', 'busybox:1', name])
  await bale.run(['push', '-q', name])
  await using fresh = await testBale()
  await fresh.run(['pull', '-q', name])
  assert.equal(await fresh.run(['run', '--rm', name, 'echo', 'through docker-registry']), 'through docker-registry')
  const digests = ['image', 'inspect', name, '--format', '{{index .RepoDigests 0}}']
  assert.equal(await fresh.run(digests), await bale.run(digests))

  const insecure = ['--src-tls-verify=false', '--dest-tls-verify=false', '--dest-creds', `ann:${password}`]
  const copied = await execute('skopeo', [
    'copy',
    '-q',
    ...insecure,
    `docker://${name}`,
    `docker://${ours.host}/team/copied:1`,
  ])
  assert.equal(copied.code, 0, copied.stderr)
  await fresh.run(['login', '-u', 'ann', '--password-stdin', ours.host], { input: password })
  await fresh.run(['pull', '-q', `${ours.host}/team/copied:1`])
  const id = ['image', 'inspect', '--format', '{{.Id}}']
  assert.equal(await fresh.run([...id, `${ours.host}/team/copied:1`]), await bale.run([...id, 'busybox:1']))
})

test(
  'an index of two imports is created, pushed, inspected, and pulled for the platform of this machine',
  options,
  async () => {
    await using place = await prepared()
    const { bale, tar } = place
    await using registry = await baleRegistry(bale)
    await bale.run(['login', '-u', 'ann', '--password-stdin', registry.host], { input: password })
    const repository = `${registry.host}/team/multi`
    for (const architecture of ['amd64', 'arm64']) {
      await bale.run([
        'import',
        '--platform',
        `linux/${architecture}`,
        '-c',
        `ENV ARCH=${architecture}`,
        tar,
        `${repository}:${architecture}`,
      ])
      await bale.run(['push', '-q', `${repository}:${architecture}`])
    }
    await bale.run(['manifest', 'create', `${repository}:latest`, `${repository}:amd64`, `${repository}:arm64`])
    await bale.run(['manifest', 'push', `${repository}:latest`])
    const index = JSON.parse(await bale.run(['manifest', 'inspect', `${repository}:latest`]))
    assert.deepEqual(
      index.manifests.map(
        (one: { platform: { os: string; architecture: string } }) => `${one.platform.os}/${one.platform.architecture}`,
      ),
      ['linux/amd64', 'linux/arm64'],
    )
    await using fresh = await testBale()
    await fresh.run(['login', '-u', 'ann', '--password-stdin', registry.host], { input: password })
    await fresh.run(['pull', '-q', `${repository}:latest`])
    const own = process.arch === 'arm64' ? 'arm64' : 'amd64'
    assert.equal(await fresh.run(['image', 'inspect', `${repository}:latest`, '--format', '{{.Architecture}}']), own)
    await fresh.run(['pull', '-q', '--platform', 'linux/arm64', `${repository}:latest`])
    assert.equal(
      await fresh.run(['image', 'inspect', `${repository}:latest`, '--format', '{{.Architecture}}']),
      'arm64',
    )
    const none = await fresh.try(['pull', '--platform', 'linux/s390x', `${repository}:latest`])
    assert.equal(none.code, 1)
    assert.match(none.stderr, /linux\/amd64.*linux\/arm64/s)
  },
)
