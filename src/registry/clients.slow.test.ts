/** Other people's clients against our registry, as black boxes: skopeo, podman and curl of Debian. */
import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import { MANIFEST_TYPE, sha256, startRegistry, type TestRegistry } from '../../test/kit/registry-client.ts'

const execute = promisify(execFile)
const LOGIN = 'ann:password-of-ann'

const missing = (program: string) =>
  spawnSync(program, ['--version']).error === undefined
    ? false
    : `${program} is not installed (apt-get install ${program})`

async function prepared() {
  const directory = await mkdtemp(join(tmpdir(), 'bale-clients-'))
  const registry = await startRegistry({ anonymous: 'none' })
  await registry.registry.users.add('ann', 'password-of-ann')
  await registry.registry.users.add('bob', 'password-of-bob')
  await registry.registry.users.grant('ann', 'team/**', 'admin')
  await registry.registry.users.grant('bob', 'team/**', 'read')
  return {
    directory,
    registry,
    async [Symbol.asyncDispose]() {
      await registry[Symbol.asyncDispose]()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

/** An OCI layout with one image of one small layer. Returns the manifest's digest. */
async function writeLayout(directory: string): Promise<string> {
  const blobs = join(directory, 'blobs/sha256')
  await mkdir(blobs, { recursive: true })
  await writeFile(join(directory, 'greeting'), 'hello\n')
  const { stdout: tar } = await execute('tar', ['-C', directory, '-c', 'greeting'], { encoding: 'buffer' })
  const put = async (mediaType: string, bytes: Buffer | string) => {
    const digest = sha256(bytes)
    await writeFile(join(blobs, digest.slice(7)), bytes)
    return { mediaType, digest, size: Buffer.byteLength(bytes) }
  }
  // Compressed already: skopeo would compress a plain layer while pushing, and the digest would be another one.
  const layer = await put('application/vnd.oci.image.layer.v1.tar+gzip', gzipSync(tar))
  const architecture = process.arch === 'arm64' ? 'arm64' : 'amd64'
  const rootfs = { type: 'layers', diff_ids: [sha256(tar)] }
  const config = await put(
    'application/vnd.oci.image.config.v1+json',
    JSON.stringify({ architecture, os: 'linux', config: { Cmd: ['cat', '/greeting'] }, rootfs }),
  )
  const manifest = await put(
    MANIFEST_TYPE,
    JSON.stringify({ schemaVersion: 2, mediaType: MANIFEST_TYPE, config, layers: [layer] }),
  )
  const annotations = { 'org.opencontainers.image.ref.name': 'latest' }
  await writeFile(join(directory, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}')
  await writeFile(
    join(directory, 'index.json'),
    JSON.stringify({ schemaVersion: 2, manifests: [{ ...manifest, annotations }] }),
  )
  return manifest.digest
}

/** Pushes a layout's image as team/web:1. */
async function pushLayout(registry: TestRegistry, directory: string, digest: string): Promise<void> {
  const blobs = join(directory, 'blobs/sha256')
  for (const name of await readdir(blobs)) {
    if (name !== digest.slice(7)) await registry.blob('team/web', await readFile(join(blobs, name)), { login: LOGIN })
  }
  const pushed = await registry.request('PUT', '/v2/team/web/manifests/1', {
    login: LOGIN,
    headers: { 'Content-Type': MANIFEST_TYPE },
    body: await readFile(join(blobs, digest.slice(7))),
  })
  assert.equal(pushed.status, 201)
}

test('skopeo pushes, inspects, lists, copies within the registry, pulls the same digest, and deletes', {
  skip: missing('skopeo'),
}, async () => {
  await using under = await prepared()
  const layout = join(under.directory, 'layout')
  const digest = await writeLayout(layout)
  const name = `docker://${under.registry.address}/team/web`
  const skopeo = async (...args: string[]) => (await execute('skopeo', args)).stdout
  const to = ['--dest-tls-verify=false', '--dest-creds', LOGIN]
  const from = ['--src-tls-verify=false', '--src-creds', LOGIN]
  const at = ['--tls-verify=false', '--creds', LOGIN]
  await skopeo('copy', ...to, `oci:${layout}:latest`, `${name}:1`)
  assert.equal(JSON.parse(await skopeo('inspect', ...at, `${name}:1`)).Digest, digest)
  await skopeo('copy', ...from, ...to, `${name}:1`, `docker://${under.registry.address}/team/copy:2`)
  assert.deepEqual(JSON.parse(await skopeo('list-tags', ...at, `docker://${under.registry.address}/team/copy`)).Tags, [
    '2',
  ])
  await skopeo('copy', ...from, `${name}@${digest}`, `dir:${join(under.directory, 'back')}`)
  assert.equal(sha256(await readFile(join(under.directory, 'back/manifest.json'))), digest)
  await skopeo('copy', ...to, '--format', 'v2s2', `oci:${layout}:latest`, `${name}:docker`)
  assert.match(await skopeo('inspect', '--raw', ...at, `${name}:docker`), /vnd\.docker\.distribution\.manifest\.v2/)
  await skopeo('delete', ...at, `${name}:1`)
  assert.deepEqual(JSON.parse(await skopeo('list-tags', ...at, name)).Tags, ['docker'])
  const bob = ['--dest-tls-verify=false', '--dest-creds', 'bob:password-of-bob']
  await assert.rejects(skopeo('copy', ...bob, `oci:${layout}:latest`, `${name}:bob`), /denied|unauthorized|403/i)
  await assert.rejects(
    skopeo('inspect', '--tls-verify=false', '--creds', 'ann:wrong', `${name}:docker`),
    /unauthorized|authentication/i,
  )
  await assert.rejects(
    skopeo('inspect', '--tls-verify=false', '--no-creds', `${name}:docker`),
    /unauthorized|authentication/i,
  )
})

test('podman logs in, pulls, pushes under another name, pulls that, and logs out', {
  skip: missing('podman'),
}, async () => {
  await using under = await prepared()
  const layout = join(under.directory, 'layout')
  const digest = await writeLayout(layout)
  await pushLayout(under.registry, layout, digest)
  const authfile = join(under.directory, 'auth.json')
  const store = [
    '--root',
    join(under.directory, 'store'),
    '--runroot',
    join(under.directory, 'run'),
    '--storage-driver',
    'vfs',
  ]
  const podman = async (...args: string[]) =>
    (
      await execute('podman', [...store, ...args], { env: { ...process.env, REGISTRY_AUTH_FILE: authfile } })
    ).stdout.trim()
  const { address } = under.registry
  try {
    await podman('login', '--tls-verify=false', '-u', 'ann', '-p', 'password-of-ann', address)
    await assert.rejects(
      podman('login', '--tls-verify=false', '-u', 'ann', '-p', 'wrong', address),
      /invalid username\/password/,
    )
    const id = (await podman('pull', '-q', '--tls-verify=false', `${address}/team/web:1`)).split('\n').at(-1)!
    await podman('push', '-q', '--tls-verify=false', id, `${address}/team/pod:1`)
    await podman('rmi', '-f', id)
    await podman('pull', '-q', '--tls-verify=false', `${address}/team/pod:1`)
    assert.match(await podman('images', '-q', '--no-trunc', `${address}/team/pod:1`), new RegExp(id))
    await podman('logout', address)
    await assert.rejects(
      podman('pull', '-q', '--tls-verify=false', `${address}/team/pod:2`),
      /unauthorized|authentication/i,
    )
  } finally {
    await podman('rmi', '-a', '-f')
  }
})

test('curl pushes 200 MB in one request and gets them back at the speed of a disk', {
  skip: missing('curl'),
}, async (t) => {
  await using under = await prepared()
  const path = join(under.directory, 'big')
  const block = Buffer.alloc(1024 * 1024, 'bale')
  const hash = createHash('sha256')
  const content = Array.from({ length: 200 }, (_, index) => Buffer.from(block).fill(index, 0, 4096))
  for (const part of content) hash.update(part)
  await writeFile(path, content)
  const digest = `sha256:${hash.digest('hex')}`
  const base = `http://${under.registry.address}/v2/team/big/blobs`
  const curl = async (...args: string[]) => (await execute('curl', ['-sS', '-u', LOGIN, ...args])).stdout
  const up = await curl(
    '-X',
    'POST',
    '-T',
    path,
    '-w',
    '%{http_code} %{speed_upload}',
    '-o',
    '/dev/null',
    `${base}/uploads?digest=${digest}`,
  )
  const down = await curl(
    '-w',
    '%{http_code} %{speed_download}',
    '-o',
    join(under.directory, 'back'),
    `${base}/${digest}`,
  )
  const back = createHash('sha256')
    .update(await readFile(join(under.directory, 'back')))
    .digest('hex')
  assert.deepEqual([up.split(' ')[0], down.split(' ')[0], `sha256:${back}`], ['201', '200', digest])
  const speeds = [up, down].map((text) => Math.round(Number(text.split(' ')[1]) / 1e6))
  t.diagnostic(`up ${speeds[0]} MB/s, down ${speeds[1]} MB/s`)
  // Loosely, since other tests share the machine: what would be caught is work that grows with the square of the size.
  assert.ok(
    speeds.every((speed) => speed > 20),
    `${speeds.join(' and ')} MB/s`,
  )
})
