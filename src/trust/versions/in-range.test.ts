import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { comparatorOf } from './compare-versions.ts'
import { inRange, type RangeEvent } from './in-range.ts'

const compare = comparatorOf('semver')

/** `introduced 0, fixed 1.0.0`. */
function events(text: string): RangeEvent[] {
  return text === '' ? [] : text.split(', ').map((event) => Object.fromEntries([event.split(' ')]))
}

const cases: [name: string, events: string, affected: string, notAffected: string][] = [
  ['never fixed', 'introduced 0', '0.0.0-0 0.0.1 99.0.0', ''],
  ['fixed', 'introduced 0, fixed 1.0.2', '0.0.1 1.0.1 1.0.2-rc.1', '1.0.2 1.0.2+b 2.0.0'],
  ['introduced later', 'introduced 1.0.0, fixed 1.0.2', '1.0.0 1.0.1', '0.9.0 1.0.0-rc.1 1.0.2'],
  [
    'two branches',
    'introduced 1.0.0, fixed 1.0.2, introduced 3.0.0, fixed 3.2.5',
    '1.0.0 1.0.1 3.0.0 3.2.4',
    '0.1.0 1.0.2 2.9.9 3.2.5',
  ],
  ['last affected version', 'introduced 1.0.0, lastAffected 1.2.0', '1.0.0 1.2.0 1.2.0+b', '0.9.0 1.2.1-0 1.2.1'],
  ['one version alone', 'introduced 1.0.0, lastAffected 1.0.0', '1.0.0', '0.9.9 1.0.0-rc.1 1.0.1'],
  [
    'introduced again in the last version',
    'introduced 0, introduced 2.0.0, lastAffected 2.0.0',
    '1.0.0 2.0.0',
    '2.0.1',
  ],
  ['limit', 'introduced 0, limit 2.0.0', '1.9.9 2.0.0-0', '2.0.0 3.0.0'],
  ['the highest limit counts', 'introduced 0, limit 2.0.0, limit 4.0.0', '1.0.0 3.9.9', '4.0.0'],
  ['limit of infinity', 'introduced 0, limit 2.0.0, limit *', '1.0.0 9.0.0', ''],
  ['fixed and limit', 'introduced 0, fixed 1.0.0, introduced 2.0.0, limit 3.0.0', '0.1.0 2.5.0', '1.0.0 3.0.0'],
  [
    'fixed and introduced again at once',
    'introduced 0, fixed 2.0.0, introduced 2.0.0, fixed 3.0.0',
    '1.0.0 2.0.0 2.1.0',
    '3.0.0',
  ],
  ['introduced and fixed at once', 'introduced 1.0.0, fixed 1.0.0', '', '0.9.0 1.0.0 2.0.0'],
  ['never affected', 'introduced 0, fixed 0', '', '0.0.0-0 0.0.1 1.0.0'],
  ['introduced twice', 'introduced 0, introduced 1.0.0, fixed 2.0.0', '0.1.0 1.5.0', '2.0.0'],
  ['fixed twice', 'introduced 0, fixed 2.0.0, fixed 1.0.0', '0.1.0', '1.0.0 1.5.0 2.0.0'],
]

for (const [name, text, affected, notAffected] of cases)
  test(`range: ${name}`, () => {
    const list = events(text)
    for (const order of [list, list.toReversed(), [...list.slice(1), ...list.slice(0, 1)]]) {
      for (const version of words(affected)) assert.equal(inRange(compare, version, order), 'affected', version)
      for (const version of words(notAffected)) assert.equal(inRange(compare, version, order), 'not affected', version)
    }
  })

const unclear: [name: string, events: string, version: string][] = [
  ['the version is none', 'introduced 0, fixed 1.0.0', 'latest'],
  ['the fix is no version', 'introduced 0, fixed soon', '1.0.0'],
  ['the introduction is no version', 'introduced once, fixed 2.0.0', '1.0.0'],
  ['the last affected version is none', 'introduced 0, lastAffected 0', '1.0.0'],
  ['the only limit is no version', 'introduced 0, limit soon', '1.0.0'],
  ['one limit is no version and the other too low', 'introduced 0, limit 1.0.0, limit soon', '1.0.0'],
  ['nothing is introduced', 'fixed 1.0.0', '0.1.0'],
  ['nothing is said', '', '1.0.0'],
]

for (const [name, text, version] of unclear)
  test(`range: unknown when ${name}`, () => {
    assert.equal(inRange(compare, version, events(text)), 'unknown')
  })

test('range: what affects all versions affects texts that are none', () => {
  assert.equal(inRange(compare, 'latest', [{ introduced: '0' }]), 'affected')
  assert.equal(inRange(compare, 'latest', [{ introduced: '0' }, { limit: '*' }]), 'affected')
})

test('range: several facts in one event count like several events', () => {
  const event = { introduced: '1.0.0', fixed: '2.0.0' }
  assert.equal(inRange(compare, '1.5.0', [event]), 'affected')
  assert.equal(inRange(compare, '2.0.0', [event]), 'not affected')
})

test('range: the order is that of the scheme', () => {
  const fixed = [{ introduced: '0' }, { fixed: '1.0-1+deb12u10' }]
  assert.equal(inRange(comparatorOf('deb'), '1.0-1+deb12u9', fixed), 'affected')
  assert.equal(inRange(comparatorOf('deb'), '1:0.1', fixed), 'not affected')
})

test('range: twenty thousand events at one place take no time', () => {
  const many = Array.from({ length: 20_000 }, (_, index) => (index % 2 ? { fixed: '1.0.0' } : { introduced: '1.0.0' }))
  const started = process.cpuUsage()
  assert.equal(inRange(compare, '1.0.0', many), 'not affected')
  assert.ok(process.cpuUsage(started).user < 2_000_000, 'more than two seconds of a processor')
})

test('property: a well-formed timeline gives what its intervals say, in any order of events', () => {
  const numbers = fc.uniqueArray(fc.nat(20), { minLength: 1, maxLength: 6 }).map((list) => list.sort((a, b) => a - b))
  fc.assert(
    fc.property(numbers, fc.nat(21), fc.boolean(), fc.infiniteStream(fc.nat()), (borders, number, closed, keys) => {
      const timeline = borders.map((border, index) => {
        const version = `${border}.0.0`
        return index % 2 === 0 ? { introduced: version } : closed ? { lastAffected: version } : { fixed: version }
      })
      const passed = borders.filter((border, index) => (closed && index % 2 ? number > border : number >= border))
      const expected = passed.length % 2 === 1 ? 'affected' : 'not affected'
      const shuffled = timeline.map((event) => ({ event, key: keys.next().value })).sort((a, b) => a.key - b.key)
      const verdict = inRange(
        compare,
        `${number}.0.0`,
        shuffled.map(({ event }) => event),
      )
      assert.equal(verdict, expected)
    }),
  )
})

function words(text: string): string[] {
  return text.split(' ').filter((word) => word !== '')
}
