import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { isBaleError } from '#base'
import { deleteNetworkNamespace } from '#host'
import type { Store } from '#store'
import { BUSYBOX } from '../../../test/kit/busybox-rootfs.ts'
import type { Connection, Network, PublishedPort } from '../model/index.ts'
import { openRecords } from '../records/index.ts'
import type { Connections } from './connections.ts'
import { createNetwork, defaultNetwork } from './network.ts'

export interface NetworkUnderTest extends AsyncDisposable {
  connections: Connections
  store: Store
  /** A directory of this test's own. */
  directory: string
  /** Names of what the driver has on this machine now: interfaces, rules, helpers. Empty when it has nothing. */
  traces(): string[]
}

/** What joins containers to networks, as bale relies on it. Tests stand in for containers with namespaces that run busybox. */
export function networkContract(name: string, skip: string | false, create: () => Promise<NetworkUnderTest>): void {
  const check = (title: string, body: (box: Box, connections: Connections) => Promise<void>) =>
    test(`${name}: ${title}`, { skip }, async () => {
      await using under = await create()
      await using box = new Box(under)
      await body(box, under.connections)
    })

  check('two owners on one network reach each other; leaving gives the address to the next', async (box) => {
    const network = await box.network('app')
    const [one, two] = [await box.join('one', [network]), await box.join('two', [network])]
    await box.serve(one, 'I am one')
    assert.equal(await box.fetch(two, one.on(network).address), 'I am one')
    await box.end(one)
    const three = await box.join('three', [network])
    assert.equal(three.on(network).address, one.on(network).address)
  })

  check('names and aliases are answered on their network alone, and follow a rename', async (box, connections) => {
    const [app, other] = [await box.network('app'), await box.network('other')]
    const db = await box.join('db', [app], { aliases: ['database'] })
    const [near, far] = [await box.join('near', [app]), await box.join('far', [other])]
    const { address } = db.on(app)
    for (const asked of ['db', 'database']) assert.equal(box.resolve(near, app, asked), address, asked)
    assert.equal(box.resolve(far, other, 'db'), undefined)
    await connections.rename(db.id, 'store', () => ['shop'])
    await box.until(() => box.resolve(near, app, 'store') === address)
    assert.equal(box.resolve(near, app, 'shop'), address)
    assert.equal(box.resolve(near, app, 'database'), undefined)
  })

  check('an owner is on several networks, goes out by one of them, and leaves one alone', async (box, connections) => {
    const [app, back] = [await box.network('app'), await box.network('back', { internal: true })]
    const both = await box.join('both', [app, back])
    const [near, behind] = [await box.join('near', [app]), await box.join('behind', [back])]
    await box.serve(both, 'both')
    for (const [from, network] of [
      [near, app],
      [behind, back],
    ] as const)
      assert.equal(await box.fetch(from, both.on(network).address), 'both', network.name)
    assert.deepEqual(box.defaultRoutes(both), [app.document.gateway])
    assert.deepEqual(box.defaultRoutes(behind), [], 'an internal network has no way out')
    await connections.leave(both.id, both.on(back))
    assert.equal(await box.fetch(near, both.on(app).address), 'both')
    assert.deepEqual(box.interfaces(both), ['eth0', 'lo'])
    assert.deepEqual(
      (await box.under.store.addresses.list(back.id)).map(({ owner }) => owner),
      [behind.id],
    )
  })

  check('a published port leads to its owner, and to its other network when it is moved', async (box, connections) => {
    const [app, other] = [await box.network('app'), await box.network('other')]
    const ports = [{ containerPort: 80, protocol: 'tcp' as const, hostPort: 18481 }]
    const web = await box.join('web', [app, other], { ports })
    await box.serve(web, 'web')
    const published = { hostIp: '0.0.0.0', ...ports[0]! } satisfies PublishedPort
    assert.deepEqual(web.on(app).ports, [published])
    assert.equal(await box.fetch(undefined, '127.0.0.1:18481'), 'web')
    await assert.rejects(box.join('second', [app], { ports }), (error) => isBaleError(error, 'CONFLICT'))
    const to = { ...web.on(other), ports: [published] }
    await connections.movePorts({ owner: web.id, name: 'web', network: other, from: web.on(app), to })
    await connections.leave(web.id, web.on(app))
    assert.equal(await box.fetch(undefined, '127.0.0.1:18481'), 'web')
    await box.end(web)
    assert.deepEqual(await box.under.store.ports.list(), [])
    const next = await box.join('next', [app], { ports })
    await box.serve(next, 'next')
    assert.equal(await box.fetch(undefined, '127.0.0.1:18481'), 'next', 'a freed port is free')
  })

  check('an owner whose namespace is lost is disconnected, and connected again', async (box, connections) => {
    const network = await box.network('app')
    const ports = [{ containerPort: 80, protocol: 'tcp' as const, hostPort: 18482 }]
    const first = await box.join('first', [network], { ports })
    await deleteNetworkNamespace(connections.namespacePath(first.id))
    await connections.disconnect(first.id)
    assert.deepEqual(await box.under.store.addresses.list(network.id), [])
    const again = await box.join('first', [network], { ports, id: first.id })
    await box.serve(again, 'back')
    assert.equal(await box.fetch(undefined, '127.0.0.1:18482'), 'back')
  })

  check(
    'nothing is left of owners and networks; both are taken away twice without an error',
    async (box, connections) => {
      const plain = await defaultNetwork(openRecords(box.under.store), identity)
      const named = await box.network('app')
      const owners = [
        await box.join('one', [plain]),
        await box.join('two', [plain, named], { ports: [{ containerPort: 80, protocol: 'udp' }] }),
      ]
      assert.notDeepEqual(box.under.traces(), [])
      for (const network of [plain, named]) assert.equal(await connections.takeDown(network), false, 'it is in use')
      for (const { id } of owners) {
        await connections.disconnect(id)
        await connections.disconnect(id)
        assert.equal(existsSync(connections.namespacePath(id)), false)
      }
      for (const network of [plain, named, plain, named]) assert.equal(await connections.takeDown(network), true)
      assert.deepEqual(box.under.traces(), [])
      assert.deepEqual(await box.under.store.ports.list(), [])
    },
  )

  check('an owner without a network has a loopback interface that is up', async (box, connections) => {
    const alone = await box.join('alone', [])
    await connections.setLoopback(alone.id)
    await box.serve(alone, 'alone')
    assert.equal(await box.fetch(alone, '127.0.0.1'), 'alone')
    assert.deepEqual(box.interfaces(alone), ['lo'])
    await box.end(alone)
  })
}

interface Owner {
  id: string
  on(network: Network): Connection
}

/** For owners without a network. */
const onNone = (): never => assert.fail('it is on no network')

interface Join {
  id?: string
  aliases?: string[]
  ports?: { containerPort: number; protocol: 'tcp' | 'udp'; hostPort?: number }[]
}

const ownerId = () => randomBytes(32).toString('hex')
const identity = () => ({ id: ownerId(), created: Date.now() })

/** Owners, their networks and the servers in them, all ended and taken down at the end. */
class Box implements AsyncDisposable {
  readonly under: NetworkUnderTest
  readonly #servers = new Map<string, ChildProcess>()
  readonly #owners = new Set<string>()

  constructor(under: NetworkUnderTest) {
    this.under = under
  }

  network(name: string, options: { internal?: boolean } = {}): Promise<Network> {
    return createNetwork(openRecords(this.under.store), { name, ...options }, identity())
  }

  /** Claims and connects as a start does; the ports are published on the first network. */
  async join(
    name: string,
    networks: readonly Network[],
    { id = ownerId(), aliases, ports }: Join = {},
  ): Promise<Owner> {
    const { connections } = this.under
    const claimed: Connection[] = []
    this.#owners.add(id)
    await connections.createNamespace(id)
    for (const [index, network] of networks.entries()) {
      const interfaceName = `eth${index}`
      const request = { owner: id, network, interfaceName, aliases: aliases ?? [], ports: index === 0 ? ports : [] }
      const connection = await connections.claim(request)
      await connections.connect({ owner: id, name, network, connection })
      claimed.push(connection)
    }
    if (claimed.length > 0) await connections.setDefaultRoute(id, claimed)
    return { id, on: (network) => claimed.find(({ networkId }) => networkId === network.id)! }
  }

  async end(owner: Owner): Promise<void> {
    const server = this.#servers.get(owner.id)
    this.#servers.delete(owner.id)
    if (server && server.exitCode === null && server.signalCode === null) {
      server.kill('SIGKILL')
      await once(server, 'exit')
    }
    this.#owners.delete(owner.id)
    await this.under.connections.disconnect(owner.id)
  }

  /** Answers every request inside the owner's namespace with this text; returns when it does. */
  async serve(owner: Owner, text: string): Promise<void> {
    const directory = join(this.under.directory, `www-${owner.id.slice(0, 12)}`)
    mkdirSync(directory)
    writeFileSync(join(directory, 'index.html'), text)
    const args = this.#within(owner, ['httpd', '-f', '-p', '80', '-h', directory])
    this.#servers.set(owner.id, spawn('nsenter', args, { stdio: 'ignore' }))
    await this.until(() => /:0050 0+:0000 0A/.test(this.#run(owner, ['cat', '/proc/net/tcp', '/proc/net/tcp6'])))
  }

  /** What an address answers; seen from an owner, or from the machine itself. */
  async fetch(from: Owner | undefined, address: string): Promise<string> {
    const wget = ['wget', '-q', '-O', '-', `http://${address}/`]
    const args = from ? this.#within(from, wget) : wget
    const child = spawn(from ? 'nsenter' : BUSYBOX, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    let text = ''
    for await (const chunk of child.stdout) text += String(chunk)
    return text
  }

  /** The address of a name as the network's own server answers it. */
  resolve(from: Owner, network: Network, asked: string): string | undefined {
    const said = this.#run(from, ['nslookup', `${asked}.`, network.document.gateway])
    return /^Name:.*\nAddress: (\S+)/m.exec(said)?.[1]
  }

  defaultRoutes(owner: Owner): string[] {
    return [...this.#run(owner, ['ip', 'route']).matchAll(/^default via (\S+)/gm)].map((match) => match[1]!)
  }

  interfaces(owner: Owner): string[] {
    return [...this.#run(owner, ['ip', '-o', 'link']).matchAll(/^\d+: ([^:@]+)/gm)].map((match) => match[1]!).sort()
  }

  /** Asks again until it is so; a test that waits in vain is ended by the limit of the whole run. */
  async until(isSo: () => boolean): Promise<void> {
    while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 20))
  }

  #within(owner: Owner, args: readonly string[]): string[] {
    return [`--net=${this.under.connections.namespacePath(owner.id)}`, BUSYBOX, ...args]
  }

  #run(owner: Owner, args: readonly string[]): string {
    return spawnSync('nsenter', this.#within(owner, args), { encoding: 'utf8' }).stdout
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const id of [...this.#owners]) await this.end({ id, on: onNone })
    for (const network of await openRecords(this.under.store).networks.list())
      await this.under.connections.takeDown(network)
  }
}
