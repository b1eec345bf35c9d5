import assert from 'node:assert/strict'
import { once } from 'node:events'
import { chmodSync, writeFileSync } from 'node:fs'
import { Agent, type AgentOptions, request } from 'node:https'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TLSSocket } from 'node:tls'
import { selfSigned } from '../../test/kit/self-signed.ts'
import { temporaryDirectory } from '../../test/kit/temporary.ts'
import { until } from '../../test/kit/until.ts'
import { loadTls, readConfiguration, type ServeOptions, serveConfigured, serveRegistry } from './index.ts'

const [one, two] = [selfSigned('one.example'), selfSigned('two.example')]

/** A registry that reads its TLS files, and the failures that its operator was told of. */
async function served(options: Partial<ServeOptions> & { clients?: string } = {}) {
  const place = await temporaryDirectory('bale-tls')
  const path = (name: string) => join(place.path, name)
  const named = (name: string) => ({ path: path(name), at: name })
  const write = (name: string, text: string) => {
    writeFileSync(path(name), text)
    chmodSync(path(name), 0o600)
  }
  write('cert', one.cert)
  write('key', one.key)
  if (options.clients) write('clients', options.clients)
  const files = {
    certificate: named('cert'),
    key: named('key'),
    ...(options.clients && { clientAuthorities: named('clients') }),
  }
  const told: string[] = []
  const registry = await serveRegistry({
    ...options,
    directory: path('registry'),
    port: 0,
    tls: () => loadTls(files),
    report: ({ message }, what) => void told.push(`${what}: ${message}`.replaceAll(`${place.path}/`, '')),
  })
  return {
    registry,
    told,
    write,
    async [Symbol.asyncDispose]() {
      await registry[Symbol.asyncDispose]()
      await place[Symbol.asyncDispose]()
    },
  }
}

/** The status of one request, and the name in the certificate that the server showed. */
async function ask(url: string, options: AgentOptions = {}, agent?: Agent): Promise<[number, string]> {
  const outgoing = request(`${url}/livez`, { rejectUnauthorized: false, agent: agent ?? false, ...options }).end()
  const [response] = await once(outgoing, 'response')
  const name = String((response.socket as TLSSocket).getPeerCertificate().subject.CN)
  await response.resume().toArray()
  return [response.statusCode, name]
}

test('a new certificate is shown to new connections, and those that are open go on', async () => {
  await using tls = await served()
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  using closing = new DisposableStack()
  closing.defer(() => agent.destroy())
  const { url } = tls.registry
  assert.deepEqual(await ask(url, {}, agent), [200, 'one.example'])
  tls.write('cert', two.cert)
  tls.write('key', two.key)
  await tls.registry.reload()
  assert.deepEqual(await ask(url, {}, agent), [200, 'one.example'])
  assert.deepEqual(await ask(url), [200, 'two.example'])
  assert.deepEqual(tls.told, [])
})

test('changed files are found without being asked for', async () => {
  await using tls = await served({ tlsEvery: 20 })
  tls.write('key', two.key)
  tls.write('cert', two.cert)
  await until('the new certificate is shown', async () => (await ask(tls.registry.url))[1] === 'two.example')
})

test('files that do not match or cannot be read leave the old certificate, and the operator is told once, or when he asks', async () => {
  await using tls = await served({ tlsEvery: 5 })
  const mismatch = 'reading the TLS files again: key: the key in key is not that of the certificate in cert'
  tls.write('cert', two.cert)
  await until('the operator is told', () => tls.told.length > 0)
  const looked = performance.now() + 100
  await until('the files were looked at again', () => performance.now() > looked)
  assert.deepEqual(tls.told, [mismatch])
  await tls.registry.reload()
  assert.deepEqual(tls.told, [mismatch, mismatch])
  assert.deepEqual(await ask(tls.registry.url), [200, 'one.example'])
  tls.write('cert', '-----BEGIN CERTIFICATE-----\nnothing\n-----END CERTIFICATE-----\n')
  await until('the next mistake is told, too', () => tls.told.length > 2)
  assert.match(tls.told[2]!, /cert: cert does not begin with a certificate/)
  assert.deepEqual(await ask(tls.registry.url), [200, 'one.example'])
  tls.write('cert', one.cert)
  await tls.registry.reload()
  assert.equal(tls.told.length, 3)
})

test('with authorities of clients, only clients with a certificate of one of them are served; the authorities may change', async () => {
  await using tls = await served({ clients: one.cert })
  const { url } = tls.registry
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    await assert.rejects(ask(url, { maxVersion }), 'without a certificate')
    await assert.rejects(ask(url, { maxVersion, ...two }), 'with one of somebody else')
    assert.deepEqual(await ask(url, { maxVersion, ...one }), [200, 'one.example'])
  }
  tls.write('clients', two.cert)
  await tls.registry.reload()
  await assert.rejects(ask(url, one))
  assert.deepEqual(await ask(url, two), [200, 'one.example'])
})

test('at the start, a certificate and key that do not match are an error, and nothing stays open', async () => {
  await using place = await temporaryDirectory('bale-tls')
  const options = { directory: join(place.path, 'registry'), port: 0 }
  await assert.rejects(serveRegistry({ ...options, tls: { cert: one.cert, key: two.key } }), {
    code: 'INVALID_ARGUMENT',
    message: /the TLS certificate and key cannot be used/,
  })
  // A second start finds the directory free.
  await using again = await serveRegistry({ ...options, tls: one })
  assert.equal((await ask(again.url))[0], 200)
  assert.equal(again.reloads, false)
})

test('authorities of clients cannot vanish from a server that asks for certificates: it would trust all public ones', async () => {
  await using place = await temporaryDirectory('bale-tls')
  let texts: { cert: string; key: string; clientAuthorities?: string } = { ...one, clientAuthorities: one.cert }
  const told: string[] = []
  await using registry = await serveRegistry({
    directory: join(place.path, 'registry'),
    port: 0,
    tls: async () => texts,
    report: ({ message }) => void told.push(message),
  })
  texts = two
  await registry.reload()
  assert.match(told.join(), /cannot be given or left out/)
  await assert.rejects(ask(registry.url))
  assert.deepEqual(await ask(registry.url, one), [200, 'one.example'])
})

test('a configuration file names the files, which are read again as well; one that is wrong is named with its place', async () => {
  await using place = await temporaryDirectory('bale-tls')
  const write = (name: string, text: string) => writeFileSync(join(place.path, name), text, { mode: 0o600 })
  write('crt', one.cert)
  write('key', one.key)
  write('clients', one.cert)
  write(
    'r.yaml',
    'directory: data\nlisten: { address: "127.0.0.1:0", tls: { certificate: crt, key: key, client-authorities: clients } }\n',
  )
  const told: string[] = []
  const report = ({ message }: Error) => void told.push(message)
  const configuration = await readConfiguration(join(place.path, 'r.yaml'))
  await using served = await serveConfigured(configuration, { environment: {}, report })
  await assert.rejects(ask(served.url))
  write('crt', two.cert)
  await served.reload()
  assert.match(told.join(), /r\.yaml:2:65: listen\.tls\.key: the key in \S+ is not that of the certificate/)
  assert.deepEqual(await ask(served.url, one), [200, 'one.example'])
  write('key', two.key)
  await served.reload()
  assert.deepEqual(await ask(served.url, one), [200, 'two.example'])
})
