import assert from 'node:assert/strict'
import { test } from 'node:test'
import { reportOnce } from './report.ts'

function collecting() {
  const told: string[] = []
  const time = { now: 0 }
  const clock = { now: () => time.now, sleep: async () => undefined }
  const report = reportOnce(({ message }, request) => void told.push(`${request}: ${message}`), clock)
  return { told, time, report }
}

test('the same failure is told once a minute, with how many more there were', () => {
  const { told, time, report } = collecting()
  for (let turn = 0; turn < 20; turn++) report(new Error('disk full'), 'PUT /a')
  report(new Error('other'), 'GET /b')
  time.now = 60_000
  report(new Error('disk full'), 'PUT /c')
  time.now = 120_000
  report(new Error('disk full'), 'PUT /d')
  assert.deepEqual(told, [
    'PUT /a: disk full',
    'GET /b: other',
    'PUT /c: disk full (and 19 more like this before)',
    'PUT /d: disk full',
  ])
})

test('what failed first is told, not what failed while cleaning up', () => {
  const { told, report } = collecting()
  report(
    new SuppressedError(new Error('closing'), new SuppressedError(new Error('later'), new Error('first'))),
    'PUT /',
  )
  assert.deepEqual(told, ['PUT /: first'])
})

test('failures of ever new words do not fill the memory, and are all told', () => {
  const { told, report } = collecting()
  for (let turn = 0; turn < 3000; turn++) report(new Error(`object ${turn}`), 'GET /')
  assert.equal(told.length, 3000)
})
