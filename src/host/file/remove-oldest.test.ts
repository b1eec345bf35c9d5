import assert from 'node:assert/strict'
import { readdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryDirectory } from '../../../test/kit/temporary.ts'
import { removeOldest } from './remove-oldest.ts'

test('the files that were changed longest ago go, as many as there are too many', async () => {
  await using directory = await temporaryDirectory('bale-remove-oldest')
  for (const [name, time] of Object.entries({ a: 300, b: 100, c: 400, d: 200 })) {
    writeFileSync(join(directory.path, name), '')
    utimesSync(join(directory.path, name), time, time)
  }
  for (const [kept, expected] of [
    [4, 'abcd'],
    [2, 'ac'],
    [0, ''],
  ] as const) {
    await removeOldest(directory.path, kept)
    assert.equal(readdirSync(directory.path).sort().join(''), expected)
  }
  await removeOldest(join(directory.path, 'missing'), 0)
})

test('nothing is removed when the age of a file cannot be told', async () => {
  await using directory = await temporaryDirectory('bale-remove-oldest')
  symlinkSync('circle', join(directory.path, 'circle'))
  writeFileSync(join(directory.path, 'file'), '')
  await assert.rejects(removeOldest(directory.path, 1), { code: 'ELOOP' })
  assert.deepEqual(readdirSync(directory.path), ['circle', 'file'])
})
