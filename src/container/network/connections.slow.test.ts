import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs'
import { createServer, get } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { isBaleError } from '#base'
import { readTextSync } from '#host/file'
import { cannotRunContainers } from '../../../test/kit/busybox-rootfs.ts'
import { type ContainerMachine, containerMachine } from '../../../test/kit/container-machine.ts'
import { inOwnNetwork } from '../../../test/kit/own-network.ts'
import { until, untilItWorks } from '../../../test/kit/until.ts'
import { takeDownIdleNetworks } from '../manager/finalize.ts'
import { removeContainer } from '../manager/remove.ts'
import { stopContainer } from '../manager/stop.ts'
import type { HostOptions } from '../model/options.ts'
import { openRecords } from '../records/index.ts'
import { newId } from '../state/machinery.ts'
import { findContainer, mustRun, seeContainer } from '../state/state.ts'
import { macOf } from './netavark-request.ts'
import { createNetwork, defaultNetwork } from './network.ts'

const bridges = () => readdirSync('/sys/class/net').filter((name) => /^(bale-|bla-|blb-|bv-|veth)/.test(name))
const rules = () => execFileSync('/usr/sbin/iptables-save', { encoding: 'utf8' }).match(/^-A .*10\.1\d\d\..*$/gm) ?? []

function fetchText(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get(url, (response) => {
      let text = ''
      response.on('data', (chunk: Buffer) => {
        text += chunk.toString()
      })
      response.on('end', () => resolve(text))
    }).on('error', reject)
  })
}

async function server(machine: ContainerMachine, name: string, host: HostOptions) {
  const script = `echo I am ${name} > /tmp/index.html; exec httpd -f -p 80 -h /tmp`
  const { id } = await machine.create({ ...machine.options(['sh', '-c', script], {}, host), name })
  await machine.start(id)
  return findContainer(machine.machinery, id)
}

inOwnNetwork(import.meta.url, () => {
  const skip = cannotRunContainers()
  const timeout = 240_000

  test('a published port answers on the host and to the container itself; two containers cannot share it', {
    skip,
    timeout,
  }, async () => {
    await using machine = await containerMachine()
    const ports = [{ containerPort: 80, protocol: 'tcp' as const, hostPort: 18480 }]
    const web = await server(machine, 'web', { ports })
    assert.equal(await untilItWorks(() => fetchText('http://127.0.0.1:18480/')), 'I am web\n')
    const { execContainer } = await import('../manager/exec.ts')
    const own = await execContainer(machine.machinery, 'web', {
      args: ['wget', '-qO-', `http://${web.document.connections[0]!.gateway}:18480/`],
    })
    let text = ''
    for await (const { bytes } of own.attach!.output()) text += Buffer.from(bytes).toString()
    assert.deepEqual([text, await own.exit()], ['I am web\n', 0], 'hairpin')
    await own[Symbol.asyncDispose]()
    const { address } = web.document.connections[0]!
    const neighbour = await machine.run(machine.options(['sh', '-c', `wget -qO- http://${address}/; ip route`], {}, {}))
    assert.match(neighbour.stdout, /^I am web\ndefault via /, 'a bridge that is up is joined without netavark')
    assert.equal(bridges().filter((name) => name.startsWith('bv-')).length, 1)
    await machine.cleanup(neighbour.id)
    // The kernel takes interfaces down after their namespace, in its own time.
    await until('its interface is gone', () => bridges().every((name) => !name.startsWith('bv-')))
    await assert.rejects(server(machine, 'other', { ports }), /port is already allocated/)
    await removeContainer(machine.machinery, web.id, { force: true })
    await machine.start((await findContainer(machine.machinery, 'other')).id)
    assert.equal(await untilItWorks(() => fetchText('http://127.0.0.1:18480/')), 'I am other\n', 'a freed port is free')
  })

  test('who looks into the network of a container disturbs neither its next start nor the next one with its address', {
    skip,
    timeout,
  }, async () => {
    await using machine = await containerMachine()
    const isUp = (link: string) => (Number(readTextSync(`/sys/class/net/${link}/flags`)) & 1) === 1
    const links = () => bridges().filter((name) => /^(bv-|veth)/.test(name))
    const watched: number[] = []
    // As with nsenter or tcpdump: the kernel keeps the namespace and its interfaces until they end.
    const watch = async () => {
      const { state } = mustRun(await seeContainer(machine.machinery, 'web'))
      watched.push(openSync(`/proc/${state.process!.pid}/ns/net`, 'r'))
    }
    try {
      // The first one has an interface of netavark's, the others of bale's.
      const web = await server(machine, 'web', {})
      for (const _ of [1, 2, 3]) {
        await watch()
        await stopContainer(machine.machinery, web.id, { timeout: 0 })
        assert.deepEqual(links().filter(isUp), [], 'old interfaces say nothing')
        await machine.start(web.id)
      }
      await watch()
      await removeContainer(machine.machinery, web.id, { force: true })
      const next = await server(machine, 'next', {})
      assert.equal(next.document.connections[0]!.address, web.document.connections[0]!.address)
      assert.deepEqual(links().filter(isUp), [`bv-${next.id.slice(0, 12)}`], 'one interface has the address')
      assert.ok(links().length > 1, 'the old interfaces are still there')
    } finally {
      for (const one of watched) closeSync(one)
    }
  })

  test('two stores take different ranges although neither has its bridge yet, and keep them', {
    skip,
    timeout,
  }, async () => {
    await using one = await containerMachine()
    await using other = await containerMachine()
    const claim = async ({ machinery }: ContainerMachine) => {
      const network = await defaultNetwork(machinery.records, () => ({ id: newId(), created: 1 }))
      return machinery.networks.claim({ owner: newId(), network })
    }
    // As for two builds at once in each: the second claim comes before the bridge of the first.
    const first = await Promise.all([claim(one), claim(other)])
    const second = await Promise.all([claim(other), claim(one)])
    assert.notEqual(first[0].gateway, first[1].gateway)
    assert.deepEqual([second[1].gateway, second[0].gateway], [first[0].gateway, first[1].gateway])
    const web = await server(other, 'web', {})
    assert.equal(web.document.connections[0]!.gateway, first[1].gateway)
    assert.equal((await claim(one)).gateway, first[0].gateway, 'with the bridge of the other store up')
  })

  test('whoever saw a network before it moved gets an address of where it is', { skip, timeout }, async () => {
    await using one = await containerMachine()
    await using other = await containerMachine()
    const networkOf = ({ machinery }: ContainerMachine) =>
      defaultNetwork(machinery.records, () => ({ id: newId(), created: 1 }))
    const seen = await networkOf(one)
    await server(other, 'web', {})
    // As for two builds at once: both have looked, the first one moves the network.
    const first = await one.machinery.networks.claim({ owner: newId(), network: seen })
    const second = await one.machinery.networks.claim({ owner: newId(), network: seen })
    assert.notEqual(first.gateway, seen.document.gateway)
    assert.equal(second.gateway, first.gateway)
    assert.notEqual(second.address, first.address)
  })

  test('a range that was claimed for nothing is free again', { skip, timeout }, async () => {
    await using one = await containerMachine()
    await using other = await containerMachine()
    const networkOf = ({ machinery }: ContainerMachine) =>
      defaultNetwork(machinery.records, () => ({ id: newId(), created: 1 }))
    const owner = newId()
    const { gateway } = await one.machinery.networks.claim({ owner, network: await networkOf(one) })
    await one.machinery.networks.disconnect(owner)
    await takeDownIdleNetworks(one.machinery)
    const next = await other.machinery.networks.claim({ owner: newId(), network: await networkOf(other) })
    assert.equal(next.gateway, gateway)
  })

  test('a port that a program of the host uses is refused, and nothing of the start is left', {
    skip,
    timeout,
  }, async () => {
    await using machine = await containerMachine()
    const busy = createServer()
    await new Promise<void>((resolve) => busy.listen(0, '0.0.0.0', resolve))
    try {
      const hostPort = (busy.address() as AddressInfo).port
      await assert.rejects(
        server(machine, 'web', { ports: [{ containerPort: 80, protocol: 'tcp', hostPort }] }),
        (error) => isBaleError(error, 'CONFLICT') && /address already in use/.test(error.message),
      )
    } finally {
      busy.close()
    }
    assert.deepEqual(await machine.store.ports.list(), [])
    const [network] = await machine.store.networks.list()
    assert.deepEqual(await machine.store.addresses.list(network!.id), [])
  })

  test('containers of a network of their own find each other by name; an internal one has no way out', {
    skip,
    timeout,
  }, async () => {
    await using machine = await containerMachine()
    const identity = () => ({ id: newId(), created: Date.now() })
    await createNetwork(openRecords(machine.store), { name: 'app', internal: true }, identity())
    await server(machine, 'db', { network: 'app', networkAliases: ['database'] })
    const asks = ['sh', '-c', 'for n in db database; do wget -qO- http://$n/ || exit 9; done; ip route']
    const ran = await machine.run(machine.options(asks, {}, { network: 'app' }))
    assert.equal(ran.code, 0, ran.stderr)
    assert.match(ran.stdout, /^I am db\nI am db\n/)
    assert.doesNotMatch(ran.stdout, /default/)
    await assert.rejects(
      createNetwork(openRecords(machine.store), { name: 'again', subnets: ['10.140.0.0/16'] }, identity()),
      /Pool overlaps/,
    )
  })

  test('the network goes down when nobody is on it, and is made again for the next one', {
    skip,
    timeout,
  }, async () => {
    await using machine = await containerMachine()
    const first = await machine.run(machine.options(['ip', 'route'], {}, {}))
    assert.match(first.stdout, /default via 10\.1\d\d\.0\.1 /)
    assert.ok(bridges().length >= 3)
    const second = await machine.run(machine.options(['true'], {}, { ports: [{ containerPort: 1, protocol: 'udp' }] }))
    await machine.cleanup(first.id)
    await machine.cleanup(second.id)
    await takeDownIdleNetworks(machine.machinery)
    await until('no interface is left', () => bridges().length === 0)
    assert.deepEqual(rules(), [])
    assert.equal((await machine.run(machine.options(['ip', 'route'], {}, {}))).code, 0)
  })

  test('a bridge keeps its address whoever comes and goes: the others would lose their gateway', {
    skip,
    timeout,
  }, async () => {
    await using machine = await containerMachine()
    const network = await createNetwork(
      openRecords(machine.store),
      { name: 'app' },
      { id: newId(), created: Date.now() },
    )
    const bridge = `/sys/class/net/${network.document.interfaceName}`
    const address = () => readFileSync(`${bridge}/address`, 'latin1').trim()
    const first = await server(machine, 'first', { network: 'app' })
    const before = address()
    assert.equal(before, macOf(network.document.gateway))
    // Without an address of its own the bridge takes the lowest of its ports, whose addresses are random.
    for (const name of ['second', 'third', 'fourth']) {
      const { id } = await server(machine, name, { network: 'app' })
      assert.equal(address(), before)
      await removeContainer(machine.machinery, id, { force: true })
      assert.equal(address(), before)
    }
    await removeContainer(machine.machinery, first.id, { force: true })
  })

  test('a bridge whose store was deleted is taken down by whoever makes the next one', { skip, timeout }, async () => {
    const { rename } = await import('node:fs/promises')
    await using machine = await containerMachine()
    const first = await machine.run(machine.options(['true'], {}, {}))
    await machine.cleanup(first.id)
    const second = await machine.run(machine.options(['true'], {}, {}))
    assert.equal(bridges().filter((name) => name.startsWith('bale-')).length, 1)
    const database = `${machine.store.root}/bale.db`
    await rename(database, `${database}.gone`)
    await using other = await containerMachine()
    await other.run(other.options(['true'], {}, {}))
    const [network] = await openRecords(other.store).networks.list()
    assert.deepEqual(
      bridges().filter((name) => name.startsWith('bale-')),
      [network!.document.interfaceName],
    )
    await rename(`${database}.gone`, database)
    await machine.cleanup(second.id)
  })

  test('the default network leaves a range that the machine uses by now', { skip, timeout }, async () => {
    await using machine = await containerMachine()
    const first = await machine.run(machine.options(['true'], {}, {}))
    const { networks } = openRecords(machine.store)
    const { subnet } = (await networks.find('bridge'))!.document
    await machine.cleanup(first.id)
    execFileSync('ip', ['link', 'add', 'taken', 'type', 'bridge'])
    try {
      execFileSync('ip', ['addr', 'add', subnet.replace('.0.0/', '.0.9/'), 'dev', 'taken'])
      execFileSync('ip', ['link', 'set', 'taken', 'up'])
      assert.equal((await machine.run(machine.options(['true'], {}, {}))).code, 0)
      const moved = (await networks.find('bridge'))!.document.subnet
      assert.notEqual(moved, subnet)
    } finally {
      execFileSync('ip', ['link', 'del', 'taken'])
    }
  })
})
