import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { processorTime } from '../../../../../test/kit/processor-time.ts'
import { createTally } from '../tally.ts'
import { csvRows } from './csv.ts'
import { readExploitProbabilities, readKnownExploited } from './read-overlays.ts'

async function* pieces(bytes: Uint8Array | string, size = 5) {
  const all = Buffer.from(bytes as string)
  for (let at = 0; at < all.length; at += size) yield all.subarray(at, at + size)
}

test('rows of a table: quotes, quotes in quotes, line ends in fields and either kind of them, characters that are cut', async () => {
  const text = '# made today\r\na,"b, ""c""",d\r\n"é\nü",,"x"y\n\nlast'
  for (const size of [1, 3, 1000])
    assert.deepEqual(await Array.fromAsync(csvRows(pieces(text, size))), [
      ['a', 'b, "c"', 'd'],
      ['é\nü', '', 'xy'],
      ['last'],
    ])
  for (const open of ['a,"b\nc', '"'])
    await assert.rejects(Array.fromAsync(csvRows(pieces(open))), { code: 'INVALID_ARCHIVE' })
  await assert.rejects(Array.fromAsync(csvRows(pieces('x'.repeat(200_000), 1000))), { code: 'LIMIT_EXCEEDED' })
  await assert.rejects(Array.fromAsync(csvRows(pieces(`"${'x\n'.repeat(100_000)}`, 1000))), { code: 'LIMIT_EXCEEDED' })
})

test('a table of short lines within quotes takes no longer than its length', async () => {
  const text = `"${'""\n'.repeat(20_000)}"\n`.repeat(2)
  const spent = processorTime()
  assert.equal((await Array.fromAsync(csvRows(pieces(text, 65_536)))).length, 2)
  assert.ok(spent() < 2000)
})

const KEV = ['CVE-2024-3400', 'CVE-2023-1000']

test("CISA's list is read from JSON and from CSV, and a malformed entry is skipped", async () => {
  const json = JSON.stringify({
    title: 'x',
    vulnerabilities: [
      { cveID: 'CVE-2024-3400', dateAdded: '2024-04-12', knownRansomwareCampaignUse: 'Known' },
      { cveID: 'CVE-2023-1000', dateAdded: 'yesterday', knownRansomwareCampaignUse: 'Unknown' },
      { cveID: 'GHSA-1' },
      null,
    ],
  })
  const csv = `"cveID","vendorProject","dateAdded","knownRansomwareCampaignUse"\nCVE-2024-3400,"Palo, Alto",2024-04-12,Known\nCVE-2023-1000,"x\ny",,Unknown\nGHSA-1,,,\n,,,`
  for (const document of [json, csv, gzipSync(json)]) {
    const tally = createTally()
    assert.deepEqual([...(await readKnownExploited(pieces(document), { tally }))], KEV)
    assert.deepEqual([tally.records, tally.skipped], [2, 2])
  }
  for (const document of ['{}', '{"vulnerabilities":{}}', '<html>', ''])
    await assert.rejects(readKnownExploited(pieces(document), { tally: createTally() }), { code: 'INVALID_ARCHIVE' })
})

test('probabilities are read from a table, compressed or not, and a malformed row is skipped', async () => {
  const csv =
    '#model_version:v2025.03.14,score_date:2026-01-01T00:00:00+0000\ncve,epss,percentile\nCVE-2024-1001,0.00043,0.1\nCVE-2024-1002,1,1\nCVE-2024-1003,1.5,1\nCVE-2024-1004,,\nx,0.1,0\n'
  for (const document of [csv, gzipSync(csv)]) {
    const tally = createTally()
    const found = await readExploitProbabilities(pieces(document), { tally })
    assert.deepEqual(
      [...found],
      [
        ['CVE-2024-1001', 0.00043],
        ['CVE-2024-1002', 1],
      ],
    )
    assert.deepEqual([tally.records, tally.skipped], [2, 3])
  }
  for (const document of ['', 'a,b\n1,2', '<html>'])
    await assert.rejects(readExploitProbabilities(pieces(document), { tally: createTally() }), {
      code: 'INVALID_ARCHIVE',
    })
})
