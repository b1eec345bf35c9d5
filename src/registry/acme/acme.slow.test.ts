/** Certificates from pebble, a real authority, for registries that listen where it asks. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { request } from 'node:https'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { connect, type TLSSocket } from 'node:tls'
import { systemClock } from '#base'
import { type Pebble, startPebble, withoutPebble } from '../../../test/kit/pebble.ts'
import { temporaryDirectory } from '../../../test/kit/temporary.ts'
import { until } from '../../../test/kit/until.ts'
import { type ServedRegistry, type ServeOptions, serveRegistry } from '../index.ts'

const skip = withoutPebble()
const pebble: Pebble = skip ? (undefined as never) : await startPebble({ refusedNonces: 60 })
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

type Wanted = Partial<ServeOptions> & { names?: string[]; place?: string; challengePort?: number; authority?: string }

/** A registry that listens where pebble asks by tls-alpn-01, or by http-01 at `challengePort`. */
async function certified({ names = NAMES, place, challengePort, authority, ...options }: Wanted = {}): Promise<Certified> {
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
        acme: { directory: authority ?? pebble.directory, names, authorities: pebble.authorities, contact: 'ann@one.example' },
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
async function ask(url: string, servername = NAMES[0]!) {
  const outgoing = request(`${url}/livez`, { rejectUnauthorized: false, agent: false, servername }).end()
  const [response] = await once(outgoing, 'response')
  const { serialNumber, subjectaltname } = (response.socket as TLSSocket).getPeerCertificate()
  await response.resume().toArray()
  return { status: response.statusCode as number, serial: serialNumber, names: subjectaltname }
}

test('a registry without a certificate refuses clients, obtains one by tls-alpn-01 and serves', { skip }, async () => {
  await using registry = await certified()
  const { served } = registry
  assert.ok(served.certified)
  await assert.rejects(ask(served.url), 'there is none yet')
  await served.certified
  const { status, names } = await ask(served.url)
  assert.deepEqual([status, names], [200, 'DNS:registry.example, DNS:images.example'])
  assert.deepEqual(registry.told, [])
})
