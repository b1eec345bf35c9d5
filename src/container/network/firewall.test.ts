import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { BridgeEntry } from './bridge-registry.ts'
import { rules } from './firewall.ts'

function bridge(interfaceName: string, internal = false): BridgeEntry {
  const network_info = { x: { internal, ipv6_enabled: false } }
  return { interfaceName, database: '', namespace: '', request: { network_info } } as unknown as BridgeEntry
}

const text = (lines: string[]) => `${lines.join('\n')}\n`

test('each bridge is reached by published ports only; an internal one is neither left nor reached', () => {
  assert.equal(
    rules([bridge('br-a'), bridge('br-in', true)], '-P FORWARD ACCEPT\n-A FORWARD -j NETAVARK_FORWARD\n'),
    text([
      '*filter',
      ':BALE-FORWARD - [0:0]',
      '-A BALE-FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j RETURN',
      '-A BALE-FORWARD ! -i br-a -o br-a -m conntrack --ctstate DNAT -j ACCEPT',
      '-A BALE-FORWARD ! -i br-a -o br-a -j DROP',
      '-A BALE-FORWARD -i br-in ! -o br-in -j DROP',
      '-A BALE-FORWARD ! -i br-in -o br-in -j DROP',
      '-I FORWARD 1 -j BALE-FORWARD',
      'COMMIT',
    ]),
  )
})

test('the chain is called once, before all others, however often the call was added', () => {
  const present = '-N BALE-FORWARD\n-A FORWARD -j OTHER\n-A FORWARD -j BALE-FORWARD\n-A FORWARD -j BALE-FORWARD\n'
  const script = rules([bridge('br-a')], present)!
  assert.equal(script.match(/^-D FORWARD -j BALE-FORWARD$/gm)?.length, 2)
  assert.equal(script.match(/^-I FORWARD 1 -j BALE-FORWARD$/gm)?.length, 1)
})

test('without bridges nothing is left, and nothing is touched where nothing was', () => {
  const present = '-N BALE-FORWARD\n-A FORWARD -j BALE-FORWARD\n'
  const lines = ['-D FORWARD -j BALE-FORWARD', '-F BALE-FORWARD', '-X BALE-FORWARD']
  assert.equal(rules([], present), text(['*filter', ':BALE-FORWARD - [0:0]', ...lines, 'COMMIT']))
  assert.equal(rules([], '-P FORWARD ACCEPT\n'), undefined)
})
