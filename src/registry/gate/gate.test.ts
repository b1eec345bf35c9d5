/** What time alone changes, by the database's clock. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { digestOf } from '#blob'
import { debianLayer, scanPlace } from '../../../test/kit/scan-place.ts'
import { endScans } from '../../../test/kit/stored-scans.ts'
import { describeManifest } from '../manifest/index.ts'
import { createGate } from './index.ts'

const HOUR = 3_600_000

test('exceptions and days of grace end by time alone, also for what a process remembers', async () => {
  await using place = await scanPlace()
  const { meta, clock } = place
  const { digest } = await place.push([debianLayer({ openssl: '3.0-1' })])
  await endScans(meta)
  const gate = createGate({ meta, clock, isSigned: async () => false })
  const outcome = async () => (await gate.judgeOne('acme/web', digest)).outcome
  // The stored scans have a vulnerability that is known to be exploited, which knows no grace.
  const rule = { kind: 'gate' as const, pattern: 'acme/**', severity: 'high' as const, exploited: 'allow' as const }
  const id = await meta.addPolicy(rule)
  const excepted = { pattern: 'acme/*', reason: 'not reachable' }
  await meta.addException({ vulnerability: 'CVE-2024-1', ...excepted, lasts: HOUR })
  await meta.addException({ vulnerability: 'CVE-2024-2', ...excepted, lasts: 2 * HOUR })
  assert.deepEqual([await outcome(), await outcome()], ['allowed', 'allowed'])
  await place.pass(HOUR - 1)
  assert.equal(await outcome(), 'allowed')
  await place.pass(1)
  assert.equal(await outcome(), 'blocked')
  await meta.removePolicy(id)
  await meta.noteFindings(['CVE-2024-1 deb/libssl3', 'CVE-2024-2 deb/libssl3', 'CVE-2024-2 npm/@scope/lodash'])
  await meta.addPolicy({ ...rule, grace: 24 * HOUR })
  assert.equal(await outcome(), 'allowed')
  await place.pass(24 * HOUR - 1)
  assert.equal(await outcome(), 'allowed')
  await place.pass(1)
  assert.equal(await outcome(), 'blocked')
})

test('why an image is waited for is said where it is known', async () => {
  await using place = await scanPlace()
  const { meta, clock } = place
  const { digest } = await place.push([debianLayer({ openssl: '3.0-1' })])
  await meta.addPolicy({ kind: 'gate', pattern: 'acme/**', unscanned: 'block' })
  const why = async () => {
    const gate = createGate({ meta, clock, isSigned: async () => false })
    const release = await gate.judgeOne('acme/web', digest)
    return release.outcome === 'allowed' ? '' : release.refusal.message.replace(/^.*[0-9a-f]{64}: /, '')
  }
  assert.equal(await why(), 'not scanned yet')
  const end = async (outcome: 'again' | 'failed') => {
    const taken = await meta.takeScan({ lease: 1000, analyser: '1' })
    await meta.endScan(taken!, { outcome, failure: 'it took too long', pause: 0 })
  }
  await end('again')
  assert.equal(await why(), 'its scan failed and will be retried: it took too long')
  await end('failed')
  assert.equal(await why(), 'its scan failed: it took too long')
})

test('an image that indexes hide deeply is still judged when the whole is copied, and by itself', async () => {
  await using place = await scanPlace()
  const { meta, clock } = place
  const { digest } = await place.push([debianLayer({ openssl: '3.0-1' })])
  await endScans(meta)
  await meta.addPolicy({ kind: 'gate', pattern: 'acme/**', severity: 'high' })
  const gate = createGate({ meta, clock, isSigned: async () => false })
  let inner = { mediaType: 'application/vnd.oci.image.manifest.v1+json', digest, size: 1 }
  for (let depth = 0; depth < 6; depth++) {
    const mediaType = 'application/vnd.oci.image.index.v1+json'
    const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, manifests: [inner] }))
    const outer = digestOf(bytes)
    await meta.putManifest('acme/web', describeManifest(bytes, { digest: outer, tags: [], actor: 'ann' }))
    inner = { mediaType, digest: outer, size: bytes.length }
    assert.equal((await gate.judgeWhole('acme/web', outer)).outcome, 'blocked', `${depth} indexes around`)
  }
  assert.equal((await gate.judgeOne('acme/web', digest)).outcome, 'blocked')
})

test('what one process remembers is read anew when another one has changed something', async () => {
  await using place = await scanPlace()
  const { digest } = await place.push([debianLayer({ openssl: '3.0-1' })])
  await endScans(place.meta)
  const other = await place.open()
  const gates = [place.meta, other].map((meta) => createGate({ meta, clock: place.clock, isSigned: async () => false }))
  const outcomes = async () =>
    await Promise.all(gates.map(async (gate) => (await gate.judgeOne('acme/web', digest)).outcome))
  assert.deepEqual(await outcomes(), ['allowed', 'allowed'])
  const id = await other.addPolicy({ kind: 'gate', pattern: 'acme/**', severity: 'high' })
  assert.deepEqual(await outcomes(), ['blocked', 'blocked'])
  await place.meta.setImageState('acme/web', digest, { kind: 'released', reason: 'checked' })
  assert.deepEqual(await outcomes(), ['allowed', 'allowed'])
  await other.setImageState('acme/web', digest, { kind: 'quarantined', reason: 'stolen' })
  assert.deepEqual(await outcomes(), ['blocked', 'blocked'])
  await place.meta.removePolicy(id)
  assert.deepEqual(await outcomes(), ['blocked', 'blocked'], 'quarantine needs no gate')
  await other.close()
})
