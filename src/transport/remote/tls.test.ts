import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fixedCredential, noCredentials } from '#transport/credentials'
import { planServer } from '../../../test/kit/planned-server.ts'
import { selfSigned } from '../../../test/kit/self-signed.ts'
import { checkLogin, openRepository } from './open-repository.ts'

const directory = mkdtempSync(join(tmpdir(), 'bale-tls-'))
after(() => rmSync(directory, { recursive: true }))
const limits = { firstDelay: 1, longestDelay: 2, attempts: 2, connectTimeout: 2_000 }
const index = '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}'
const basic = { 'www-authenticate': 'Basic realm="x"' }

const local = selfSigned('localhost')

test('C05 a self-signed certificate is refused also on loopback, and never a reason for plain http', async () => {
  await using server = await planServer((_request, response) => response.end(index), { tls: local })
  await using repository = openRepository(
    { registry: server.host, repository: 'a' },
    { credentials: noCredentials, limits },
  )
  await assert.rejects(repository.resolve('1'), {
    code: 'REGISTRY_UNREACHABLE',
    message: /certificate .* is not trusted/,
  })
  assert.equal(server.seen.length, 0)
})

test('C05 a certificate for another name is refused even when its authority is known', async () => {
  const other = selfSigned('elsewhere.example')
  await using server = await planServer((_request, response) => response.end(index), { tls: other })
  await using repository = openRepository(
    { registry: server.host, repository: 'a' },
    { credentials: noCredentials, limits, ca: [other.cert] },
  )
  await assert.rejects(repository.resolve('1'), { code: 'REGISTRY_UNREACHABLE', message: /not trusted/ })
})

test('a registry with a private authority works with `ca`, with certs.d, and marked as insecure', async () => {
  const credential = { kind: 'password', username: 'ann', password: 'secret' } as const
  await using server = await planServer(
    ({ headers }, response) => (headers.authorization ? response.end(index) : response.writeHead(401, basic).end()),
    { tls: local, ping: true },
  )
  const directories = join(directory, 'certs.d')
  mkdirSync(join(directories, server.host), { recursive: true })
  writeFileSync(join(directories, server.host, 'ca.crt'), local.cert)
  for (const trust of [
    { ca: [local.cert] },
    { certificateDirectories: [join(directory, 'missing'), directories] },
    { insecure: true },
  ]) {
    await checkLogin(server.host, { credentials: fixedCredential(server.host, credential), limits, ...trust })
  }
})

test('C02 a redirect from https to http is refused', async () => {
  await using plain = await planServer((_request, response) => response.end(index))
  await using server = await planServer(
    ({ path }, response) =>
      path === '/v2/' ? response.end('{}') : response.writeHead(307, { location: plain.url }).end(),
    { tls: local },
  )
  await using repository = openRepository(
    { registry: server.host, repository: 'a' },
    { credentials: noCredentials, limits, ca: [local.cert] },
  )
  await assert.rejects(repository.resolve('1'), /from https to plain http/)
  assert.equal(plain.seen.length, 0)
})

test('a registry on this machine that sends plain http to https is spoken to by https from then on', async () => {
  await using secure = await planServer((_request, response) => response.end(index), { tls: local })
  await using plain = await planServer(
    ({ path }, response) => response.writeHead(301, { location: `${secure.url}${path}` }).end(),
    { ping: true },
  )
  await using repository = openRepository(
    { registry: plain.host, repository: 'a' },
    { credentials: noCredentials, limits, ca: [local.cert] },
  )
  assert.equal((await repository.resolve('1')).descriptor.size, index.length)
  assert.deepEqual(
    plain.seen.map(({ path }) => path),
    ['/v2/'],
  )
  assert.equal(secure.seen.length, 1)
})

test('plain http is spoken to loopback only: 127.0.0.1 and localhost alike', async () => {
  for (const hostname of ['localhost', '127.0.0.1']) {
    await using server = await planServer((_request, response) => response.end(index), { hostname })
    await using repository = openRepository(
      { registry: server.host, repository: 'a' },
      { credentials: noCredentials, limits },
    )
    assert.equal((await repository.resolve('1')).descriptor.size, index.length)
  }
})

test('a registry that is down, or whose name is unknown, is REGISTRY_UNREACHABLE at once', async () => {
  const probe = createServer()
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve))
  const { port } = probe.address() as { port: number }
  await new Promise((resolve) => probe.close(resolve))
  for (const [registry, reason] of [
    [`localhost:${port}`, /connection refused/],
    ['registry.invalid', /host name/],
  ] as const) {
    await using repository = openRepository({ registry, repository: 'a' }, { credentials: noCredentials, limits })
    await assert.rejects(repository.resolve('1'), { code: 'REGISTRY_UNREACHABLE', message: reason, hint: /running/ })
  }
})

test('something that closes every connection is REGISTRY_FAILED, not an endless wait', async () => {
  let connections = 0
  const closing = createServer((socket) => {
    connections++
    socket.destroy()
  })
  await new Promise<void>((resolve) => closing.listen(0, '127.0.0.1', resolve))
  try {
    const { port } = closing.address() as { port: number }
    await using repository = openRepository(
      { registry: `localhost:${port}`, repository: 'a' },
      { credentials: noCredentials, limits },
    )
    await assert.rejects(repository.resolve('1'), { code: 'REGISTRY_FAILED' })
    assert.ok(connections <= 8, `${connections} connections`)
  } finally {
    await new Promise((resolve) => closing.close(resolve))
  }
})
