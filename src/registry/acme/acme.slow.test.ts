/** Certificates from pebble, a real authority, for registries that listen where it asks. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { statSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { connect as netConnect, type Socket } from 'node:net'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Duplex, Writable } from 'node:stream'
import { after, test } from 'node:test'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import { systemClock } from '#base'
import { type Pebble, startPebble, withoutPebble } from '../../../test/kit/pebble.ts'
import { startPostgres, withoutPostgres } from '../../../test/kit/postgres.ts'
import { selfSigned } from '../../../test/kit/self-signed.ts'
import { temporaryDirectory } from '../../../test/kit/temporary.ts'
import { until } from '../../../test/kit/until.ts'
import {
  createFileObjects,
  listenWith,
  type MetaStore,
  openPostgresMeta,
  openRegistry,
  readConfiguration,
  type ServedRegistry,
  type ServeOptions,
  serveConfigured,
  serveRegistry,
} from '../index.ts'
import type { ExternalAccount } from './account-key.ts'

const skip = withoutPebble()
const pebble: Pebble = skip ? (undefined as never) : await startPebble({ refusedNonces: 25 })
after(async () => {
  if (!skip) await pebble[Symbol.asyncDispose]()
})

const NAMES = ['registry.example', 'images.example']

interface Certified extends AsyncDisposable {
  served: ServedRegistry
  directory: string
  told: string[]
  /** Moves the registry's time on. */
  pass(milliseconds: number): void
}

type Wanted = Partial<ServeOptions> & { names?: string[]; place?: string; challengePort?: number } & {
  authority?: string
  authorities?: string
  externalAccount?: ExternalAccount
}

/** A registry that listens where pebble asks by tls-alpn-01, or by http-01 at `challengePort`. */
async function certified({
  names = NAMES,
  place,
  challengePort,
  authority,
  authorities,
  externalAccount,
  ...options
}: Wanted = {}): Promise<Certified> {
  await using opened = new AsyncDisposableStack()
  const directory = place ?? join(opened.use(await temporaryDirectory('bale-acme')).path, 'r')
  const told: string[] = []
  let ahead = 0
  const served = opened.use(
    await serveRegistry({
      directory,
      port: challengePort === undefined ? pebble.tlsPort : 0,
      clock: { ...systemClock, now: () => Date.now() + ahead },
      tls: {
        acme: {
          directory: authority ?? pebble.directory,
          names,
          authorities: authorities ?? pebble.authorities,
          contact: 'ann@one.example',
          externalAccount,
        },
        ...(challengePort !== undefined && { challengeAddress: { host: '127.0.0.1', port: challengePort } }),
      },
      tlsEvery: 50,
      report: ({ message }, what) => void told.push(`${what}: ${message}`),
      ...options,
    }),
  )
  const parts = opened.move()
  return {
    served,
    directory,
    told,
    pass(milliseconds) {
      ahead += milliseconds
    },
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  }
}

/** Serial number and names of the certificate that a server shows, and the status of its answer. */
async function ask(url: string, client: { cert?: string; key?: string } = {}) {
  const servername = NAMES[0]!
  const outgoing = request(`${url}/livez`, { rejectUnauthorized: false, agent: false, servername, ...client }).end()
  const [response] = await once(outgoing, 'response')
  const { serialNumber, subjectaltname } = (response.socket as TLSSocket).getPeerCertificate()
  await response.resume().toArray()
  return { status: response.statusCode as number, serial: serialNumber, names: subjectaltname }
}

test('a registry without a certificate refuses clients, obtains one by tls-alpn-01 and serves', { skip }, async () => {
  await using registry = await certified()
  const { served } = registry
  await assert.rejects(ask(served.url), 'there is none yet')
  await isCertified(registry)
  const { status, names } = await ask(served.url)
  assert.deepEqual([status, names], [200, 'DNS:registry.example, DNS:images.example'])
  assert.deepEqual(registry.told, [])
})

test('a certificate is obtained by http-01, and only answers to the authority are served there', { skip }, async () => {
  await using registry = await certified({ challengePort: pebble.httpPort })
  await isCertified(registry)
  assert.equal((await ask(registry.served.url)).status, 200)
  for (const path of ['/v2/', '/.well-known/acme-challenge/none', '/.well-known/acme-challenge/../x']) {
    assert.equal((await fetch(`http://127.0.0.1:${pebble.httpPort}${path}`)).status, 404)
  }
})

test('a restart takes the certificate that is there; at two thirds of its life there is a new one, and the audit log says so', {
  skip,
}, async () => {
  await using place = await temporaryDirectory('bale-acme')
  const path = join(place.path, 'r')
  let first: string
  {
    await using registry = await certified({ place: path })
    await isCertified(registry)
    first = (await ask(registry.served.url)).serial
  }
  await using registry = await certified({ place: path })
  const { served, pass } = registry
  assert.equal(served.certified, undefined)
  assert.equal((await ask(served.url)).serial, first)
  // Pebble's last 157,766,400 seconds.
  pass(105_000_000_000)
  await looked()
  assert.equal((await ask(served.url)).serial, first)
  pass(400_000_000)
  await until('there is a new one', async () => (await ask(served.url)).serial !== first)
  const entries = await Array.fromAsync(served.registry.audit.entries({ action: 'certificate.set' }))
  assert.equal(entries.length, 2)
})

test('an authority that fails is reported, and asked again later or when the operator wants it; the old certificate stays', {
  skip,
}, async () => {
  await using own = await startPebble()
  await using registry = await certified({ authority: own.directory, authorities: own.authorities, port: own.tlsPort })
  const { served, told, pass } = registry
  await isCertified(registry)
  const { serial } = await ask(served.url)
  await own.kill()
  pass(106_000_000_000)
  await until('the operator is told', () => told.length > 0)
  assert.match(
    told[0]!,
    /^obtaining the certificate: the authority localhost:\d+ failed: cannot reach .*; the next try is in 1 minute$/,
  )
  await looked()
  assert.equal(told.length, 1, 'it is not asked again at once')
  await served.reload()
  assert.match(told[1]!, /the next try is in 4 minutes$/)
  pass(241_000)
  await until('it is asked again', () => told.length > 2)
  assert.match(told[2]!, /the next try is in 15 minutes$/)
  assert.equal((await ask(served.url)).serial, serial)
  await own.start()
  await served.reload()
  assert.notEqual((await ask(served.url)).serial, serial)
})

test('what an authority says of a challenge that failed is told with the name, and after a restart that there is a wait', {
  skip,
}, async () => {
  await using place = await temporaryDirectory('bale-acme')
  const wanted = { port: 0, names: ['nowhere.example'], place: join(place.path, 'r') }
  {
    await using registry = await certified(wanted)
    await until('the operator is told', () => registry.told.length > 0)
    assert.match(registry.told[0]!, /finds nowhere\.example invalid: unauthorized: Failed to connect/)
    await assert.rejects(ask(registry.served.url))
  }
  await using again = await certified(wanted)
  await until('the operator is told', () => again.told.length > 0)
  await looked()
  assert.deepEqual(again.told, [
    'obtaining the certificate: the last try failed before this process looked; the next try is in 1 minute',
  ])
})

test('an authority of customers wants their account, and makes certificates for those that have one', {
  skip,
}, async () => {
  const key = randomBytes(32).toString('base64url')
  await using own = await startPebble({ customers: { 'customer-1': key } })
  const at = { authority: own.directory, authorities: own.authorities, port: own.tlsPort }
  const told = async (externalAccount?: ExternalAccount) => {
    await using registry = await certified({ ...at, externalAccount })
    await until('the operator is told', () => registry.told.length > 0)
    return registry.told[0]!
  }
  assert.match(
    await told(),
    /for its customers only: set external-account, the key ID and HMAC key of an account there/,
  )
  const wrong = { keyId: 'customer-1', key: randomBytes(32).toString('base64url') }
  assert.match(await told(wrong), /the authority localhost:\d+ refused: .*external account/i)
  assert.match(await told({ keyId: 'customer-2', key }), /refused: unauthorized: .*references a key that is not known/)
  await using registry = await certified({ ...at, externalAccount: { keyId: 'customer-1', key } })
  await isCertified(registry)
  assert.equal((await ask(registry.served.url)).status, 200)
})

test('neither keys nor accounts can be read in the directory without its secret', { skip }, async () => {
  await using registry = await certified()
  await isCertified(registry)
  using database = new DatabaseSync(join(registry.directory, 'registry.db'))
  const rows = database.prepare('SELECT name, text FROM acme_texts').all() as { name: string; text: string }[]
  assert.deepEqual(rows.map(({ name }) => name).sort(), [`account ${pebble.directory}`, 'certificate'])
  assert.ok(rows.every(({ text }) => text.startsWith('sealed:')))
  assert.equal(statSync(join(registry.directory, 'registry.db')).mode & 0o077, 0)
  assert.equal(statSync(join(registry.directory, 'secret')).mode & 0o077, 0)
})

test('handshakes of authorities that ask for nothing that is known are ended, others go on as ever', {
  skip,
}, async () => {
  await using registry = await certified()
  await isCertified(registry)
  const [host, port] = registry.served.address.split(':')
  const shake = async (options: ConnectionOptions) => {
    const socket = connect({ host, port: Number(port), rejectUnauthorized: false, ...options })
    try {
      await once(socket, 'secureConnect')
      return socket.getPeerCertificate().subjectaltname
    } finally {
      socket.destroy()
    }
  }
  await assert.rejects(shake({ servername: NAMES[0]!, ALPNProtocols: ['acme-tls/1'] }))
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    const names = await shake({ servername: NAMES[0]!, ALPNProtocols: ['http/1.1'], maxVersion })
    assert.equal(names, 'DNS:registry.example, DNS:images.example')
  }
  assert.equal((await ask(registry.served.url)).status, 200)
  // A client whose first message comes in pieces, and one that says nothing of TLS.
  const split = netConnect(Number(port), host)
  const pieces = connect({ socket: slowly(split), servername: NAMES[0]!, rejectUnauthorized: false })
  pieces.on('error', () => undefined)
  await once(pieces, 'secureConnect')
  split.destroy()
  const plain = netConnect(Number(port), host)
  plain.on('error', () => undefined).write('GET / HTTP/1.1\r\n\r\n')
  await once(plain.resume(), 'close')
})

test('a configuration file names the authority, and whom clients need a certificate of besides', { skip }, async () => {
  await using place = await temporaryDirectory('bale-acme')
  const client = selfSigned('client.example')
  const path = (name: string) => join(place.path, name)
  const write = (name: string, text: string) => writeFileSync(path(name), text, { mode: 0o600 })
  write('ca.pem', pebble.authorities)
  write('clients.pem', client.cert)
  const acme = { directory: pebble.directory, names: NAMES, 'ca-file': 'ca.pem', 'agree-to-terms': true }
  const tls = { acme, 'client-authorities': 'clients.pem' }
  write('r.yaml', JSON.stringify({ directory: 'data', listen: { address: `127.0.0.1:${pebble.tlsPort}`, tls } }))
  const told: string[] = []
  const report = ({ message }: Error) => void told.push(message)
  await using served = await serveConfigured(await readConfiguration(path('r.yaml')), { environment: {}, report })
  assert.equal(served.reloads, true)
  await isCertified({ served, told })
  await assert.rejects(ask(served.url))
  assert.equal((await ask(served.url, client)).status, 200)
})

for (const challenge of ['tls-alpn-01', 'http-01'] as const) {
  test(`several processes of one machine have one certificate, by ${challenge}`, { skip }, async () => {
    await using place = await temporaryDirectory('bale-acme')
    const path = (name: string) => join(place.path, name)
    writeFileSync(path('ca.pem'), pebble.authorities)
    const http = { challenge, 'http-address': `127.0.0.1:${pebble.httpPort}` }
    const acme = {
      ...{ directory: pebble.directory, names: NAMES, 'ca-file': 'ca.pem', 'agree-to-terms': true },
      ...(challenge === 'http-01' && http),
    }
    const port = challenge === 'http-01' ? 0 : pebble.tlsPort
    const listen = { address: `127.0.0.1:${port}`, workers: 2, tls: { acme } }
    writeFileSync(path('r.yaml'), JSON.stringify({ directory: 'data', listen }))
    const told: string[] = []
    const report = ({ message }: Error) => void told.push(message)
    const before = pebble.output().split('Issued certificate').length
    await using served = await serveConfigured(await readConfiguration(path('r.yaml')), { environment: {}, report })
    await isCertified({ served, told })
    // Connections that stay open, so that both processes get some.
    const [host, at] = served.address.split(':')
    const sockets = await until('both processes show it', async () => {
      const open = Array.from({ length: 4 }, () => connect({ host, port: Number(at), rejectUnauthorized: false }))
      const shown = await Promise.all(
        open.map((socket) =>
          once(socket, 'secureConnect').then(
            () => socket.getPeerCertificate().serialNumber,
            () => undefined,
          ),
        ),
      )
      if (shown.every((serial) => serial !== undefined && serial === shown[0])) return open
      for (const socket of open) socket.destroy()
      return undefined
    })
    for (const socket of sockets) socket.destroy()
    assert.equal(pebble.output().split('Issued certificate').length, before + 1)
    assert.deepEqual(told, [])
  })
}

const skipTwo = skip || withoutPostgres()

test('two replicas have one certificate: one orders, the other answers the authority', { skip: skipTwo }, async () => {
  await using postgres = await startPostgres()
  await using place = await temporaryDirectory('bale-acme')
  const url = await postgres.database()
  const secret = randomBytes(32)
  await using meta = disposable(await openPostgresMeta({ url }))
  await meta.takeTurn('certificate', 'the test', 60_000)
  const told: string[] = []
  const replica = async (port: number, tlsEvery: number) => {
    const objects = createFileObjects(join(place.path, 'objects'))
    const registry = await openRegistry({ meta: await openPostgresMeta({ url }), objects, secret })
    const acme = { directory: pebble.directory, names: NAMES, authorities: pebble.authorities }
    const report = ({ message }: Error) => void told.push(message)
    return await listenWith(registry, { port, tlsEvery, tls: { acme }, report })
  }
  const issued = () => pebble.output().split('Issued certificate').length
  const before = issued()
  await using orders = await replica(0, 10)
  await using answers = await replica(pebble.tlsPort, 60_000)
  await systemClock.sleep(100)
  assert.equal(issued(), before, 'it is not their turn')
  await meta.endTurn('certificate', 'the test')
  for (const served of [orders, answers]) await isCertified({ served, told })
  assert.equal((await ask(orders.url)).serial, (await ask(answers.url)).serial)
  assert.equal(issued(), before + 1)
  await assert.rejects(
    openRegistry({
      meta: await openPostgresMeta({ url }),
      objects: createFileObjects(place.path),
      secret: randomBytes(32),
    }).then(async (registry) => {
      await using _ = registry
      await registry.obtainCertificate({ directory: pebble.directory, names: NAMES, challenge: 'http-01' })
    }),
    { code: 'DENIED', message: /the secret is not the one that the certificates of this registry are sealed with/ },
  )
})

const disposable = (meta: MetaStore) => ({ ...meta, [Symbol.asyncDispose]: () => meta.close() })

/** A connection whose bytes go out one by one. */
function slowly(socket: Socket): Duplex {
  return Duplex.from({
    readable: socket,
    writable: new Writable({
      async write(chunk: Buffer, _encoding, done) {
        for (const byte of chunk) socket.write(Buffer.from([byte]))
        done()
      },
    }),
  })
}

async function isCertified({
  served,
  told,
}: {
  served: Pick<ServedRegistry, 'certified'>
  told: readonly string[]
}): Promise<void> {
  let certified = false
  void served.certified!.then(() => {
    certified = true
  })
  await until('there is a certificate', () => {
    if (told.length > 0) throw new Error(told.join())
    return certified
  })
}

/** Longer than a registry takes to look several times. */
const looked = () => systemClock.sleep(300)
