import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { test } from 'node:test'
import { disposable } from '../../src/base/index.ts'
import type { CreateNetworkOptions, HostOptions } from '../../src/container/index.ts'
import { startContainer } from '../../src/container/manager/start.ts'
import { pathsOf } from '../../src/container/state/machinery.ts'
import { cannotRunContainers } from '../kit/busybox-rootfs.ts'
import { type ContainerMachine, containerMachine } from '../kit/container-machine.ts'
import { inOwnNetwork } from '../kit/own-network.ts'
import { until } from '../kit/until.ts'

/** A running container that says its name on port 80. */
async function serve(machine: ContainerMachine, name: string, host: HostOptions = {}, hostname?: string) {
  const script = `echo I am ${name} > /tmp/index.html; trap 'exit 0' TERM; httpd -p 80 -h /tmp; while :; do sleep 0.1; done`
  const options = machine.options(['sh', '-c', script], hostname === undefined ? {} : { hostname }, host)
  const { id } = await machine.create({ ...options, name })
  await machine.start(id)
  return (await machine.containers.state.find(id)).document.connections[0]?.address ?? ''
}

/** What a shell in a container prints; its exit code on the last line. */
async function inside(machine: ContainerMachine, name: string, script: string): Promise<string> {
  await using running = await machine.containers.exec.start(name, { args: ['sh', '-c', `${script}\necho $?`] })
  let text = ''
  for await (const { bytes } of running.attach!.output()) text += Buffer.from(bytes).toString()
  await running.exit()
  return text
}

/** The page of a server; asked for until it comes, since servers come up meanwhile. */
async function page(machine: ContainerMachine, from: string, address: string): Promise<string> {
  const script = `until timeout 5 wget -qO- http://${address}/ 2>/dev/null; do sleep 0.2; done`
  return inside(machine, from, script)
}

/** The same when it must not be reached: one try is enough, since others were answered before. */
async function isReached(machine: ContainerMachine, from: string, address: string): Promise<boolean> {
  return /I am/.test(await inside(machine, from, `timeout 1 wget -qO- http://${address}/ 2>&1`))
}

async function network(machine: ContainerMachine, name: string, more: Partial<CreateNetworkOptions> = {}) {
  return machine.containers.networks.create({ name, ...more })
}

const chain = () => execFileSync('/usr/sbin/iptables', ['-S'], { encoding: 'utf8' }).match(/BALE-FORWARD/g) ?? []

inOwnNetwork(import.meta.url, () => {
  const skip = cannotRunContainers()
  const timeout = 240_000

  test('networks are walled off from each other; published ports are the way between them', {
    skip,
    timeout,
  }, async () => {
    await using machine = await containerMachine()
    await network(machine, 'one')
    await network(machine, 'two')
    const inner = await network(machine, 'inner', { internal: true })
    const addresses = {
      plain: await serve(machine, 'plain'),
      one: await serve(machine, 'one', { network: 'one' }),
      two: await serve(machine, 'two', {
        network: 'two',
        ports: [{ containerPort: 80, protocol: 'tcp', hostPort: 18481 }],
      }),
      inner: await serve(machine, 'inner', { network: 'inner' }),
    }
    await serve(machine, 'friend', { network: 'one' })
    assert.match(await page(machine, 'friend', addresses.one), /^I am one/, 'the own network is open')
    for (const from of ['plain', 'one', 'two', 'inner'] as const) {
      const others = Object.entries(addresses).filter(([name]) => name !== from)
      const asks = others.map(([, address]) => `timeout 1 wget -qO- http://${address}/ 2>&1 &`).join('\n')
      assert.doesNotMatch(await inside(machine, from, `${asks}\nwait`), /I am/, `others from ${from}`)
    }
    const gateway = (await machine.containers.state.find('two')).document.connections[0]!.gateway
    assert.match(await page(machine, 'one', `${gateway}:18481`), /^I am two/, 'a published port is open to all')
    assert.match(await page(machine, 'two', `${gateway}:18481`), /^I am two/, 'also to its own network')
    // An internal network has no way out, also when its container makes a route for itself.
    const out = `ip route add default via ${inner.document.gateway} 2>&1; timeout 1 wget -qO- http://${addresses.plain}/`
    assert.doesNotMatch(await inside(machine, 'inner', out), /I am/)
    for (const name of ['plain', 'one', 'friend', 'two', 'inner'])
      await machine.containers.lifecycle.remove(name, { force: true })
    await machine.containers.networks.takeDownIdle()
    assert.deepEqual(chain(), [], 'no rule is left')
  })

  test('names of a network are found while they are true, in any case, and only there', { skip, timeout }, async () => {
    await using machine = await containerMachine()
    await network(machine, 'app')
    await network(machine, 'elsewhere')
    await serve(machine, 'asker', { network: 'app' })
    await serve(machine, 'stranger', { network: 'elsewhere' })
    const address = await serve(machine, 'db', { network: 'app', networkAliases: ['Data.Base'] }, 'dbhost')
    const { id } = await machine.containers.state.find('db')
    const finds = async (from: string, name: string) => {
      const said = await inside(machine, from, `nslookup -type=a ${name} | tail -n +3`)
      return /^Address: (\S+)/m.exec(said)?.[1]
    }
    for (const name of ['db', 'DB', 'data.base', 'DATA.base', 'dbhost', 'DbHost', id.slice(0, 12)])
      assert.equal(await finds('asker', name), address, name)
    assert.match(await inside(machine, 'asker', `nslookup ${address}`), /name = db\b/, 'by address')
    assert.equal(await finds('stranger', 'db'), undefined, 'another network')
    await machine.containers.lifecycle.rename('db', 'store')
    assert.equal(await finds('asker', 'STORE'), address, 'under its new name')
    assert.equal(await finds('asker', 'db'), undefined, 'no more under the old one')
    await machine.containers.lifecycle.stop('store')
    assert.equal(await finds('asker', 'store'), undefined, 'stopped')
    const other = await serve(machine, 'later', { network: 'app' })
    assert.equal(await finds('asker', 'later'), other)
    await machine.start(id)
    const moved = (await machine.containers.state.find(id)).document.connections[0]!.address
    assert.equal(await finds('asker', 'store'), moved, 'with the address of its new life')
    assert.notEqual(moved, other)
  })

  test('a container on several networks reaches and is found on each; its route and ports go through one of them', {
    skip,
    timeout,
  }, async () => {
    await using machine = await containerMachine()
    for (const [name, subnet] of [
      ['alpha', '10.81.0.0/24'],
      ['beta', '10.82.0.0/24'],
      ['gamma', '10.83.0.0/24'],
    ] as const)
      await network(machine, name, { subnets: [subnet] })
    const onAlpha = await serve(machine, 'ann', { network: 'alpha' })
    const onBeta = await serve(machine, 'bob', { network: 'beta' })
    const ports = [{ containerPort: 80, protocol: 'tcp' as const, hostPort: 18491 }]
    await serve(machine, 'both', {
      networks: [
        { network: 'beta', aliases: ['bothofb'], ipAddress: '10.82.0.77' },
        { network: 'alpha', aliases: ['bothofa'], macAddress: '02:42:00:00:00:0b' },
      ],
      ports,
    })
    const { networks } = machine.containers
    const connections = async (name: string) => (await machine.containers.state.find(name)).document.connections
    assert.deepEqual(
      (await connections('both')).map((one) => [one.networkName, one.interfaceName, one.ports.length]),
      [
        ['beta', 'eth0', 0],
        ['alpha', 'eth1', 1],
      ],
    )
    const routes = (name: string) => inside(machine, name, 'ip route | grep default')
    assert.match(await routes('both'), /^default via 10\.81\.0\.1 dev eth1[^\n]*\n0\n$/, 'one route, by the first name')
    assert.match(await inside(machine, 'both', 'ip addr'), /10\.82\.0\.77\/24[\s\S]*02:42:00:00:00:0b/)
    assert.match(await page(machine, 'both', 'ann'), /^I am ann/)
    assert.match(await page(machine, 'both', 'bob'), /^I am bob/)
    assert.match(await page(machine, 'ann', 'bothofa'), /^I am both/)
    assert.match(await page(machine, 'bob', 'bothofb'), /^I am both/)
    assert.equal(await isReached(machine, 'ann', 'bothofb'), false, 'an alias is of one network')
    assert.equal(await isReached(machine, 'ann', onBeta), false, 'the networks stay apart')
    const published = () => execFileSync('busybox', ['wget', '-qO-', 'http://10.81.0.1:18491/'], { encoding: 'utf8' })
    assert.equal(published(), 'I am both\n')
    // Two more networks of a running container, one of them with the higher priority: route and ports follow.
    await networks.connect('both', { network: 'gamma', gatewayPriority: 5, aliases: ['third'] })
    const onGamma = await serve(machine, 'cat', { network: 'gamma' })
    assert.match(await page(machine, 'both', 'cat'), /^I am cat/)
    assert.match(await page(machine, 'cat', 'third'), /^I am both/)
    assert.match(await routes('both'), /^default via 10\.83\.0\.1 dev eth2[^\n]*\n0\n$/)
    assert.deepEqual(
      (await connections('both')).map((one) => one.ports.length),
      [0, 0, 1],
    )
    assert.equal(published(), 'I am both\n', 'by the same port of the machine')
    assert.match(await page(machine, 'both', onAlpha), /^I am ann/, 'the others stay')
    const third = new RegExp(`^${(await connections('both'))[2]!.address}\t`, 'm')
    assert.match(await inside(machine, 'both', 'cat /etc/hosts'), third)
    await assert.rejects(networks.connect('both', { network: 'gamma' }), {
      code: 'CONFLICT',
      message: 'endpoint with name both already exists in network gamma',
    })
    await assert.rejects(networks.remove('gamma'), /has active endpoints/)
    assert.deepEqual((await networks.connected(await networks.find('gamma'))).map(({ name }) => name).sort(), [
      'both',
      'cat',
    ])
    // And away again, while a connection on another network is open.
    await networks.disconnect('both', 'gamma')
    assert.equal(await isReached(machine, 'both', onGamma), false)
    assert.match(await page(machine, 'both', 'ann'), /^I am ann/)
    assert.match(await routes('both'), /^default via 10\.81\.0\.1 dev eth1[^\n]*\n0\n$/)
    assert.equal(published(), 'I am both\n', 'the port is back')
    assert.doesNotMatch(await inside(machine, 'both', 'cat /etc/hosts'), third)
    await assert.rejects(networks.disconnect('both', 'gamma'), /is not connected to network gamma/)
    // All of it is there after a restart, and under another name.
    await networks.disconnect('both', 'beta')
    await networks.connect('both', { network: 'gamma' })
    await machine.containers.lifecycle.restart('both', { timeout: 0 })
    await machine.containers.lifecycle.rename('both', 'renamed')
    assert.match(await page(machine, 'renamed', 'cat'), /^I am cat/)
    assert.match(await page(machine, 'cat', 'renamed'), /^I am both/)
    assert.equal(await isReached(machine, 'renamed', onBeta), false)
    assert.equal(published(), 'I am both\n')
    // What does not run is changed for its next start.
    await machine.containers.lifecycle.stop('renamed', { timeout: 0 })
    await networks.connect('renamed', { network: 'beta' })
    await networks.disconnect('renamed', 'alpha')
    assert.deepEqual(
      (await machine.containers.state.find('renamed')).document.networks.map((one) => one.network),
      ['gamma', 'beta'],
    )
    await machine.containers.lifecycle.start('renamed')
    assert.match(await page(machine, 'renamed', 'bob'), /^I am bob/)
    for (const name of ['ann', 'bob', 'cat', 'renamed'])
      await machine.containers.lifecycle.remove(name, { force: true })
    for (const name of ['alpha', 'beta', 'gamma']) assert.equal(await networks.remove(name), true)
    await networks.takeDownIdle()
    assert.deepEqual(chain(), [], 'no rule is left')
    assert.deepEqual(await machine.store.ports.list(), [])
  })

  test('an open connection lives on while another network comes and goes; the default network and none have their rules', {
    skip,
    timeout,
  }, async () => {
    await using machine = await containerMachine()
    await network(machine, 'app', { subnets: ['10.84.0.0/24', 'fd00:84::/64'], ipv6: true })
    const { networks } = machine.containers
    const plain = await serve(machine, 'plain')
    await serve(machine, 'guest')
    // A server that answers the second line only after the network changed.
    const script = 'mkfifo /tmp/in; (sleep 1000 > /tmp/in &) ; nc -l -p 81 < /tmp/in > /tmp/got & echo begun'
    assert.match(await inside(machine, 'plain', script), /begun/)
    await using client = await machine.containers.exec.start('guest', {
      args: [
        'sh',
        '-c',
        `(echo first; while [ ! -e /tmp/changed ]; do sleep 0.1; done; echo second; sleep 1) | nc ${plain} 81`,
      ],
    })
    const got = async (line: string) => {
      const wait = `until grep ${line} /tmp/got; do sleep 0.2; done`
      assert.match(await inside(machine, 'plain', wait), new RegExp(line))
    }
    await got('first')
    await networks.connect('guest', { network: 'app', aliases: ['visitor'], ipv6Address: 'fd00:84::99' })
    await serve(machine, 'host', { network: 'app' })
    assert.match(await inside(machine, 'guest', 'ip -6 addr show eth1'), /fd00:84::99\/64/)
    assert.match(await page(machine, 'guest', 'host'), /^I am host/, 'names of a network that was joined later')
    assert.match(await page(machine, 'host', 'visitor'), /^I am guest/)
    await networks.disconnect('guest', 'app')
    await inside(machine, 'guest', 'touch /tmp/changed')
    await got('second')
    await client.exit()
    const idle = async (name: string, host: HostOptions) => {
      await machine.create({ ...machine.options(['sleep', '1000'], {}, host), name })
      await machine.containers.lifecycle.start(name)
    }
    await idle('alone', { network: 'none' })
    await idle('side', { network: 'container:plain' })
    await assert.rejects(networks.connect('alone', { network: 'app' }), /in private \(none\) mode/)
    await assert.rejects(
      networks.connect('side', { network: 'app' }),
      /sharing network namespace with another container/,
    )
    await assert.rejects(networks.connect('guest', { network: 'bridge' }), /already exists in network bridge/)
    await assert.rejects(networks.connect('guest', { network: 'nowhere' }), { code: 'NETWORK_NOT_FOUND' })
    await assert.rejects(
      networks.connect('guest', { network: 'app', ipv6Address: 'fd00:85::1' }),
      /does not belong to any/,
    )
    // Off its last network it reaches itself alone, also after its next start; then it joins another.
    await networks.disconnect('guest', 'bridge')
    assert.equal(await isReached(machine, 'guest', plain), false)
    await machine.containers.lifecycle.restart('guest', { timeout: 0 })
    assert.match(await page(machine, 'guest', '127.0.0.1'), /^I am guest/)
    assert.equal(await isReached(machine, 'guest', plain), false)
    await networks.connect('guest', { network: 'app' })
    assert.match(await page(machine, 'guest', 'host'), /^I am host/)
    const bad: [HostOptions, RegExp][] = [
      [{ networks: [{ network: 'app' }, { network: 'bridge' }] }, /both user-defined and non-user-defined/],
      [{ networks: [{ network: 'app' }, { network: 'app' }] }, /network "app" is specified multiple times/],
      [{ networks: [{ network: 'app', driverOptions: { x: 'y' } }] }, /the driver option x of a connection/],
    ]
    for (const [host, words] of bad) await assert.rejects(machine.create(machine.options(['true'], {}, host)), words)
  })

  test('a container with the network of another has its names, host name and files', { skip, timeout }, async () => {
    await using machine = await containerMachine()
    await network(machine, 'app')
    await serve(machine, 'main', { network: 'app', extraHosts: ['extra:10.9.8.7'], dnsSearch: ['lan'] }, 'mainhost')
    await serve(machine, 'db', { network: 'app' })
    const beside = async (name: string, host: HostOptions) => {
      const { id } = await machine.create({ ...machine.options(['sleep', '1000'], {}, host), name })
      await machine.start(id)
    }
    await beside('side', { network: 'container:main' })
    await beside('sideOfSide', { network: 'container:side' })
    const look = 'cat /etc/hosts /etc/resolv.conf /etc/hostname; hostname; ping -c 1 -W 1 db | head -n 1'
    const expected = await inside(machine, 'main', look)
    assert.match(expected, /10\.9\.8\.7\textra\n[\s\S]*search lan\n[\s\S]*mainhost\nmainhost\n/)
    for (const name of ['side', 'sideOfSide']) assert.equal(await inside(machine, name, look), expected, name)
    assert.match(await page(machine, 'side', '127.0.0.1'), /^I am main/)
    await machine.containers.lifecycle.rename('main', 'first')
    await machine.containers.lifecycle.restart('side', { timeout: 0 })
    assert.equal(await inside(machine, 'side', look), expected, 'it is known by its ID, whatever its name')
    const bad: [ReturnType<ContainerMachine['options']>, RegExp][] = [
      [machine.options(['true'], { hostname: 'x' }, { network: 'container:first' }), /hostname and the network mode/],
      [machine.options(['true'], {}, { network: 'container:first', dns: ['1.1.1.1'] }), /dns and the network mode/],
      [machine.options(['true'], {}, { network: 'container:first', extraHosts: ['a:1.1.1.1'] }), /custom host-to-IP/],
      [machine.options(['true'], {}, { network: 'container:first', publishAll: true }), /port publishing/],
      [machine.options(['true'], { expose: ['80'] }, { network: 'container:first' }), /port exposing/],
      [machine.options(['true'], {}, { network: 'container:' }), /invalid container format/],
      [machine.options(['true'], {}, { ipAddress: '10.1.1.1' }), /on user defined networks only/],
      [machine.options(['true'], {}, { networkAliases: ['x'] }), /only for containers in user defined networks/],
    ]
    for (const [options, words] of bad) await assert.rejects(machine.create(options), words)
  })

  test('an address is not given to somebody else while a stopped container left it to another', {
    skip,
    timeout,
  }, async () => {
    await using machine = await containerMachine()
    await serve(machine, 'stays')
    const address = await serve(machine, 'main')
    const { id } = await machine.create({
      ...machine.options(['sleep', '1000'], {}, { network: 'container:main' }),
      name: 'side',
    })
    await machine.start(id)
    await machine.containers.lifecycle.stop('main', { timeout: 0 })
    assert.doesNotMatch(await inside(machine, 'side', 'ip -4 addr'), new RegExp(address.replaceAll('.', '\\.')))
  })

  test('a network with IPv6, a range for containers, and containers that do not reach each other', {
    skip,
    timeout,
  }, async () => {
    await using machine = await containerMachine()
    const { document } = await network(machine, 'app', {
      ipv6: true,
      subnets: ['10.77.0.0/24'],
      ipRange: '10.77.0.128/25',
      auxiliary: { router: '10.77.0.128' },
      options: { 'com.docker.network.bridge.enable_icc': 'false', 'com.docker.network.bridge.name': 'br-test' },
    })
    const ports = [{ containerPort: 80, protocol: 'tcp' as const }]
    const one = await serve(machine, 'one', { network: 'app', ports })
    assert.equal(one, '10.77.0.129', 'the first address of the range that is free')
    const [connection] = (await machine.containers.state.find('one')).document.connections
    assert.match(await inside(machine, 'one', 'cat /etc/hosts'), new RegExp(`^${connection!.ipv6!.address}\t`, 'm'))
    assert.match(await inside(machine, 'one', 'ip -6 addr show eth0'), new RegExp(`${connection!.ipv6!.address}/64`))
    assert.deepEqual(
      connection!.ports.map(({ hostIp, hostPort }) => [hostIp, hostPort]),
      ['0.0.0.0', '::'].map((hostIp) => [hostIp, connection!.ports[0]!.hostPort]),
      'one port of both families',
    )
    await serve(machine, 'two', { network: 'app' })
    const page4 = execFileSync('busybox', ['wget', '-qO-', `http://${one}/`], { encoding: 'utf8' })
    assert.equal(page4, 'I am one\n')
    assert.equal(await isReached(machine, 'two', one), false, 'one container from the other')
    const six = document.ipv6!.gateway
    const page6 = execFileSync('busybox', ['wget', '-qO-', `http://[${six}]:${connection!.ports[0]!.hostPort}/`])
    assert.equal(String(page6), 'I am one\n', 'the published port by IPv6')
    const taken = machine.options(['true'], {}, { network: 'app', ipAddress: '10.77.0.1' })
    await assert.rejects(machine.run(taken), /Address already in use/)
    const outside = machine.options(['true'], {}, { network: 'app', ipAddress: '10.78.0.1' })
    await assert.rejects(machine.run(outside), /does not belong to any of this network's subnets/)
    const fixed = { network: 'app', ipAddress: '10.77.0.9', macAddress: '02:42:00:00:00:AA' }
    const { stdout } = await machine.run(machine.options(['ip', 'addr', 'show', 'eth0'], {}, fixed))
    assert.match(stdout, /02:42:00:00:00:aa[\s\S]*10\.77\.0\.9\/24/)
  })

  test('ports without an address listen where the machine says; a port on IPv6 needs a network with it', {
    skip,
    timeout,
  }, async () => {
    await using machine = await containerMachine()
    const port = { containerPort: 80, protocol: 'tcp' as const }
    await serve(machine, 'web', { publishAddress: '127.0.0.1', ports: [port, port, { ...port, hostPort: 18482 }] })
    const { ports } = (await machine.containers.state.find('web')).document.connections[0]!
    assert.deepEqual(
      ports.map(({ hostIp }) => hostIp),
      ['127.0.0.1', '127.0.0.1'],
      'what was asked for twice is there once',
    )
    assert.equal(ports[1]!.hostPort, 18482)
    await assert.rejects(
      serve(machine, 'six', { ports: [{ ...port, hostAddress: '::1' }] }),
      /the network has IPv4 only/,
    )
    await assert.rejects(serve(machine, 'taken', { ports: [{ ...port, hostPort: 18482 }] }), /already allocated/)
  })

  test('a port and an address that a killed start holds are given to the next one', { skip, timeout }, async () => {
    await using machine = await containerMachine()
    const { machinery } = machine
    await network(machine, 'app', { subnets: ['10.78.0.0/24'] })
    const host: HostOptions = {
      network: 'app',
      ipAddress: '10.78.0.9',
      ports: [{ containerPort: 80, protocol: 'tcp', hostPort: 18483 }],
    }
    const dead = await machine.create(machine.options(['true'], {}, host))
    // The start is stopped just before its last step, as a kill -9 would.
    const killed = Promise.withResolvers<void>()
    const runtime = { ...(await machinery.runtime()), start: () => killed.promise }
    const stopped = assert.rejects(startContainer({ ...machinery, runtime: async () => runtime }, dead.id), /killed/)
    // This process lives on: what its dead half holds, the lock's file, is given back at the end.
    await using _ = disposable(async () => {
      killed.reject(new Error('killed'))
      await stopped
    })
    const { starting, lock } = pathsOf(machinery, dead.id)
    const { state } = machine.containers
    await until('it is at its last step', async () => (await state.find(dead.id)).document.state.status === 'running')
    const ended = spawnSync('true').pid
    await writeFile(starting, JSON.stringify({ ...JSON.parse(await readFile(starting, 'utf8')), pid: ended }))
    // The lock of a process that was killed is free.
    await rm(lock, { force: true })
    await serve(machine, 'next', host)
    assert.deepEqual(
      (await machine.store.ports.list()).map(({ owner }) => owner),
      [(await machine.containers.state.find('next')).id],
    )
  })

  test('first containers of many new networks start at the same time', { skip, timeout }, async () => {
    await using machine = await containerMachine()
    const names = ['net-a', 'net-b', 'net-c', 'net-d']
    for (const name of names) await network(machine, name)
    const ports = [{ containerPort: 80, protocol: 'tcp' as const }]
    await Promise.all(names.map((name) => serve(machine, name, { network: name, ports })))
    const given = await machine.store.ports.list()
    assert.equal(new Set(given.map(({ port }) => port)).size, names.length, 'each has a port of its own')
  })

  test("with the machine's network the container has its hosts and name", { skip, timeout }, async () => {
    await using machine = await containerMachine()
    const ran = await machine.run(
      machine.options(['sh', '-c', 'cat /etc/hosts; hostname'], {}, { network: 'host', extraHosts: ['db:10.0.0.5'] }),
    )
    const hosts = execFileSync('cat', ['/etc/hosts'], { encoding: 'utf8' })
    const name = execFileSync('hostname', { encoding: 'utf8' })
    assert.equal(ran.stdout, `${hosts.replace(/\n?$/, '\n')}10.0.0.5\tdb\n${name}`)
  })
})
