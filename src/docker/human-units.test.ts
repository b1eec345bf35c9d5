import assert from 'node:assert/strict'
import { test } from 'node:test'
import { binarySize, humanAgo, humanDuration, humanSize } from './index.ts'

const sizes: [bytes: number, text: string][] = [
  [0, '0B'],
  [999, '999B'],
  [1000, '1kB'],
  [1_982_256, '1.98MB'],
  [999_999, '1e+03kB'],
  [123_456_789, '123MB'],
  [1.5e12, '1.5TB'],
]
const spans: [seconds: number, text: string][] = [
  [0.5, 'Less than a second'],
  [1, '1 second'],
  [59, '59 seconds'],
  [60, 'About a minute'],
  [3599, '59 minutes'],
  [3600, 'About an hour'],
  [47 * 3600, '47 hours'],
  [2 * 86400, '2 days'],
  [14 * 86400, '2 weeks'],
  [60 * 86400, '2 months'],
  [730 * 86400, '2 years'],
]

test('sizes, spans and times read as docker’s', () => {
  for (const [bytes, text] of sizes) assert.equal(humanSize(bytes), text)
  for (const [seconds, text] of spans) assert.equal(humanDuration(seconds * 1000), text)
  assert.equal(humanSize(1_982_256, 4), '1.982MB')
  assert.equal(binarySize(16_400_000), '15.64MiB')
  assert.equal(humanAgo(0, 300_000), '5 minutes ago')
  assert.equal(humanAgo(undefined, 0), 'N/A')
  assert.equal(humanAgo(Date.parse('0001-01-01T00:00:00Z'), 0), 'N/A')
})
