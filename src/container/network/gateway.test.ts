import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chooseGateway, type GatewayCandidate } from './gateway.ts'

const one = (networkName: string, more: Partial<GatewayCandidate> = {}): GatewayCandidate => ({
  networkName,
  internal: false,
  hasIpv6: false,
  ...more,
})

test('the default route goes through the highest priority, then both families, then the first name; never inside', () => {
  const cases: [GatewayCandidate[], string | undefined][] = [
    [[], undefined],
    [[one('b')], 'b'],
    [[one('b'), one('a')], 'a'],
    [[one('b', { hasIpv6: true }), one('a')], 'b'],
    [[one('b', { hasIpv6: true }), one('c', { gatewayPriority: 1 })], 'c'],
    [[one('b'), one('a', { gatewayPriority: -1 })], 'b'],
    [[one('a', { internal: true, gatewayPriority: 9 }), one('b')], 'b'],
    [[one('a', { internal: true })], undefined],
  ]
  for (const [candidates, wanted] of cases) assert.equal(chooseGateway(candidates)?.networkName, wanted)
})
