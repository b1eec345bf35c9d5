import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryDirectory } from '../../../test/kit/temporary.ts'
import { namesIn } from './names-in.ts'

test('names are sorted; a missing directory has none, and a file is an error', async () => {
  await using directory = await temporaryDirectory('bale-names-in')
  for (const name of ['b', 'a', 'c']) writeFileSync(join(directory.path, name), '')
  assert.deepEqual(await namesIn(directory.path), ['a', 'b', 'c'])
  assert.deepEqual(await namesIn(join(directory.path, 'missing')), [])
  await assert.rejects(namesIn(join(directory.path, 'a')), { code: 'ENOTDIR' })
})
