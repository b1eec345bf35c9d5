import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { temporaryDirectory } from '../../../../../test/kit/temporary.ts'
import { zipOf } from '../../../../../test/kit/zip.ts'

const RECORDS = 100_000

/** Some 3 kilobytes, as in public databases. */
const record = (index: number) =>
  JSON.stringify({
    id: `GHSA-${index}`,
    modified: '2024-01-01T00:00:00Z',
    aliases: [`CVE-2024-${10_000 + index}`],
    summary: `Flaw number ${index}`,
    details: 'x '.repeat(1200),
    severity: [{ type: 'CVSS_V3', score: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H' }],
    affected: [
      {
        package: { ecosystem: 'npm', name: `p${index % 7000}` },
        ranges: [{ type: 'SEMVER', events: [{ introduced: '0' }, { fixed: `1.0.${index}` }] }],
      },
    ],
  })

/** Prints the memory after a tenth of the records, and the most that it was. In a process of its own: the archive was made in this one. */
const PROGRAM = `
import { readTextSync } from '#host/file'
import { createTally, openRecords, readOsv } from '#trust/advisories/adapters'
import { startBundle } from './src/trust/advisories/bundle/file/start-bundle.ts'
const [archive, path] = process.argv.slice(1)
const tally = createTally()
let count = 0, first = 0, most = 0
async function* watched() {
  for await (const advisory of readOsv(openRecords(archive, { tally }), { tally })) {
    if (++count === ${RECORDS / 10}) first = process.memoryUsage().rss
    if (count % 1000 === 0) most = Math.max(most, process.memoryUsage().rss)
    yield advisory
  }
}
await using writer = await startBundle(path, { created: '2026-01-01T00:00:00Z' })
await writer.add({ kind: 'osv', address: archive, asOf: '2026-01-01T00:00:00Z', knows: () => 'all', advisories: watched(), tally })
const read = most
const { advisories } = await writer.finish()
// What getrusage says includes the process that started this one.
const end = Number(/VmHWM:\\s*(\\d+)/.exec(readTextSync('/proc/self/status'))[1]) * 1024
console.log(JSON.stringify({ first, read, end, advisories, skipped: tally.skipped }))
`

test('an archive of a hundred thousand records is read and written in memory that does not grow with their number', async () => {
  await using directory = await temporaryDirectory('bale-memory')
  const archive = join(directory.path, 'all.zip')
  const members = Array.from({ length: RECORDS }, (_, index) => ({ name: `GHSA-${index}.json`, data: record(index) }))
  writeFileSync(archive, zipOf(members, { zip64: true }))
  const program = [
    '--conditions=source',
    '--disable-warning=ExperimentalWarning',
    '--input-type=module',
    '--eval',
    PROGRAM,
  ]
  const { stdout } = await promisify(execFile)(process.execPath, [
    ...program,
    archive,
    join(directory.path, 'b.sqlite'),
  ])
  const { first, read, end, advisories, skipped } = JSON.parse(stdout)
  assert.deepEqual([advisories, skipped], [RECORDS, 0])
  // 300 MB of records, 50 MB of rows. What is between collections of garbage varies.
  assert.ok(read - first < 150e6, `reading grew by ${(read - first) / 1e6} MB`)
  assert.ok(end - first < 250e6, `writing grew by ${(end - first) / 1e6} MB`)
})
