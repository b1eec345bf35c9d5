import assert from 'node:assert/strict'
import type { Check } from './check.ts'
import { type Algorithm, randomBlob } from './content.ts'
import { expectCreated, expectHeader, expectStatus } from './expect.ts'
import { pushByPostAndPut } from './pushes.ts'

const SIZE = 2048

/** `part` is what the range gives of a blob of so many bytes; without it the range cannot be satisfied. */
const RANGES: { range: string; part?: [start: number, end: number] }[] = [
  { range: '500-1499', part: [500, 1500] },
  { range: '500-', part: [500, SIZE] },
  { range: '-500', part: [SIZE - 500, SIZE] },
  { range: '2000-5000', part: [2000, SIZE] },
  // RFC 9110, section 14.2, lets a server ignore a range that ends before it begins; the official suite does not.
  { range: '500-0' },
  { range: '5000-10000' },
]

/** A registry that ignores ranges and sends the whole blob fails. */
export const rangeChecks: Check<{ algorithm: Algorithm; repository: string }>[] = RANGES.map(({ range, part }) => ({
  name: `range ${range}: ${part ? `206 with the bytes from ${part[0]} to ${part[1] - 1}` : '416'}`,
  source: range === '500-0' ? 'conformance' : 'Pulling blobs',
  async run(client, { repository, algorithm }) {
    const { blob, answer: pushed } = await pushByPostAndPut(client, repository, () => randomBlob(algorithm, SIZE))
    expectCreated(pushed, blob)
    const path = `/v2/${repository}/blobs/${blob.digest}`
    const answer = await client.request('GET', path, { headers: { Range: `bytes=${range}` } })
    if (!part) return expectStatus(answer, 416)
    const [start, end] = part
    expectStatus(answer, 206)
    expectHeader(answer, 'Content-Length', String(end - start))
    assert.match(answer.headers['content-range'] ?? '', new RegExp(`^bytes ${start}-${end - 1}/(?:${SIZE}|\\*)$`))
    assert.ok(answer.body.equals(blob.bytes.subarray(start, end)), `${answer.request}: other bytes`)
  },
}))
