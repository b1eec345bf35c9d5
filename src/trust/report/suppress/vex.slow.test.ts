import assert from 'node:assert/strict'
import { test } from 'node:test'
import { processorTime } from '../../../../test/kit/processor-time.ts'
import { OPENSSL, smallInventory, someFinding } from '../../../../test/kit/small-scan.ts'
import { suppress } from './suppress.ts'
import { parseVex } from './vex.ts'

test('a document on very many products is gone through once, not for each finding', async () => {
  const products = Array.from({ length: 20_000 }, (_one, at) => ({ '@id': `pkg:deb/debian/p${at}@1` }))
  const statements = [{ vulnerability: 'CVE-1', products, status: 'not_affected' }]
  const document = { '@context': 'https://openvex.dev/ns/v0.2.0', statements }
  const vex = await parseVex(new TextEncoder().encode(JSON.stringify(document)), 'vex.json')
  const findings = Array.from({ length: 5000 }, (_one, at) =>
    someFinding('CVE-1', 'low', { package: { ...OPENSSL, name: `p${at}`, version: '1', source: undefined } }),
  )
  const spent = processorTime()
  const marked = suppress(findings, { inventory: smallInventory(), vex, today: '2026-11-30' })
  assert.equal(
    marked.findings.every(({ suppressed }) => suppressed),
    true,
  )
  assert.ok(spent() < 15_000)
})
