import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { writeLayer } from '../../../../test/kit/layer-kit.ts'
import { tarOf } from '../../../../test/kit/tar.ts'
import { temporaryDirectory } from '../../../../test/kit/temporary.ts'
import type { ReadableFile } from '../analyser.ts'
import { bothLayers, directory, hardlink, piecesOf, type Seen, symlink, text, visit, visitorOf } from './contract.ts'
import { tarLayer } from './index.ts'

const LARGE = 'x'.repeat(5 * 1024 * 1024)

/** Names of the files without a name that this process has open. */
function heldFiles(): string[] {
  const links = readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`)
    } catch {
      // The one of the listing itself.
      return ''
    }
  })
  return links.filter((one) => one.includes('.spool-'))
}

test('of a file that is wanted for its head only, no more than the head is held', async () => {
  const bytes = await tarOf([text('yes', `\x7fELF${LARGE}`), text('no', LARGE)])
  const given: string[] = []
  await tarLayer(async () => piecesOf(bytes, 70_000), tmpdir()).visit({
    wants: () => ({ key: '', headOnly: true, magic: ['\x7fELF'] }),
    change: () => undefined,
    async content({ path, size }) {
      given.push(`${path} ${size}`)
      assert.deepEqual(heldFiles(), [])
    },
  })
  assert.deepEqual(given, [`yes ${LARGE.length + 4}`])
})

test('the readers refuse the same layers, after telling all that comes before', async () => {
  const before = text('before')
  const deep = Array.from({ length: 15 }, () => 'd'.repeat(200)).join('/')
  for (const [name, entries] of Object.entries({
    'a hard link to nothing': [hardlink('a', 'b')],
    'a hard link to what comes later': [hardlink('a', 'b'), text('b')],
    'hard links in a circle': [hardlink('a', 'b'), hardlink('b', 'c'), hardlink('c', 'b')],
    'a hard link to a directory': [directory('d'), hardlink('a', 'd')],
    'a file below a file': [text('a'), text('a/b')],
    'links in a circle': [symlink('a', 'b'), symlink('b', 'a'), text('a/x')],
  })) {
    const bytes = await tarOf([before, ...entries])
    await assert.rejects(writeLayer(bytes), { code: 'INVALID_TAR' }, name)
    const seen: Seen = { changes: [], contents: new Map(), given: [] }
    const layer = tarLayer(async () => piecesOf(bytes, 1000), tmpdir())
    await assert.rejects(layer.visit(visitorOf(seen, () => ({}))), { code: 'INVALID_TAR' }, name)
    assert.equal(seen.contents.get('before'), 'before', name)
  }
  for (const entries of [[symlink('a', 'x'.repeat(4096))], [directory(deep), symlink('l', deep), text(`l/${deep}`)]]) {
    const layer = tarLayer(async () => piecesOf(await tarOf(entries), 1000), tmpdir())
    await assert.rejects(
      visit(layer, () => ({})),
      { code: 'INVALID_TAR' },
    )
  }
})

test('after an abort, the visitor is told nothing more', async () => {
  const bytes = tarOf([text('a'), text('b')])
  for (const [name, layer] of await bothLayers(bytes)) {
    const abort = new AbortController()
    const told: string[] = []
    const visiting = layer.visit(
      {
        wants: () => ({ key: '' }),
        change: ({ path }) => void (abort.signal.aborted && told.push(path)),
        content: async () => abort.abort(),
        end: async () => void told.push('end'),
      },
      { signal: abort.signal },
    )
    await assert.rejects(visiting, { name: 'AbortError' }, name)
    assert.deepEqual(told, [], name)
  }
})

test('of a path that comes many times one file is kept, and one of another name is read again', async () => {
  const entries = [text('p', '1'), hardlink('q', 'p'), text('p', '2'), text('p', '3')]
  const bytes = await tarOf(entries)
  const kept = new Map<number, ReadableFile>()
  const names = new Map<string, number>()
  const found = new Map<string, string>()
  const early: ReadableFile[] = []
  await tarLayer(async () => piecesOf(bytes, 512), tmpdir()).visit({
    wants: () => ({ key: '', keep: true }),
    change: (change) => void (change.kind === 'file' && names.set(change.path, change.inode)),
    async content(file, inode) {
      early.push(file)
      kept.set(inode, file)
    },
    async end() {
      for (const [name, inode] of names) found.set(name, (await kept.get(inode)!.read()).toString())
      await assert.rejects(early[1]!.read())
    },
  })
  assert.deepEqual(Object.fromEntries(found), { p: '3', q: '1' })
})

test('nothing is held after a failure', async () => {
  const bytes = await tarOf([text('a', LARGE), text('b', LARGE)])
  const before = heldFiles().length
  const layer = tarLayer(async () => piecesOf(bytes, bytes.length), tmpdir())
  const failure = new Error('of the visitor')
  let ended = false
  await assert.rejects(
    layer.visit({
      wants: () => ({ key: '', keep: true }),
      change: () => undefined,
      content: () => Promise.reject(failure),
      end: async () => {
        ended = true
      },
    }),
    failure,
  )
  assert.deepEqual([heldFiles().length, ended], [before, true])
})

test('a full disk is NO_SPACE', async (t) => {
  await using parent = await temporaryDirectory()
  const small = join(parent.path, 'small')
  mkdirSync(small)
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', small]).status !== 0)
    return t.skip('mounting a small tmpfs needs root')
  const bytes = await tarOf([text('a', LARGE)])
  const layer = tarLayer(async () => piecesOf(bytes, 70_000), small)
  await assert.rejects(
    visit(layer, () => ({})),
    { code: 'NO_SPACE' },
  )
})
