import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { digestOf } from '#blob'
import { MediaType } from '#spec'
import { sqlitePlace } from '../../../test/kit/meta-places.ts'
import { metaStoreContract } from './contract.ts'
import { openSqliteMeta } from './index.ts'
import { image, scanOf } from './kit-contract.ts'
import { MIGRATIONS } from './sqlite-schema.ts'

async function temporaryMeta() {
  const directory = await mkdtemp(join(tmpdir(), 'bale-meta-'))
  const path = join(directory, 'registry.db')
  const open = () => openSqliteMeta({ path })
  return { path, open, [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }) }
}

metaStoreContract('SQLite', sqlitePlace)

test('a database of a newer bale is not touched', async () => {
  await using under = await temporaryMeta()
  await under.open().close()
  const database = new DatabaseSync(under.path)
  database.exec('PRAGMA user_version = 99')
  database.close()
  assert.throws(() => under.open(), { code: 'STORE_VERSION' })
})

test("0.1's database is taken over: users get an ID, and their uploads stay theirs", async () => {
  await using under = await temporaryMeta()
  const old = new DatabaseSync(under.path)
  old.exec(MIGRATIONS[0]!)
  old.exec(`PRAGMA user_version = 1;
    INSERT INTO users (name, password_hash, admin, created_at) VALUES ('ann', 'h', 1, 5), ('bob', 'h', 0, 5);
    INSERT INTO grants (user_name, pattern, role) VALUES ('bob', 'team/*', 'read');
    INSERT INTO uploads (id, repository, principal, algorithm, storage_key, offset, lock_until, expires_at)
    VALUES ('u1', 'ann/x', 'user:ann', 'sha256', 'k1', 3, 0, 9e12), ('u2', 'x', 'anonymous', 'sha256', 'k2', 3, 0, 9e12)`)
  old.close()
  const meta = under.open()
  const [ann, bob] = await meta.listAccounts('user')
  assert.match(ann!.id, /^[0-9a-f]{32}$/)
  assert.notEqual(ann!.id, bob!.id)
  assert.deepEqual([ann!.generation, bob!.grants], [1, [{ pattern: 'team/*', role: 'read' }]])
  assert.equal((await meta.findUpload('u1'))?.principal, `user:${ann!.id}`)
  assert.equal((await meta.findUpload('u2'))?.principal, 'anonymous')
  await meta.close()
})

test('tags of a database without policies are as old as their last change, and take no history of others', async () => {
  await using under = await temporaryMeta()
  const old = new DatabaseSync(under.path)
  for (const step of MIGRATIONS.slice(0, 3)) old.exec(step)
  const [one, two] = [digestOf('one'), digestOf('two')]
  old.exec(`PRAGMA user_version = 3;
    INSERT INTO repositories (id, name, created_at) VALUES (1, 'a/b', 10);
    INSERT INTO manifests (id, repo_id, digest, media_type, descriptor, body, pushed_at) VALUES (1, 1, '${one}', 'x/y', '{}', 'one', 20);
    INSERT INTO tags (repo_id, name, manifest_id, version, updated_at, updated_by) VALUES (1, 't', 1, 1, 20, 'ann');
    INSERT INTO tag_history (repo_id, name, digest, at, actor) VALUES
      (1, 't', '${two}', 5, 'of a repository that went'), (1, 't', '${one}', 20, 'ann'), (2, 't', '${two}', 5, 'of another')`)
  old.close()
  const meta = under.open()
  const history = await meta.tagHistory('a/b', 't', { limit: 10 })
  assert.deepEqual(
    history.map(({ digest, at, actor }) => [digest, at, actor]),
    [[one, 20, 'ann']],
  )
  await meta.addPolicy({ kind: 'keep', pattern: '**', tags: [], within: 86_400_000 })
  const [unkept] = await meta.unkeptTags('a/b')
  assert.ok(Math.abs(Date.now() - 20 - unkept!.age) < 60_000)
  await meta.close()
})

test('rules of a database that did not sort them are found by the repositories that they are about', async () => {
  await using under = await temporaryMeta()
  const old = new DatabaseSync(under.path)
  const before = MIGRATIONS.findIndex((step) => step.includes('ADD COLUMN first'))
  for (const step of MIGRATIONS.slice(0, before)) old.exec(step)
  old.exec(`PRAGMA user_version = ${before};
    INSERT INTO public_patterns (pattern) VALUES ('acme/**'), ('ac*/x'), ('bob'), ('**');
    INSERT INTO tag_policies (kind, pattern, tags, excepted, created_at) VALUES ('immutable', 'acme/web', '["v*"]', '[]', 1)`)
  old.close()
  const meta = under.open()
  assert.deepEqual((await meta.publicPatterns('acme/web')).toSorted(), ['**', 'ac*/x', 'acme/**'])
  assert.deepEqual((await meta.publicPatterns('bob')).toSorted(), ['**', 'ac*/x', 'bob'])
  for (const content of ['one', 'two']) {
    const bytes = Buffer.from(content)
    const digest = digestOf(bytes)
    const descriptor = { mediaType: 'x/y', digest, size: bytes.length }
    const put = { digest, mediaType: 'x/y', bytes, descriptor, blobs: [], children: [], tags: ['v1'], actor: 'ann' }
    if (content === 'one') await meta.putManifest('acme/web', put)
    else await assert.rejects(meta.putManifest('acme/web', put), { code: 'TAG_IMMUTABLE' })
  }
  await meta.close()
})

test('images of a database that did not queue them are scanned after those that come', async () => {
  await using under = await temporaryMeta()
  const old = new DatabaseSync(under.path)
  const before = MIGRATIONS.findIndex((step) => step.includes('CREATE TABLE scans'))
  for (const step of MIGRATIONS.slice(0, before)) old.exec(step)
  const [one, two, other] = [digestOf('one'), digestOf('two'), digestOf('other')]
  old.exec(`PRAGMA user_version = ${before};
    INSERT INTO tag_policies (kind, pattern, tags, excepted, created_at, first) VALUES ('types', 'a/b', '["*"]', '[]', 1, 'a');
    DELETE FROM tag_policies;
    INSERT INTO tag_policies (kind, pattern, tags, excepted, created_at, first) VALUES ('immutable', 'a/b', '["v*"]', '[]', 1, 'a');
    INSERT INTO repositories (id, name, created_at) VALUES (1, 'a/b', 10), (2, 'c/d', 10);
    INSERT INTO manifests (repo_id, digest, media_type, descriptor, body, pushed_at) VALUES
      (1, '${one}', '${MediaType.ociManifest}', '{}', 'one', 20), (2, '${one}', '${MediaType.ociManifest}', '{}', 'one', 20),
      (1, '${two}', '${MediaType.dockerManifest}', '{}', 'two', 20), (1, '${other}', '${MediaType.ociIndex}', '{}', 'other', 20)`)
  old.close()
  const meta = under.open()
  assert.deepEqual(await meta.countScans(9), { waiting: 2, failed: 0 })
  assert.equal((await scanOf(meta, 'c/d', one))?.state, 'waiting')
  await meta.putManifest('a/b', image('new'))
  const taken = []
  const take = () => meta.takeScan({ lease: 1000, analyser: '1' })
  for (let next = await take(); next; next = await take()) taken.push(next.digest)
  assert.equal(taken[0], digestOf('new'))
  assert.deepEqual(taken.slice(1).toSorted(), [one, two].toSorted())
  assert.deepEqual(
    (await meta.listPolicies()).map(({ id, kind }) => [id, kind]),
    [[2, 'immutable']],
  )
  assert.equal(await meta.removePolicy(2), true)
  assert.equal(await meta.addPolicy({ kind: 'gate', pattern: 'a/b' }), 3, 'an ID is never given again')
  await meta.close()
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
