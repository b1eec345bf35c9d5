import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { systemClock } from '#base'
import { digestOf } from '#blob'
import { metaStoreContract } from './contract.ts'
import { openSqliteMeta } from './index.ts'

async function temporaryMeta() {
  const directory = await mkdtemp(join(tmpdir(), 'bale-meta-'))
  const path = join(directory, 'registry.db')
  const open = () => openSqliteMeta({ path, clock: systemClock })
  return { path, open, [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }) }
}

metaStoreContract('SQLite', async () => {
  const under = await temporaryMeta()
  return {
    open: async (clock) => openSqliteMeta({ path: under.path, clock }),
    [Symbol.asyncDispose]: () => under[Symbol.asyncDispose](),
  }
})

test('a database of a newer bale is not touched', async () => {
  await using under = await temporaryMeta()
  await under.open().close()
  const database = new DatabaseSync(under.path)
  database.exec('PRAGMA user_version = 99')
  database.close()
  assert.throws(() => under.open(), { code: 'STORE_VERSION' })
})

test('A06: the history of a tag has one line for each change, and none for the same push again', async () => {
  await using under = await temporaryMeta()
  const meta = under.open()
  const put = (body: string, actor: string) => {
    const bytes = Buffer.from(body)
    const digest = digestOf(bytes)
    const descriptor = { mediaType: 'x/y', digest, size: bytes.length }
    return meta.putManifest('a/b', {
      digest,
      mediaType: 'x/y',
      bytes,
      descriptor,
      blobs: [],
      children: [],
      tags: ['t'],
      actor,
    })
  }
  await put('one', 'ann')
  await put('one', 'bob')
  await put('two', 'bob')
  await meta.deleteManifest('a/b', digestOf('two'), 'cat')
  await put('one', 'ann')
  await meta.deleteTag('a/b', 't', 'cat')
  await meta.close()
  const database = new DatabaseSync(under.path)
  const lines = database.prepare('SELECT name, digest, actor FROM tag_history ORDER BY id').all()
  database.close()
  assert.deepEqual(
    lines.map(({ name, digest, actor }) => [name, digest, actor]),
    [
      ['t', digestOf('one'), 'ann'],
      ['t', digestOf('two'), 'bob'],
      ['t', null, 'cat'],
      ['t', digestOf('one'), 'ann'],
      ['t', null, 'cat'],
    ],
  )
})
