import assert from 'node:assert/strict'
import { networkInterfaces } from 'node:os'
import { test } from 'node:test'
import type { HostOptions } from '#container'
import type { EngineContext } from './context/context.ts'
import { tellOfPorts, withPublishAddress } from './publish-address.ts'

function asked(host: HostOptions, publishAddress?: string) {
  const told: string[] = []
  const context = { config: { publishAddress } } as EngineContext
  const options = withPublishAddress(context, host)
  tellOfPorts(context, host, { progress: (event) => told.push(event.kind === 'warning' ? event.text : event.kind) })
  return { options, told }
}

const port = { containerPort: 80, protocol: 'tcp' as const }
const isReachable = Object.values(networkInterfaces()).some((all) => all?.some(({ internal }) => !internal))

test('ports that are open to other machines by default are reported once', { skip: !isReachable }, () => {
  const { told } = asked({ ports: [port, { ...port, containerPort: 81 }] })
  assert.equal(told.length, 1)
  assert.match(told[0]!, /0\.0\.0\.0/)
  assert.equal(asked({ publishAll: true }).told.length, 1)
})

test('ports with an address are not reported, nor any when the configuration has one', () => {
  assert.deepEqual(asked({ ports: [{ ...port, hostAddress: '127.0.0.1' }] }).told, [])
  for (const address of ['0.0.0.0', '127.0.0.1']) {
    const { options, told } = asked({ ports: [port] }, address)
    assert.deepEqual([options.publishAddress, told], [address, []])
  }
  assert.deepEqual(asked({}).told, [])
})

test("ports mean nothing with the machine's network, which is told", () => {
  assert.deepEqual(asked({ network: 'host', ports: [port] }).told, [
    'Published ports are discarded when using host network mode',
  ])
  assert.deepEqual(asked({ network: 'none', ports: [port] }).told, [])
})
