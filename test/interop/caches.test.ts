/** Caches and limits of bale's registry as Debian's docker, podman and containerd meet them. Needs root and docker.io. */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import type { RequestLimit } from '#registry'
import { execute, type Outcome, testBale } from '../kit/bale.ts'
import { busyboxMissing, busyboxTar } from '../kit/busybox.ts'
import { type CachedRegistry, cachedRegistry } from '../kit/cached-registry.ts'
import { startRegistry } from '../kit/registry-client.ts'
import { DOCKER_CLIENT, startDockerd, type TestDockerd } from './dockerd.ts'
import { PODMAN, testPodman, writePolicy } from './podman.ts'

const CTR = '/usr/bin/ctr'
const missing = [
  ...(process.getuid?.() === 0 ? [] : ['root']),
  ...['/usr/sbin/dockerd', DOCKER_CLIENT, PODMAN, CTR].filter((program) => !existsSync(program)),
]
const skip = busyboxMissing() ?? (missing.length > 0 ? `needs ${missing.join(', ')}` : false)
const options = { skip, timeout: 300_000 }

/** A daemon that changes nothing of this machine's network, and so reaches registries on its loopback. */
function daemon(directory: string, more: readonly string[] = []): Promise<TestDockerd> {
  return startDockerd(join(directory, 'dockerd'), [], ['--bridge=none', '--iptables=false', ...more])
}

/** Pushes busybox and returns the manifest's digest. */
async function pushBusybox(name: string): Promise<string> {
  await using bale = await testBale()
  await bale.run(['import', '-c', 'CMD ["echo","hello"]', busyboxTar(bale.directory), name])
  const said = await bale.run(['push', name])
  return /sha256:[0-9a-f]{64}/.exec(said)?.[0] ?? assert.fail(said)
}

const docker = ({ socket }: TestDockerd, ...args: string[]) =>
  execute(DOCKER_CLIENT, ['-H', `unix://${socket}`, ...args], { timeout: 120_000 })

/** containerd's own client, with the containerd that dockerd has started, and a hosts.toml for a registry. */
async function ctrPull(directory: string, host: string, mirror: string, name: string): Promise<Outcome> {
  const hosts = join(directory, 'certs.d', host, 'hosts.toml')
  mkdirSync(dirname(hosts), { recursive: true })
  // The registry itself is not there: what is pulled came by the mirror.
  const lines = ['server = "http://127.0.0.1:1"', `[host."http://${mirror}"]`, 'capabilities = ["pull", "resolve"]']
  writeFileSync(hosts, lines.join('\n'))
  return execute(CTR, [
    ...['--address', join(directory, 'dockerd/exec/containerd/containerd.sock'), '--namespace', 'interop'],
    ...['images', 'pull', '--hosts-dir', join(directory, 'certs.d'), name],
  ])
}

/** What the upstream was asked, without the query: manifests and blobs. */
const asked = (under: CachedRegistry) => under.asked().map((line) => line.replace(/\?.*/, ''))

test(
  'docker, containerd and podman pull by a mirror what the cache has, while the upstream is away too',
  options,
  async () => {
    await using bale = await testBale()
    const { directory } = bale
    await using under = await cachedRegistry({ serve: { mirror: 'docker.io' } })
    const digest = await pushBusybox(`${under.upstream.address}/library/web:1`)
    const mirror = under.cache.address
    await using dockerd = await daemon(directory, [`--registry-mirror=http://${mirror}`])

    const pulled = await docker(dockerd, 'pull', 'library/web:1')
    assert.equal(pulled.code, 0, pulled.stderr)
    assert.match(pulled.stdout, new RegExp(`Digest: ${digest}`))
    assert.deepEqual(asked(under).filter((line) => line.startsWith('GET library/web/manifests/')).length, 1)
    const ran = await docker(dockerd, 'run', '--rm', '--network', 'none', 'library/web:1')
    assert.deepEqual([ran.stdout, ran.code], ['hello\n', 0], ran.stderr)

    // From here on, all comes out of the cache.
    under.way.add({ last: 9999, how: { act: 'answer', status: 503 } })
    under.pass(2 * 3_600_000)
    const byContainerd = await ctrPull(directory, 'docker.io', mirror, 'docker.io/library/web:1')
    assert.equal(byContainerd.code, 0, byContainerd.stderr + byContainerd.stdout)

    const podman = testPodman(join(directory, 'podman'))
    const settings = join(directory, 'registries.conf')
    writeFileSync(
      settings,
      `[[registry]]
prefix = "docker.io"
location = "127.0.0.1:1"
insecure = true
[[registry.mirror]]
location = "${mirror}/docker.io"
insecure = true
`,
    )
    const policy = ['--signature-policy', writePolicy(directory)]
    const byPodman = await execute(PODMAN, ['pull', ...policy, 'docker.io/library/web:1'], {
      env: { ...podman.environment, CONTAINERS_REGISTRIES_CONF: settings },
    })
    assert.equal(byPodman.code, 0, byPodman.stderr)
    const name = 'docker.io/library/web:1'
    assert.equal(await podman.run(['image', 'inspect', '--format', '{{.Digest}}', name]), digest)
    await docker(dockerd, 'image', 'rm', 'library/web:1')
    const again = await docker(dockerd, 'pull', 'library/web:1')
    assert.equal(again.code, 0, again.stderr)
    assert.match(again.stdout, new RegExp(`Digest: ${digest}`))
  },
)

test('a limit of pulls: docker and containerd show its message, podman waits and goes on', options, async () => {
  await using bale = await testBale()
  const { directory } = bale
  // Docker asks by HEAD first, which is no pull; each pull of an image for one platform is one GET.
  const limit: RequestLimit = { who: 'anonymous', per: 'address', what: 'pulls', most: 2, within: 20_000 }
  await using registry = await startRegistry({ requestLimits: [limit] })
  const name = `${registry.address}/library/web:1`
  const digest = await pushBusybox(name)
  const spend = async () => {
    for (let at = 0; at < 3; at++) await registry.request('GET', '/v2/library/web/manifests/1')
  }
  await using dockerd = await daemon(directory)
  await spend()
  const refused = await docker(dockerd, 'pull', name)
  assert.equal(refused.code, 1)
  assert.match(refused.stderr, /too many pulls: at most 2 in 20s; try again in \d+ s/)
  const byContainerd = await ctrPull(directory, registry.address, registry.address, name)
  assert.equal(byContainerd.code, 1)
  assert.match(byContainerd.stderr, /429 Too Many Requests/)
  const podman = testPodman(join(directory, 'podman'))
  const policy = ['--signature-policy', writePolicy(directory)]
  await podman.run(['pull', '--tls-verify=false', ...policy, name])
  assert.equal(await podman.run(['image', 'inspect', '--format', '{{.Digest}}', name]), digest)
})
