import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isBaleError } from '#base'
import { changeOf, linkTargetOf, normalisePath, parseWhiteout } from './path.ts'

const refused = (action: () => unknown) => assert.throws(action, (error) => isBaleError(error, 'INVALID_TAR'))

test('names lose leading slashes, dots and doubled slashes (T02)', () => {
  const table: [string, string[]][] = [
    ['etc/passwd', ['etc', 'passwd']],
    ['/etc/x', ['etc', 'x']],
    ['//etc///x/', ['etc', 'x']],
    ['./a/./b', ['a', 'b']],
    ['.', []],
    ['./', []],
    ['/', []],
    ['...', ['...']],
    ['a /..b/c..', ['a ', '..b', 'c..']],
    ['caf\xe9\xff', ['caf\xe9\xff']],
  ]
  for (const [name, components] of table) assert.deepEqual(normalisePath(name), components, name)
})

test('names with .. are refused wherever it stands, also where it would stay inside (T01, T02)', () => {
  for (const name of ['..', '../../etc/x', 'a/../../b', 'a/..', './../x', '/..', 'a/../b'])
    refused(() => normalisePath(name))
})

test('components beyond 255 bytes, paths beyond 4095 bytes and depth 10000 are refused (T18, T25)', () => {
  assert.equal(normalisePath('n'.repeat(255))[0]!.length, 255)
  refused(() => normalisePath('n'.repeat(256)))
  refused(() => normalisePath('a/'.repeat(10_000)))
  refused(() => normalisePath('a\0b'))
})

test('no name whatever leaves the root', () => {
  const part = fc.constantFrom('..', '.', '', 'a', '.wh.x', '\xe9', 'b c')
  fc.assert(
    fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
      const name = parts.join('/')
      try {
        const components = normalisePath(name)
        assert.ok(components.every((one) => one !== '' && one !== '.' && one !== '..' && !one.includes('/')))
        assert.deepEqual(normalisePath(components.join('/')), components)
      } catch (error) {
        assert.ok(isBaleError(error, 'INVALID_TAR') && parts.includes('..'))
      }
    }),
  )
})

test('the root may only be a directory (T05)', () => {
  assert.deepEqual(changeOf({ name: './', type: 'directory' }), { kind: 'entry', path: [] })
  for (const type of ['file', 'symlink', 'hardlink', 'character', 'fifo'] as const)
    for (const name of ['.', '/', './']) refused(() => changeOf({ name, type }))
})

test('whiteouts: names, opaque markers, malformed ones, aufs metadata (T08, T09)', () => {
  assert.deepEqual(parseWhiteout('.wh.passwd'), { kind: 'whiteout', name: 'passwd' })
  assert.deepEqual(parseWhiteout('.wh..hidden'), { kind: 'whiteout', name: '.hidden' })
  assert.deepEqual(parseWhiteout('.wh....'), { kind: 'whiteout', name: '...' })
  assert.deepEqual(parseWhiteout('.wh..wh..opq'), { kind: 'opaque' })
  assert.deepEqual(parseWhiteout('.wh..wh.plnk'), { kind: 'ignored' })
  assert.deepEqual(parseWhiteout('.wh..wh.aufs'), { kind: 'ignored' })
  for (const plain of ['passwd', '.wh', '.whx', 'a.wh.b']) assert.equal(parseWhiteout(plain), undefined)
  for (const bad of ['.wh.', '.wh..', '.wh...']) refused(() => parseWhiteout(bad))
})

test('what an entry does to the lower layers (T08, T09, T10)', () => {
  assert.deepEqual(changeOf({ name: './a/.wh.b', type: 'file' }), { kind: 'whiteout', path: ['a', 'b'] })
  assert.deepEqual(changeOf({ name: 'a/.wh.b', type: 'hardlink' }), { kind: 'whiteout', path: ['a', 'b'] })
  assert.deepEqual(changeOf({ name: 'a/.wh..wh..opq', type: 'file' }), { kind: 'opaque', path: ['a'] })
  assert.deepEqual(changeOf({ name: '.wh..wh..opq', type: 'file' }), { kind: 'opaque', path: [] })
  assert.deepEqual(changeOf({ name: 'a/.wh..wh..opq', type: 'directory' }), { kind: 'ignored' })
  assert.deepEqual(changeOf({ name: 'a/.wh..wh..opq', type: 'symlink' }), { kind: 'ignored' })
  assert.deepEqual(changeOf({ name: '.wh..wh.plnk/12.3', type: 'file' }), { kind: 'ignored' })
  assert.deepEqual(changeOf({ name: 'a/b', type: 'fifo' }), { kind: 'entry', path: ['a', 'b'] })
  refused(() => changeOf({ name: 'a/.wh.b/c', type: 'file' }))
  refused(() => changeOf({ name: 'a/.wh.b', type: 'symlink' }))
  refused(() => changeOf({ name: '/.wh.etc/..', type: 'file' }))
  refused(() => changeOf({ name: 'a/.wh..', type: 'file' }))
})

test('hard links point into their own layer, never to themselves, the root or outside (T06, T07)', () => {
  assert.deepEqual(linkTargetOf({ name: 'a', linkName: './b/c' }), ['b', 'c'])
  assert.deepEqual(linkTargetOf({ name: 'a', linkName: '/etc/shadow' }), ['etc', 'shadow'])
  for (const linkName of ['../../etc/shadow', 'a', './a', '/', '', 'b/../c'])
    refused(() => linkTargetOf({ name: 'a', linkName }))
})
