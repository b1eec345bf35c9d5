import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isBaleError } from '#base'
import { Filters, PRUNE_FILTERS } from './filters.ts'

const KNOWN = ['name', 'label', 'label!', 'dangling', 'until', 'status', 'driver', 'id']
const filters = (...words: string[]) =>
  new Filters(
    words.map((word) => ({ name: word.slice(0, word.indexOf('=')), value: word.slice(word.indexOf('=') + 1) })),
    KNOWN,
  )
const refused = (act: () => unknown, message: RegExp) =>
  assert.throws(act, (error) => isBaleError(error, 'INVALID_ARGUMENT') && message.test(error.message), String(message))

test('values of one name are alternatives; names are patterns, and what is none still is itself', () => {
  assert.equal(filters('name=we', 'name=db').matches('name', 'web'), true)
  assert.equal(filters('name=^we$').matches('name', 'web'), false)
  assert.equal(filters('name=^/web$').matches('name', '/web', 'web'), true)
  assert.equal(filters('name=[').matches('name', 'web'), false)
  assert.equal(filters('name=[').matches('name', '['), true)
  assert.equal(filters().matches('name', 'web'), true)
  assert.equal(filters('driver=local').isOneOf('driver', 'loc'), false)
  assert.equal(filters('id=ab', 'id=cd').isPrefixOf('id', 'cdef'), true)
})

test('labels must all hold, and none of label! all', () => {
  const labels = { role: 'db', stage: 'test=1', constructed: '' }
  const cases: [string[], boolean][] = [
    [['label=role'], true],
    [['label=role=db', 'label=stage=test=1'], true],
    [['label=role=db', 'label=stage=live'], false],
    [['label=role='], false],
    [['label=constructed='], true],
    [['label=constructor'], false],
    [['label!=role'], false],
    [['label!=role=web'], true],
    [['label!=role=db', 'label!=stage=live'], true],
    [['label=role', 'label!=other'], true],
  ]
  for (const [words, want] of cases) assert.equal(filters(...words).matchesLabels(labels), want, words.join(' '))
  assert.equal(filters('label=a').matchesLabels(undefined), false)
  assert.equal(filters('label!=a').matchesLabels(null), true)
})

test('yes or no, times and closed lists have their own words', () => {
  assert.equal(filters().flag('dangling'), undefined)
  assert.equal(filters('dangling=1').flag('dangling'), true)
  assert.equal(filters('dangling=false').flag('dangling'), false)
  for (const words of [['dangling=True'], ['dangling='], ['dangling=1', 'dangling=0']])
    refused(() => filters(...words).flag('dangling'), /^invalid filter 'dangling=\[/)
  assert.equal(filters('until=1h').until(3_600_000), 0)
  refused(() => filters('until=soon').until(0), /^invalid value for 'until' filter: failed to parse/)
  refused(() => filters('until=1h', 'until=2h').until(0), /^more than one until filter specified$/)
  refused(() => filters('status=up').closed('status', ['running']), /^invalid filter 'status=up'$/)
})

test('a name that the list does not know is refused', () => {
  refused(() => new Filters([{ name: 'nosuch', value: 'x' }], PRUNE_FILTERS), /^invalid filter 'nosuch'$/)
  refused(() => new Filters([{ name: '', value: 'x' }], PRUNE_FILTERS), /^invalid filter ''$/)
})
