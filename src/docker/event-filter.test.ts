import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventFilter, eventMessage } from './index.ts'

const start = eventMessage({
  type: 'container',
  action: 'start',
  actor: 'abc123',
  attributes: { stage: 'test', image: 'localhost:5000/team/web:1', name: 'web' },
  time: 1_764_356_985_123,
})

test('a message has the members of docker in its order, and a time that is exact to the millisecond', () => {
  assert.equal(
    JSON.stringify(start),
    '{"status":"start","id":"abc123","from":"localhost:5000/team/web:1","Type":"container","Action":"start",' +
      '"Actor":{"ID":"abc123","Attributes":{"image":"localhost:5000/team/web:1","name":"web","stage":"test"}},' +
      '"scope":"local","time":1764356985,"timeNano":1764356985123000000}',
  )
})

test('what is neither a container nor an image has no members for older programs', () => {
  const create = eventMessage({ type: 'network', action: 'create', actor: 'n', attributes: {}, time: 1000 })
  assert.deepEqual(Object.keys(create), ['Type', 'Action', 'Actor', 'scope', 'time', 'timeNano'])
})

const chosen = (...pairs: [string, string][]) => eventFilter(pairs.map(([name, value]) => ({ name, value })))(start)

test('filters choose as docker does', () => {
  assert.equal(chosen(['event', 'start']), true)
  assert.equal(chosen(['event', 'star']), false)
  assert.equal(chosen(['event', 'stop'], ['event', 'start']), true)
  assert.equal(chosen(['type', 'image']), false)
  assert.equal(chosen(['container', 'abc']), true)
  assert.equal(chosen(['container', 'we']), true)
  assert.equal(chosen(['container', 'other']), false)
  assert.equal(chosen(['image', 'localhost:5000/team/web']), true)
  assert.equal(chosen(['image', 'localhost:5000/team/web:2']), false)
  assert.equal(chosen(['label', 'stage=test']), true)
  assert.equal(chosen(['label', 'stage'], ['label', 'other']), false)
  assert.equal(chosen(['volume', 'data']), false)
  assert.throws(() => eventFilter([{ name: 'colour', value: 'red' }]), { code: 'INVALID_ARGUMENT' })
})

test('an action with a command is chosen by its name alone', () => {
  const message = { ...start, Action: 'exec_create: sh -c ls' }
  assert.equal(eventFilter([{ name: 'event', value: 'exec_create' }])(message), true)
  assert.equal(eventFilter([{ name: 'event', value: 'exec_die' }])(message), false)
})
