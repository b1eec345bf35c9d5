import assert from 'node:assert/strict'
import { symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryDirectory } from '../../../test/kit/temporary.ts'
import { readTextIfThere } from './read-bytes.ts'

test('a text that is not there, or is no file, is undefined; one that is too long or goes in circles is an error', async () => {
  await using directory = await temporaryDirectory('bale-read-bytes')
  const at = (name: string) => join(directory.path, name)
  writeFileSync(at('a'), 'text')
  symlinkSync('circle', at('circle'))
  assert.equal(await readTextIfThere(at('a')), 'text')
  for (const path of [at('missing'), at('a/below'), directory.path])
    assert.equal(await readTextIfThere(path), undefined, path)
  await assert.rejects(readTextIfThere(at('a'), { limit: 3 }), { code: 'LIMIT_EXCEEDED' })
  await assert.rejects(readTextIfThere(at('circle')), { code: 'ELOOP' })
})
