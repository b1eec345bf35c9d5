/** Scans that are stored without a scanner: for tests of what is done with results. */
import { join } from 'node:path'
import { type MetaStore, openSqliteMeta } from '#registry'
import { encodeInventory, encodeResult } from '../../src/registry/scan/scan-record.ts'
import { LODASH, OPENSSL, smallInventory, smallScan, someFinding } from './small-scan.ts'

/**
 * Ends all scans that wait in a registry, as if each image had an OpenSSL with a critical vulnerability, and a high one, that
 * its lodash has, too; but for the images with these digests, which have nothing.
 */
export async function endScans(meta: MetaStore, clean: readonly string[] = []): Promise<void> {
  const inventoryOf = (manifest: Parameters<typeof smallInventory>[0]) =>
    smallInventory({ ...manifest, packages: [OPENSSL, LODASH] })
  const next = async () => await meta.takeScan({ lease: 60_000, analyser: '1' })
  for (let taken = await next(); taken; taken = await next()) {
    const inventory = encodeInventory(inventoryOf({ manifest: taken.digest }))
    await meta.endScan(taken, { outcome: 'scanned', analyser: '1', inventory })
  }
  const findings = [
    someFinding('CVE-2024-1', 'critical', { aliases: ['GHSA-aaaa-bbbb-cccc'], advisory: { exploited: true } }),
    someFinding('CVE-2024-2', 'high'),
    someFinding('CVE-2024-2', 'high', { package: LODASH, fixedVersion: undefined }),
  ]
  for (const one of await meta.listUnmatched('data-1', { limit: 100 })) {
    const found = clean.includes(one.digest) ? [] : findings
    const inventory = inventoryOf({ manifest: one.digest })
    const scan = smallScan({ inventory, status: 'complete', reasons: [], findings: found, advisories: 'data-1' })
    await meta.putResults([{ ...one, advisories: 'data-1', bytes: encodeResult(scan) }])
  }
}

/** The same, of a registry that has its content in a directory. */
export async function storeScans(directory: string, clean: readonly string[] = []): Promise<void> {
  const meta = openSqliteMeta({ path: join(directory, 'registry.db') })
  try {
    await endScans(meta, clean)
  } finally {
    await meta.close()
  }
}
