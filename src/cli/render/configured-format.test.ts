import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryDirectory } from '#host/file'
import { configuredFormat } from './configured-format.ts'

test('templates of lists come from docker’s config.json; values that are not text are ignored', async () => {
  await using directory = await temporaryDirectory(tmpdir(), 'formats-')
  const file = join(directory.path, 'config.json')
  assert.equal(configuredFormat(undefined, 'psFormat'), undefined)
  assert.equal(configuredFormat(file, 'psFormat'), undefined)
  writeFileSync(file, JSON.stringify({ psFormat: 'table {{.ID}}', imagesFormat: 7, statsFormat: '' }))
  assert.equal(configuredFormat(file, 'psFormat'), 'table {{.ID}}')
  for (const member of ['imagesFormat', 'statsFormat', 'volumesFormat'] as const)
    assert.equal(configuredFormat(file, member), undefined)
  for (const text of ['null', '{', '[]']) {
    writeFileSync(file, text)
    assert.equal(configuredFormat(file, 'psFormat'), undefined)
  }
})
