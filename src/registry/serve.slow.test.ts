/** What must hold when things break: kills, cut connections, full disks, a second server, damaged files. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { request as send } from 'node:http'
import { request as sendTls } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { clientOf, sha256, startRegistry } from '../../test/kit/registry-client.ts'
import { until } from '../../test/kit/until.ts'
import { openRegistryAdmin, serveRegistry } from './index.ts'

async function temporaryDirectory() {
  const directory = await mkdtemp(join(tmpdir(), 'bale-serve-'))
  return { directory, [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }) }
}

/** A registry in a process of its own, to be killed. */
async function startProcess(directory: string): Promise<{ child: ChildProcess; address: string }> {
  const script = `
    const { serveRegistry } = await import(${JSON.stringify(new URL('./index.ts', import.meta.url).href)})
    const served = await serveRegistry({ directory: ${JSON.stringify(directory)}, port: 0, anonymous: 'push' })
    process.stdout.write(served.address)`
  const child = spawn(process.execPath, ['--conditions=source', '--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [address] = (await once(child.stdout!, 'data')) as [Buffer]
  return { child, address: address.toString() }
}

/** Sends the beginning of a chunked PATCH and leaves the request open. */
async function beginPatch(address: string, path: string, bytes: Uint8Array) {
  const [hostname, port] = address.split(':')
  const outgoing = send({ hostname, port, method: 'PATCH', path, headers: { 'Transfer-Encoding': 'chunked' } })
  // The connection will break: that is what the tests are about.
  outgoing.on('error', () => outgoing.destroy())
  await new Promise((resolve) => outgoing.write(bytes, resolve))
  return outgoing
}

test('after kill -9 during an upload the next process resumes at the acknowledged offset, and nothing acknowledged is lost', async () => {
  await using under = await temporaryDirectory()
  const content = randomBytes(3_000_000)
  const first = await startProcess(under.directory)
  let location: string
  try {
    const client = clientOf(first.address)
    await client.image('a/b', 'answered', { tag: '1' })
    location = (await client.request('POST', '/v2/a/b/blobs/uploads/')).headers.location!
    await client.request('PATCH', location, { body: content.subarray(0, 1_000_000) })
    const open = await beginPatch(first.address, location, content.subarray(1_000_000, 2_500_000))
    await until('bytes arrive', async () => ((await largestObject(under.directory)) > 1_500_000 ? true : undefined))
    first.child.kill('SIGKILL')
    await once(first.child, 'exit')
    open.destroy()
  } finally {
    first.child.kill('SIGKILL')
  }
  const second = await startProcess(under.directory)
  try {
    const client = clientOf(second.address)
    assert.equal((await client.request('GET', '/v2/a/b/manifests/1')).status, 200)
    const range = (await client.request('GET', location)).headers.range!
    const offset = Number(range.split('-')[1]) + 1
    assert.equal(offset, 1_000_000)
    const put = await client.request('PUT', `${location}?digest=${sha256(content)}`, {
      headers: { 'Content-Range': `${offset}-${content.length - 1}` },
      body: content.subarray(offset),
    })
    assert.equal(put.status, 201)
    assert.deepEqual((await client.request('GET', `/v2/a/b/blobs/${sha256(content)}`)).body, content)
  } finally {
    second.child.kill('SIGTERM')
    await once(second.child, 'exit')
  }
})

async function largestObject(directory: string): Promise<number> {
  if (!existsSync(join(directory, 'objects'))) return 0
  const entries = await readdir(join(directory, 'objects'), { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile())
  const sizes = await Promise.all(files.map(async (file) => (await stat(join(file.parentPath, file.name))).size))
  return Math.max(0, ...sizes)
}

test('a client whose connection breaks in a PATCH learns the offset and resumes there', async () => {
  await using registry = await startRegistry()
  const content = randomBytes(2_000_000)
  const location = (await registry.request('POST', '/v2/a/b/blobs/uploads/')).headers.location!
  const open = await beginPatch(registry.address, location, content.subarray(0, 1_500_000))
  await until('bytes arrive', async () => ((await largestObject(registry.directory)) > 0 ? true : undefined))
  open.destroy()
  const offset = await until('the offset is written down', async () => {
    const { range } = (await registry.request('GET', location)).headers
    return range === '0-0' ? undefined : Number(range!.split('-')[1]) + 1
  })
  assert.ok(offset > 0 && offset <= 1_500_000)
  const patch = await registry.request('PATCH', location, { body: content.subarray(offset) })
  assert.equal(patch.status, 202)
  assert.equal((await registry.request('PUT', `${location}?digest=${sha256(content)}`)).status, 201)
  assert.deepEqual((await registry.request('GET', `/v2/a/b/blobs/${sha256(content)}`)).body, content)
})

test('two writers of one upload: the second is refused with 416 while the first writes', async () => {
  await using registry = await startRegistry()
  const location = (await registry.request('POST', '/v2/a/b/blobs/uploads/')).headers.location!
  const open = await beginPatch(registry.address, location, Buffer.from('first '))
  const answered = once(open, 'response')
  await until('the second is refused', async () => {
    const second = await registry.request('PATCH', location, { headers: { 'Content-Range': '0-5' }, body: 'second' })
    return second.status === 416 ? true : undefined
  })
  open.end('writer')
  const [response] = await answered
  response.resume()
  assert.equal(response.statusCode, 202)
  assert.equal((await registry.request('PUT', `${location}?digest=${sha256('first writer')}`)).status, 201)
})

test('an upload whose first part was hashed by another process is read again before it is trusted', async () => {
  await using under = await temporaryDirectory()
  let location: string
  {
    await using registry = await startRegistry({ directory: under.directory })
    location = (await registry.request('POST', '/v2/a/b/blobs/uploads/')).headers.location!
    await registry.request('PATCH', location, { body: 'before ' })
  }
  await using registry = await startRegistry({ directory: under.directory })
  await registry.request('PATCH', location, { body: 'after' })
  const wrong = await registry.request('PUT', `${location}?digest=${sha256('after')}`)
  assert.equal(wrong.status, 400)
  const again = (await registry.request('POST', '/v2/a/b/blobs/uploads/')).headers.location!
  await registry.request('PATCH', again, { body: 'before ' })
  assert.equal(
    (await registry.request('PUT', `${again}?digest=${sha256('before after')}`, { body: 'after' })).status,
    201,
  )
})

test('one process serves a directory; its users can be changed beside it, at once', async () => {
  await using under = await temporaryDirectory()
  await using served = await serveRegistry({ directory: under.directory, port: 0 })
  await assert.rejects(serveRegistry({ directory: under.directory, port: 0 }), { code: 'LOCKED' })
  const client = clientOf(served.address)
  const login = 'ann:password-of-ann'
  assert.equal((await client.request('GET', '/v2/', { login })).status, 401)
  await using admin = await openRegistryAdmin({ directory: under.directory })
  await admin.users.add('ann', 'password-of-ann')
  assert.equal((await client.request('GET', '/v2/', { login })).status, 200)
  await admin.users.grant('ann', 'team/**', 'write')
  assert.deepEqual(await admin.users.list(), [
    { name: 'ann', admin: false, grants: [{ pattern: 'team/**', role: 'write' }] },
  ])
  await admin.users.remove('ann')
  assert.equal((await client.request('GET', '/v2/', { login })).status, 401)
})

test("the database is its owner's alone, also when 0.1 left it open; a directory that others may read is refused (A20)", async () => {
  await using under = await temporaryDirectory()
  const directory = join(under.directory, 'there')
  await mkdir(directory)
  await chmod(directory, 0o750)
  const before = process.umask(0)
  try {
    await using admin = await openRegistryAdmin({ directory })
    await admin.users.add('ann', 'password-of-ann')
    await using _served = await serveRegistry({ directory, port: 0 })
    for (const name of ['registry.db', 'registry.db-wal', 'registry.db-shm', 'secret'])
      assert.equal((await stat(join(directory, name))).mode & 0o777, 0o600, name)
  } finally {
    process.umask(before)
  }
  await chmod(join(directory, 'registry.db'), 0o644)
  await using _again = await openRegistryAdmin({ directory })
  assert.equal((await stat(join(directory, 'registry.db'))).mode & 0o777, 0o600, 'closed when 0.1 left it open')
  for (const mode of [0o777, 0o770, 0o755, 0o704, 0o701]) {
    await chmod(directory, mode)
    await assert.rejects(openRegistryAdmin({ directory }), { code: 'DENIED' }, mode.toString(8))
    await assert.rejects(serveRegistry({ directory, port: 0 }), { code: 'DENIED' }, mode.toString(8))
  }
})

test('the key that signs tokens is sealed with a secret of its own; without that only its tokens end', async () => {
  await using under = await temporaryDirectory()
  const { directory } = under
  const token = async () => {
    await using registry = await startRegistry({ directory, anonymous: 'pull' })
    return (await registry.request('GET', '/token')).json<{ token: string }>().token
  }
  const status = async (shown: string) => {
    await using registry = await startRegistry({ directory, anonymous: 'pull' })
    return (await registry.request('GET', '/v2/', { token: shown })).status
  }
  const first = await token()
  assert.equal(await status(first), 200, 'it outlives a restart')
  await chmod(join(directory, 'secret'), 0o644)
  await assert.rejects(serveRegistry({ directory, port: 0 }), { code: 'DENIED', message: /secret/ })
  await rm(join(directory, 'secret'))
  assert.equal(await status(first), 401)
  assert.equal(await status(await token()), 200)
  await writeFile(join(directory, 'secret'), 'f'.repeat(64), { mode: 0o600 })
  await using registry = await startRegistry({ directory, anonymous: 'pull' })
  assert.equal((await registry.request('GET', '/token')).status, 500, 'a secret of another registry is not passed over')
})

test('users: names, passwords, patterns and roles are checked', async () => {
  await using under = await temporaryDirectory()
  await using admin = await openRegistryAdmin({ directory: under.directory })
  const { users } = admin
  await users.add('ann', 'long enough')
  await assert.rejects(users.add('ann', 'long enough'), { code: 'CONFLICT' })
  for (const name of ['', 'Ann', '../x', 'a/b', 'a:b', '-a', 'x'.repeat(65)]) {
    await assert.rejects(users.add(name, 'long enough'), { code: 'INVALID_ARGUMENT' }, name)
  }
  await assert.rejects(users.add('bob', 'short'), { code: 'INVALID_ARGUMENT' })
  await assert.rejects(users.grant('ann', 'A b', 'read'), { code: 'INVALID_ARGUMENT' })
  await assert.rejects(users.grant('ann', 'a/b', 'owner' as 'read'), { code: 'INVALID_ARGUMENT' })
  const onNobody = [
    () => users.grant('nobody', 'a/b', 'read'),
    () => users.remove('nobody'),
    () => users.setPassword('nobody', 'long enough'),
    () => users.revoke('ann', 'a/b'),
  ]
  for (const act of onNobody) {
    await assert.rejects(act, { code: 'NOT_FOUND' })
  }
})

test('plain HTTP is served to other machines only when that is asked for', async () => {
  await using under = await temporaryDirectory()
  await assert.rejects(serveRegistry({ directory: under.directory, host: '0.0.0.0', port: 0 }), {
    code: 'INVALID_ARGUMENT',
  })
  await using served = await serveRegistry({ directory: under.directory, host: '127.0.0.2', port: 0 })
  await assert.rejects(
    serveRegistry({
      directory: join(under.directory, 'other'),
      host: '127.0.0.2',
      port: Number(served.address.split(':')[1]),
    }),
    { code: 'CONFLICT' },
  )
})

test('TLS: the registry speaks https with the given certificate, and challenges name https', async (t) => {
  await using under = await temporaryDirectory()
  const [key, cert] = [join(under.directory, 'key.pem'), join(under.directory, 'cert.pem')]
  const made = spawnSync('openssl', [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-days',
    '1',
    '-subj',
    '/CN=localhost',
    '-addext',
    'subjectAltName=IP:127.0.0.1',
    '-keyout',
    key,
    '-out',
    cert,
  ])
  if (made.status !== 0) return t.skip('making a certificate needs openssl')
  const ca = await readFile(cert)
  await using served = await serveRegistry({
    directory: join(under.directory, 'r'),
    port: 0,
    tls: { cert: ca, key: await readFile(key) },
  })
  assert.match(served.url, /^https:\/\/127\.0\.0\.1:/)
  const outgoing = sendTls(`${served.url}/v2/`, { ca, agent: false })
  outgoing.end()
  const [response] = await once(outgoing, 'response')
  response.resume()
  assert.equal(response.statusCode, 401)
  assert.match(response.headers['www-authenticate'], /^Bearer realm="https:\/\/127\.0\.0\.1:\d+\/token"/)
})

test('a full disk is 507 in the specified form; what was there is served, and a push works when there is space again', async (t) => {
  await using under = await temporaryDirectory()
  const small = join(under.directory, 'small')
  await mkdir(small)
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', small]).status !== 0) {
    return t.skip('mounting a small tmpfs needs root')
  }
  try {
    await using registry = await startRegistry({ directory: join(small, 'registry') })
    const before = await registry.blob('a/b', 'before')
    const big = randomBytes(6_000_000)
    const refused = await registry.request('POST', `/v2/a/b/blobs/uploads/?digest=${sha256(big)}`, { body: big })
    assert.deepEqual([refused.status, refused.codes()], [507, ['UNKNOWN']])
    assert.equal((await registry.request('GET', `/v2/a/b/blobs/${before}`)).body.toString(), 'before')
    await registry.registry.collectGarbage({ grace: 0 })
    await registry.blob('a/b', 'after')
    assert.equal(spawnSync('mount', ['-o', 'remount,size=16m', small]).status, 0)
    await registry.blob('a/b', big)
  } finally {
    spawnSync('umount', [small])
  }
})

test('a blob whose bytes are missing or too few appears not to exist', async () => {
  await using registry = await startRegistry()
  const content = randomBytes(3_000_000)
  const digest = await registry.blob('a/b', content)
  const [shard] = await readdir(join(registry.directory, 'objects'))
  const [key] = await readdir(join(registry.directory, 'objects', shard!))
  const path = join(registry.directory, 'objects', shard!, key!)
  await truncate(path, 2_000_000)
  const short = await registry.request('GET', `/v2/a/b/blobs/${digest}`)
  assert.deepEqual([short.status, short.codes()], [404, ['BLOB_UNKNOWN']])
  assert.doesNotMatch(short.body.toString(), /objects|ENOENT/)
  await rm(path)
  await mkdir(path)
  const unreadable = await registry.request('GET', `/v2/a/b/blobs/${digest}`)
  assert.equal(unreadable.status, 404)
  assert.equal((await registry.request('GET', '/v2/')).status, 200)
})

test('a client sees a broken connection, not an end, when bytes go while they are sent', async () => {
  await using registry = await startRegistry()
  const digest = await registry.blob('a/b', Buffer.alloc(64 * 1024 * 1024, 'x'))
  const [shard] = await readdir(join(registry.directory, 'objects'))
  const [key] = await readdir(join(registry.directory, 'objects', shard!))
  const [hostname, port] = registry.address.split(':')
  const outgoing = send({ hostname, port, path: `/v2/a/b/blobs/${digest}`, agent: false }).end()
  const [response] = await once(outgoing, 'response')
  await truncate(join(registry.directory, 'objects', shard!, key!), 1024 * 1024)
  await assert.rejects(Array.fromAsync(response), /aborted|ECONNRESET/)
})

test('stopping lets a push that runs come to its end', async () => {
  await using under = await temporaryDirectory()
  const registry = await startRegistry({ directory: under.directory })
  const location = (await registry.request('POST', '/v2/a/b/blobs/uploads/')).headers.location!
  const open = await beginPatch(registry.address, location, Buffer.from('slow '))
  await until('the upload is held', async () => {
    const second = await registry.request('PATCH', location, { body: 'x', headers: { 'Content-Range': '0-0' } })
    return second.status === 416 ? true : undefined
  })
  const stopped = registry[Symbol.asyncDispose]()
  const answered = once(open, 'response')
  open.end('push')
  const [response] = await answered
  response.resume()
  assert.equal(response.statusCode, 202)
  await stopped
  await using again = await startRegistry({ directory: under.directory })
  assert.equal((await again.request('PUT', `${location}?digest=${sha256('slow push')}`)).status, 201)
})
