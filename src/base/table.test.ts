import assert from 'node:assert/strict'
import { test } from 'node:test'
import { table } from './table.ts'

test('a table has what it was given, and nothing that objects inherit', () => {
  const signals = table<number>({ HUP: 1, ['__proto__']: 2 })
  assert.deepEqual(Object.entries(signals), [
    ['HUP', 1],
    ['__proto__', 2],
  ])
  const inherited = ['__proto__', 'constructor', 'toString', 'valueOf', 'hasOwnProperty']
  for (const name of inherited) assert.equal(table({})[name], undefined, name)
})
