import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readMachine } from './machine.ts'
import { rlimits } from './rlimits.ts'

test('what is no limit of the kernel is refused by name', () => {
  for (const name of ['nosuch', 'as', 'constructor', '__proto__']) {
    const asked = [{ name, soft: 1, hard: 1 }]
    assert.throws(() => rlimits(asked, readMachine(), assert.fail), new RegExp(`unknown ulimit: ${name}`))
  }
})
