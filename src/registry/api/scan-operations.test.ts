/** How large a page of reports becomes; gate-operations.test.ts has what is in it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseDigest } from '#spec'
import { OPENSSL, smallInventory, smallScan, someDigest, someFinding } from '../../../test/kit/small-scan.ts'
import type { ImageReport } from '../policies/index.ts'
import type { Administration } from './administration.ts'
import { scanOperations } from './scan-operations.ts'

const NONE = someDigest('0')
const digests = ['1', '2', '3', '4', '5'].map(someDigest)

/** A registry of an index with five images, whose scans list so many packages. */
function registryWith(packages: number): Pick<Administration, 'scans'> {
  const inventory = smallInventory({ packages: Array.from({ length: packages }, () => OPENSSL) })
  const result = smallScan({ inventory })
  return {
    scans: {
      run: async () => 0,
      async *report(_name, { after } = {}) {
        const start = digests.indexOf(parseDigest(after ?? NONE)) + 1
        for (const digest of digests.slice(start)) yield { digest, state: 'scanned', result }
      },
    },
  }
}

async function page(packages: number, input: { after?: string; limit?: number } = {}) {
  const { run } = scanOperations['scans.report']
  const context = { signal: AbortSignal.abort() } as Parameters<typeof run>[2]
  const admin = registryWith(packages) as Administration
  const { items, next } = (await run(admin, { name: 'team/web:1', ...input }, context)) as {
    items: ImageReport[]
    next?: string
  }
  return { count: items.length, next }
}

test('a page ends with its limit, and earlier when what is in it is large', async () => {
  assert.deepEqual(await page(10), { count: 5, next: undefined })
  assert.deepEqual(await page(10, { limit: 2 }), { count: 2, next: digests[1] })
  assert.deepEqual(await page(10, { after: digests[2] }), { count: 2, next: undefined })
  assert.deepEqual(await page(20_000), { count: 2, next: digests[1] })
  assert.deepEqual(await page(50_000, { after: digests[1] }), { count: 1, next: digests[2] }, 'one at least')
})

test('packages and vulnerabilities of several findings are told once, and come back with each', async () => {
  const { run, output } = scanOperations['scans.report']
  const [one, other] = [someFinding('CVE-2024-1', 'high'), someFinding('CVE-2024-2', 'low')]
  const source = { ...OPENSSL, name: 'openssl' }
  const findings = [one, { ...one, package: source }, other]
  const result = smallScan({ findings })
  const report = { digest: digests[0]!, state: 'scanned', result } as const
  const admin = {
    scans: {
      async *report() {
        yield report
      },
    },
  }
  const context = { signal: AbortSignal.abort() } as Parameters<typeof run>[2]
  const answer = await run(admin as unknown as Administration, { name: 'team/web:1' }, context)
  const [told] = (answer as { items: { result: Record<string, unknown[]> }[] }).items
  assert.deepEqual([told!.result['affected']!.length, told!.result['vulnerabilities']!.length], [2, 2])
  const [back] = output(JSON.parse(JSON.stringify(answer))) as ImageReport[]
  assert.deepEqual(
    back!.result!.findings.map(({ id, package: of, fixedVersion }) => [id, of.name, fixedVersion]),
    findings.map(({ id, package: of, fixedVersion }) => [id, of.name, fixedVersion]),
  )
  const broken = { items: [{ ...report, result: { ...told!.result, affected: [] } }] }
  assert.throws(() => output(broken), { code: 'REGISTRY_FAILED' })
})
