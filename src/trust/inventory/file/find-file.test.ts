import assert from 'node:assert/strict'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { readBytes } from '#host/file'
import { file, tarOf as packed, writeLayer } from '../../../../test/kit/layer-kit.ts'
import { tarEntry, tarOf } from '../../../../test/kit/tar.ts'
import { temporaryDirectory } from '../../../../test/kit/temporary.ts'
import { encodeHeader } from '../distributions/rpm/contract.ts'
import { findFile, imageLayer, type LayerFiles } from '../index.ts'
import { tarLayer } from '../layers/index.ts'

const text = (name: string, content = 'x') => ({ entry: tarEntry(name), text: content })
const link = (name: string, linkName: string) => tarEntry(name, { type: 'symlink', linkName })

const BASE = tarOf([
  link('bin', 'usr/bin'),
  link('etc/alternatives/editor', '/usr/bin/vim'),
  link('usr/bin/editor', '../../etc/alternatives/editor'),
  text('usr/bin/vim', 'a program'),
  text('var/lib/dpkg/info/vim:amd64.list', '/.\n/usr/bin\n/bin/vim\n'),
  text('var/lib/dpkg/info/other.list', '/usr/bin/other\n'),
])

/** The same answer of the tars and of their images. */
async function find(tars: readonly Promise<Buffer>[], path: string) {
  const all = await Promise.all(tars)
  const fromTars = all.map(
    (bytes): LayerFiles =>
      tarLayer(
        async () =>
          (async function* () {
            yield bytes
          })(),
        tmpdir(),
      ),
  )
  const images = await Promise.all(all.map(async (bytes) => (await writeLayer(bytes)).image))
  const fromImages = images.map((image) =>
    imageLayer(() => ({ readAt: image.readAt, [Symbol.dispose]: () => undefined })),
  )
  const found = await findFile(fromTars, path)
  assert.deepEqual(await findFile(fromImages, path), found)
  return found
}

test('a file is found with the layer and the package that brought it, also where /usr is merged', async () => {
  assert.deepEqual(await find([BASE], '/usr/bin/vim'), {
    path: 'usr/bin/vim',
    kind: 'file',
    size: 9,
    history: [{ layer: 0, act: 'added' }],
    owners: ['vim'],
  })
})

test('links on the way are followed inside the image', async () => {
  assert.equal((await find([BASE], '/bin/vim')).path, 'usr/bin/vim')
  const found = await find([BASE], '/bin/editor')
  assert.deepEqual([found.path, found.kind], ['usr/bin/editor', 'symlink'])
})

test('each layer that replaced or removed a file is told', async () => {
  const replaced = tarOf([text('usr/bin/vim', 'another')])
  const removed = tarOf([tarEntry('usr/.wh.bin')])
  const again = tarOf([tarEntry('usr/bin/.wh..wh..opq'), text('usr/bin/vim', 'last')])
  const found = await find([BASE, replaced, removed, again], 'usr/bin/vim')
  assert.deepEqual(found.history, [
    { layer: 0, act: 'added' },
    { layer: 1, act: 'replaced' },
    { layer: 2, act: 'removed' },
    { layer: 3, act: 'added' },
  ])
  assert.equal(found.size, 4)
  const gone = await find([BASE, removed], 'usr/bin/vim')
  assert.deepEqual([gone.kind, gone.history.at(-1)], [undefined, { layer: 1, act: 'removed' }])
})

test('what was never there is PATH_NOT_FOUND; links in a circle end', async () => {
  await assert.rejects(find([BASE], 'usr/bin/emacs'), { code: 'PATH_NOT_FOUND' })
  const circle = tarOf([link('a', 'b'), link('b', 'a')])
  await assert.rejects(find([circle], 'a/x'), { code: 'INVALID_ARGUMENT' })
})

test('names in UTF-8 are found as they are written, and told so', async () => {
  const bytes = (name: string) => Buffer.from(name).toString('latin1')
  const tar = tarOf([text(bytes('srv/café'))])
  assert.equal((await find([tar], '/srv/café')).path, 'srv/café')
  await assert.rejects(find([tar], '/srv/thé'), { message: 'the image has no /srv/thé' })
})

test('a hard link is a file like any other', async () => {
  const linked = tarOf([
    { entry: tarEntry('usr/bin/perl'), text: 'a program' },
    tarEntry('usr/bin/perl5', { type: 'hardlink', linkName: 'usr/bin/perl' }),
  ])
  const found = await find([linked], '/usr/bin/perl5')
  assert.deepEqual([found.kind, found.size, found.history], ['file', 9, [{ layer: 0, act: 'added' }]])
})

test('an opaque directory that the layer marks after a link of its own hides no link of the layer', async () => {
  const upper = tarOf([link('srv/now', 'v1'), text('srv/v1/file'), tarEntry('srv/.wh..wh..opq')])
  assert.equal((await find([BASE, upper], 'srv/now/file')).path, 'srv/v1/file')
})

test('databases are read in the second round only, to their limit, also as hard links', async () => {
  const linked = tarOf([
    text('usr/bin/tool'),
    text('srv/list', '/usr/bin/tool\n'),
    tarEntry('var/lib/dpkg/info/tool.list', { type: 'hardlink', linkName: 'srv/list' }),
    tarEntry('var/lib/dpkg/info/second.list', { type: 'hardlink', linkName: 'srv/list' }),
    text('var/lib/dpkg/info/large.list', '/usr/bin/tool\n'.repeat(2_500_000)),
  ])
  assert.deepEqual((await find([linked], 'usr/bin/tool')).owners, ['second', 'tool'])
  const rounds: string[] = []
  const counting: LayerFiles = {
    async visit(visitor) {
      const wanted = visitor.wants({ path: 'var/lib/dpkg/info/tool.list', size: 1, mode: 0o644 })
      rounds.push(wanted ? 'contents' : 'names')
      visitor.change({ kind: 'other', path: 'x' })
    },
  }
  await findFile([counting], 'x')
  assert.deepEqual(rounds, ['names', 'contents'])
})

test('packages that only the write-ahead log of the rpm database has are owners', async () => {
  const facts = { name: 'tool', version: '1', release: '1', files: ['/usr/bin/tool'] }
  const { bytes, log } = await sqliteWithLog(encodeHeader(facts))
  const directory = 'usr/lib/sysimage/rpm/rpmdb.sqlite'
  const tar = packed([file('usr/bin/tool', 'x'), file(directory, bytes), file(`${directory}-wal`, log)])
  assert.deepEqual((await find([tar], 'usr/bin/tool')).owners, ['tool'])
})

/** A database whose only package is in its log still. */
async function sqliteWithLog(header: Buffer): Promise<{ bytes: Buffer; log: Buffer }> {
  await using directory = await temporaryDirectory('bale-sqlite')
  const path = join(directory.path, 'rpmdb.sqlite')
  using database = new DatabaseSync(path)
  database.exec('PRAGMA journal_mode = WAL; CREATE TABLE Packages (hnum INTEGER PRIMARY KEY, blob BLOB)')
  database.prepare('INSERT INTO Packages VALUES (1, ?)').run(header)
  return { bytes: await readBytes(path), log: await readBytes(`${path}-wal`) }
}
