import assert from 'node:assert/strict'
import { test } from 'node:test'
import { zstdCompressSync } from 'node:zlib'
import { smallInventory, smallScan, someFinding } from '../../../test/kit/small-scan.ts'
import {
  decodeInventory,
  decodeResult,
  encodeInventory,
  encodeResult,
  findingKeys,
  scanFactsOf,
  storedFindingKeys,
} from './scan-record.ts'

const NOW = Date.parse('2026-11-30T00:00:00Z')

test('a result and its inventory come back as they were, but for ranges of versions', () => {
  const result = smallScan()
  const inventory = decodeInventory(encodeInventory(result.inventory))
  assert.deepEqual(inventory, result.inventory)
  const findings = result.findings.map(({ suppressed: _, ...one }) => ({
    ...one,
    advisory: { ...one.advisory, ranges: [] },
  }))
  const decoded = decodeResult(encodeResult(result), inventory)
  const plain = (value: unknown) => JSON.parse(JSON.stringify(value))
  assert.deepEqual(plain(decoded), plain({ ...result, findings }))
  assert.equal(decoded.findings[0]!.package, inventory.packages[0], 'findings have packages of the inventory')
})

test('packages that were built from one source share what is known of them', () => {
  const [first, ...others] = Array.from({ length: 200 }, (_, number) => ({
    ...smallInventory().packages[0]!,
    name: `lib${number}`,
  }))
  const known = someFinding('CVE-2024-1', 'high', { advisory: { summary: 'a summary '.repeat(100) } })
  const of = (packages: (typeof first & {})[]) =>
    encodeResult(
      smallScan({
        inventory: smallInventory({ packages }),
        findings: packages.map((one) => ({ ...known, package: one })),
      }),
    ).byteLength
  assert.ok(of([first!, ...others]) < of([first!]) * 8)
})

test('gates see severity, fix, exploitation, and how long a finding has been known', () => {
  const result = smallScan()
  const bytes = encodeResult(result)
  const keys = ['CVE-2024-1 deb/libssl3', 'CVE-2024-2 npm/@scope/lodash', 'CVE-2024-3 deb/libssl3']
  assert.deepEqual(findingKeys(result), keys)
  assert.deepEqual(storedFindingKeys(bytes), keys)
  const facts = scanFactsOf(bytes, { knownFor: new Map([[keys[0]!, 5000]]), now: NOW })
  assert.deepEqual(
    { ...facts, findings: facts.findings.slice(0, 1) },
    {
      status: 'partial',
      reasons: ['1 of 3 packages is not covered'],
      dataAge: 29 * 24 * 3_600_000,
      findings: [
        {
          id: 'CVE-2024-1',
          aliases: ['GHSA-aaaa'],
          severity: 'critical',
          package: 'deb/libssl3',
          source: 'deb/openssl',
          version: '3.0.11-1~deb12u2',
          fixable: true,
          exploited: true,
          knownFor: 5000,
        },
      ],
    },
  )
  assert.deepEqual(
    facts.findings.map(({ fixable, knownFor }) => [fixable, knownFor]),
    [
      [true, 5000],
      [true, 0],
      [false, 0],
    ],
  )
})

test('data is as old as the oldest part of it, and never from the future', () => {
  const ageOf = (...times: string[]) => {
    const sources = times.map((asOf) => ({ ...smallScan().sources[0]!, asOf }))
    return scanFactsOf(encodeResult(smallScan({ sources })), { knownFor: new Map(), now: NOW }).dataAge
  }
  assert.equal(ageOf('2026-11-29T00:00:00Z', '2026-11-29T23:00:00Z'), 24 * 3_600_000)
  assert.equal(ageOf('2026-12-29T00:00:00Z'), 0)
  assert.equal(ageOf(), 0)
})

test('V04 bytes that are none of these are told, and do not fill memory', () => {
  const bomb = zstdCompressSync(Buffer.alloc(65 * 1024 * 1024, ' '))
  assert.ok(bomb.byteLength < 100_000)
  for (const bytes of [
    Buffer.from('x'),
    zstdCompressSync(Buffer.from('{')),
    zstdCompressSync(Buffer.from('3')),
    bomb,
  ]) {
    assert.throws(() => decodeInventory(bytes), { code: 'STORE_DAMAGED' })
    assert.throws(() => decodeResult(bytes, smallInventory()), { code: 'STORE_DAMAGED' })
    assert.throws(() => scanFactsOf(bytes, { knownFor: new Map(), now: 0 }), { code: 'STORE_DAMAGED' })
  }
  const newer = zstdCompressSync(Buffer.from('{"schema": 2}'))
  assert.throws(() => decodeResult(newer, smallInventory()), { code: 'STORE_VERSION' })
})
