/** `network connect` and `disconnect`, and the filters of `ps`, as people type them; what they say is compared with the kernel. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TestBale } from '../kit/bale.ts'
import { inOwnNetwork } from '../kit/own-network.ts'
import { cannotRun, prepared } from './prepared.ts'

const options = { skip: cannotRun, timeout: 300_000 }
const sleeping = ['busybox:1', 'sleep', '1000']

/** IPv4 addresses of a container's interfaces, without the loopback: what its own kernel says. */
async function addressesIn(bale: TestBale, name: string): Promise<string[]> {
  const text = await bale.run(['exec', name, 'ip', '-4', '-o', 'addr'])
  return [...text.matchAll(/ eth\d+ +inet (\S+)/g)].map(([, address]) => address!).sort()
}

/** Addresses by network, as `inspect` shows them. */
async function addressesOf(bale: TestBale, name: string): Promise<Record<string, string>> {
  const text = await bale.run(['inspect', '--format', '{{json .NetworkSettings.Networks}}', name])
  const networks = JSON.parse(text) as Record<string, { IPAddress: string; IPPrefixLen: number }>
  const shown = Object.entries(networks).map(([key, { IPAddress, IPPrefixLen }]) => [
    key,
    `${IPAddress}/${IPPrefixLen}`,
  ])
  return Object.fromEntries(shown) as Record<string, string>
}

/** The address that a name has for a container, undefined when it is unknown. */
async function resolved(bale: TestBale, from: string, name: string): Promise<string | undefined> {
  const { stdout } = await bale.try(['exec', from, 'nslookup', '-type=a', name])
  return /^Name:\s+\S+\s+Address(?: \d+)?:\s+(\S+)/m.exec(stdout)?.[1]
}

async function listed(bale: TestBale, ...filters: string[]): Promise<string> {
  const words = filters.flatMap((filter) => ['--filter', filter])
  return (await bale.run(['ps', '-a', '--format', '{{.Names}}', ...words])).split('\n').sort().join(' ')
}

inOwnNetwork(import.meta.url, () => {
  test(
    'connect and disconnect: addresses, names and lists follow at once, and at the next start',
    options,
    async () => {
      await using place = await prepared()
      const { bale } = place
      await bale.run(['network', 'create', '--subnet', '10.91.0.0/24', 'back'])
      const front = await bale.run(['network', 'create', '--subnet', '10.92.0.0/24', 'front'])
      await bale.run(['run', '-d', '--name', 'db', '--network', 'back', ...sleeping])
      await bale.run(['run', '-d', '--name', 'web', '--network', 'front', ...sleeping])
      const db = (await addressesOf(bale, 'db'))['back']!.split('/')[0]
      assert.equal(await resolved(bale, 'web', 'db'), undefined, 'networks have names of their own')
      assert.equal(await listed(bale, 'network=back'), 'db')

      await bale.run(['network', 'connect', '--ip', '10.91.0.50', '--alias', 'www', 'back', 'web'])
      const both = await addressesOf(bale, 'web')
      assert.deepEqual(Object.keys(both), ['back', 'front'])
      assert.equal(both['back'], '10.91.0.50/24')
      assert.deepEqual(await addressesIn(bale, 'web'), Object.values(both).sort())
      assert.equal(await resolved(bale, 'web', 'db'), db)
      assert.equal(await resolved(bale, 'db', 'web'), '10.91.0.50')
      assert.equal(await resolved(bale, 'db', 'www'), '10.91.0.50')
      assert.match(await bale.run(['exec', 'web', 'ping', '-c', '1', '-W', '2', 'db']), /1 packets received/)
      assert.equal(await listed(bale, 'network=back'), 'db web')
      assert.equal(await listed(bale, `network=${front.slice(0, 12)}`), 'web')
      const inspected = JSON.parse(await bale.run(['network', 'inspect', 'back'])) as [{ Containers: object }]
      const members = Object.values(inspected[0].Containers) as { Name: string; IPv4Address: string }[]
      assert.deepEqual(members.map(({ Name, IPv4Address }) => `${Name} ${IPv4Address}`).sort(), [
        `db ${db}/24`,
        'web 10.91.0.50/24',
      ])

      const refusals: [string[], RegExp][] = [
        [['connect', 'back', 'web'], /endpoint with name web already exists in network back/],
        [['connect', 'nowhere', 'web'], /network nowhere not found/],
        [['connect', 'back', 'nobody'], /No such container: nobody/],
        [['connect', '--ip', '10.99.0.1', 'front', 'db'], /does not belong to any of this network's subnets/],
        [['disconnect', 'front', 'db'], /is not connected to network front/],
        [['rm', 'back'], /has active endpoints/],
      ]
      for (const [words, message] of refusals) {
        const refused = await bale.try(['network', ...words])
        assert.equal(refused.code, 1, words.join(' '))
        assert.match(refused.stderr, message)
      }

      await bale.run(['network', 'disconnect', 'back', 'web'])
      assert.deepEqual(await addressesIn(bale, 'web'), [both['front']])
      assert.equal(await resolved(bale, 'db', 'web'), undefined)
      assert.equal(await resolved(bale, 'web', 'db'), undefined)
      assert.equal(await listed(bale, 'network=back'), 'db')
      // Off the network that it was made with, too.
      await bale.run(['network', 'disconnect', '--force', 'front', 'web'])
      assert.deepEqual([await addressesIn(bale, 'web'), await addressesOf(bale, 'web')], [[], {}])
      assert.equal(await listed(bale, 'network=front'), '')
      // What does not run is changed for its next start.
      await bale.run(['stop', '-t', '0', 'web'])
      await bale.run(['network', 'connect', '--ip', '10.91.0.51', 'back', 'web'])
      assert.equal(await listed(bale, 'network=back'), 'db web')
      await bale.run(['start', 'web'])
      assert.deepEqual(await addressesIn(bale, 'web'), ['10.91.0.51/24'])
      assert.equal(await resolved(bale, 'db', 'web'), '10.91.0.51')
      await bale.run(['rm', '-f', 'web', 'db'])
      assert.equal(await bale.run(['network', 'rm', 'back', 'front']), 'back\nfront')
    },
  )

  test('ps filters by what containers do now: state, exit code, health, network, port, ID', options, async () => {
    await using place = await prepared()
    const { bale } = place
    await bale.run(['network', 'create', 'app'])
    const check = ['--health-cmd', 'true', '--health-interval', '1h']
    const web = ['--name', 'web', '--network', 'app', '-p', '127.0.0.1:18731:80', '--expose', '9000/udp', ...check]
    const id = await bale.run(['run', '-d', ...web, ...sleeping])
    await bale.run(['run', '-d', '--name', 'still', '--network', 'none', ...sleeping])
    await bale.run(['pause', 'still'])
    for (const code of ['0', '3'])
      await bale.try(['run', '--name', `end${code}`, 'busybox:1', 'sh', '-c', `exit ${code}`])
    await bale.run(['create', '--name', 'never', '--network', 'host', 'busybox:1'])
    const cases: [string[], string][] = [
      [['status=running'], 'web'],
      [['status=paused'], 'still'],
      [['status=exited'], 'end0 end3'],
      [['status=created', 'status=paused'], 'never still'],
      [['exited=3'], 'end3'],
      [['exited=0', 'exited=3'], 'end0 end3'],
      [['health=starting'], 'web'],
      [['health=none', 'status=exited'], 'end0 end3'],
      [['health=healthy'], ''],
      [['network=app'], 'web'],
      [['network=none'], 'still'],
      [['network=host'], 'never'],
      [['network=bridge'], 'end0 end3'],
      [['network=app', 'network=none'], 'still web'],
      [['network=nowhere'], ''],
      [['publish=18731'], 'web'],
      [['publish=18000-19000/tcp'], 'web'],
      [['publish=80'], ''],
      [['publish=18731/udp'], ''],
      [['expose=9000/udp'], 'web'],
      [[`id=${id.slice(0, 7)}`], 'web'],
      [[`id=${id.slice(1, 8)}`], ''],
      [['status=running', 'network=bridge'], ''],
    ]
    for (const [filters, names] of cases) assert.equal(await listed(bale, ...filters), names, filters.join(' '))
    // Without -a only what runs, unless a state is asked for.
    const running = async (filter: string) => bale.run(['ps', '--format', '{{.Names}}', '--filter', filter])
    assert.equal(await running('network=bridge'), '')
    assert.equal(await running('network=none'), 'still')
    assert.equal(await running('status=created'), 'never')
    assert.equal(await running('exited=3'), '')
    // What is paused can be removed as it is.
    assert.equal(await bale.run(['rm', '-f', 'still']), 'still')
  })
})
