/** Every reader of what comes from outside, on inputs that were faults once and on mutated ones; `npm run fuzz` reads on. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { attack } from './fuzz/attack.ts'
import { TARGETS } from './fuzz/targets.ts'

test('what the inputs are made of is understood', async () => {
  for (const target of TARGETS) for (const seed of await target.seeds()) await target.read(Buffer.from(seed as string))
})

/** The same in every run, so that a change of the code alone can make it fail. */
const SEED = 1

for (const target of TARGETS) {
  test(`${target.name}: odd input is refused in words or read right`, async () => {
    const found = await attack(target, { runs: 200, seed: SEED })
    assert.equal(found, undefined, found && `${String(found.error)}\n${JSON.stringify(found.input.toString('latin1'))}`)
  })
}
