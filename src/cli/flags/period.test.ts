import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatPeriod, parsePeriod } from './period.ts'

test('periods are days or docker’s durations, and are written as they were given', () => {
  for (const [text, hours] of [
    ['30d', 720],
    ['12h', 12],
    ['1h30m', 1.5],
    ['36h', 36],
  ] as const) {
    assert.equal(parsePeriod('--within', text), hours * 3_600_000)
    assert.equal(formatPeriod(hours * 3_600_000), text)
  }
  assert.equal(formatPeriod(parsePeriod('--within', '24h')), '1d')
})

test('what is no period, or none at all, is refused with its flag', () => {
  for (const text of ['', '30', '0d', '0', '-1h', '1w', '1d12h', '100000d']) {
    assert.throws(() => parsePeriod('--within', text), { message: `--within takes a period, not ${text}` })
  }
})
