import assert from 'node:assert/strict'
import { tmpdir } from 'node:os'
import { test } from 'node:test'
import fc from 'fast-check'
import { file, tarOf as packed, writeLayer } from '../../../../test/kit/layer-kit.ts'
import { tarEntry, tarOf } from '../../../../test/kit/tar.ts'
import type { ReadableFile } from '../analyser.ts'
import { bothLayers, directory, hardlink, piecesOf, same, symlink, text, visit } from './contract.ts'
import { imageLayer, tarLayer } from './index.ts'

const LARGE = 'x'.repeat(5 * 1024 * 1024)

const TAR = tarOf([
  tarEntry('etc/', { type: 'directory', mode: 0o755 }),
  { entry: tarEntry('etc/os-release'), text: 'ID=debian\n' },
  tarEntry('etc/link', { type: 'symlink', linkName: '/etc/os-release' }),
  { entry: tarEntry('opt/program', { mode: 0o755 }), text: `\x7fELF${LARGE}` },
  { entry: tarEntry('opt/script', { mode: 0o755 }), text: '#!/bin/sh\n' },
  tarEntry('opt/again', { type: 'hardlink', linkName: 'opt/script' }),
  tarEntry('opt/.wh.gone'),
  tarEntry('var/.wh..wh..opq'),
  { entry: tarEntry('var/.wh.lib'), text: '' },
])

for (const kind of ['tar', 'image']) {
  const layerOf = async (tar = TAR) => (await bothLayers(tar)).find(([name]) => name === kind)![1]

  test(`${kind}: whiteouts, opaque directories, files and links are told apart`, async () => {
    const { changes } = await visit(await layerOf(), () => undefined)
    for (const change of [
      'directory etc',
      'file etc/os-release 10 644',
      'symlink etc/link -> /etc/os-release',
      `file opt/program ${LARGE.length + 4} 755`,
      'whiteout opt/gone',
      'whiteout var/lib',
      'opaque var',
    ])
      assert.ok(changes.includes(change), `${change} is among ${changes.join(', ')}`)
  })

  test(`${kind}: wanted files come whole, small and large, and no others`, async () => {
    const { contents } = await visit(await layerOf(), (path) => (/os-release|program/.test(path) ? {} : undefined))
    assert.deepEqual([...contents.keys()].sort(), ['etc/os-release', 'opt/program'])
    assert.equal(contents.get('etc/os-release'), 'ID=debian\n')
    assert.equal(contents.get('opt/program')!.length, LARGE.length + 4)
  })

  test(`${kind}: a file that begins otherwise than wanted is left out`, async () => {
    const { contents } = await visit(await layerOf(), (path) =>
      path.startsWith('opt/') ? { magic: ['\x7fELF'] } : undefined,
    )
    assert.deepEqual([...contents.keys()], ['opt/program'])
  })

  test(`${kind}: a hard link is read under its own name`, async () => {
    const { contents } = await visit(await layerOf(), (path) => (path === 'opt/again' ? {} : undefined))
    assert.deepEqual([...contents], [['opt/again', '#!/bin/sh\n']])
  })

  test(`${kind}: holes of a sparse file read as zeros`, async () => {
    const sparse = [
      { offset: 4, length: 3 },
      { offset: 5_000_000, length: 2 },
    ]
    const tar = packed([file('holes', 'abcde', { sparse, size: 5_000_002 })])
    const { contents } = await visit(await layerOf(tar), () => ({}))
    const content = contents.get('holes')!
    assert.equal(content.length, 5_000_002)
    assert.equal(content.replaceAll('\0', ''), 'abcde')
    assert.equal(content.slice(5_000_000), 'de')
  })
}

test('what is put behind a link of the same layer is where the link leads to, never outside', async () => {
  const { contents, changes } = await same([
    symlink('lib', 'usr/lib'),
    directory('usr/lib'),
    text('lib/x', 'in usr'),
    symlink('opt', '../../../usr/./lib/../share'),
    directory('usr/share'),
    text('opt/y'),
    symlink('abs', '/usr/lib'),
    text('abs/.wh.gone'),
    tarEntry('abs/.wh..wh..opq'),
    hardlink('hard', 'lib/x'),
  ])
  assert.deepEqual([...contents.keys()].sort(), ['hard', 'usr/lib/x', 'usr/share/y'])
  for (const change of ['whiteout usr/lib/gone', 'opaque usr/lib', 'symlink lib -> usr/lib'])
    assert.ok(changes.includes(change))
})

test('a later entry replaces what was at its path and below it', async () => {
  const replaced = await same([text('a/b/c'), text('a/d'), text('a', 'a file'), text('x', 'old'), text('x', 'new')])
  assert.deepEqual(
    replaced.contents,
    new Map([
      ['a', 'a file'],
      ['x', 'new'],
    ]),
  )
  const joined = await same([
    text('a/b'),
    directory('a'),
    text('.wh.a', ''),
    symlink('l', 'a'),
    directory('l'),
    text('l/c'),
  ])
  assert.deepEqual([...joined.contents.keys()].sort(), ['a/b', 'l/c'])
  assert.ok(joined.changes.includes('opaque a'))
})

test("a hard link keeps its file when the target's name is replaced; it may point to a link, or through one", async () => {
  const { contents } = await same([
    text('a/file', 'first'),
    hardlink('b', 'a/file'),
    text('a/file', 'second'),
    hardlink('c', 'a/file'),
    hardlink('d', 'b'),
    text('c', 'third'),
    symlink('e', 'a'),
    hardlink('f', 'e/file'),
    hardlink('g', 'e'),
  ])
  assert.deepEqual(Object.fromEntries(contents), {
    'a/file': 'second',
    b: 'first',
    c: 'third',
    d: 'first',
    f: 'second',
  })
})

test('a file is read once for all of its names with one key, also where only links are wanted', async () => {
  const names = Array.from({ length: 20 }, (_, index) => `link${index}`)
  const entries = [text('file', 'content'), ...names.map((name) => hardlink(name, 'file'))]
  for (const [, layer] of await bothLayers(tarOf(entries))) {
    const all = await visit(layer, () => ({ key: 'one' }))
    assert.deepEqual([all.given, all.contents.size], [['file'], 21])
    const links = await visit(layer, (path) => (path === 'file' ? undefined : { key: 'one' }))
    assert.deepEqual([links.given.length, links.contents.size], [1, 20])
  }
})

test('an empty file begins with nothing', async () => {
  assert.deepEqual((await same([text('a', '')], () => ({ magic: ['x'] }))).given, [])
})

test('whatever the entries of a tar are, both readers give the same or refuse it', async () => {
  const path = fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'))
  const entry = fc.oneof(
    fc.tuple(path, fc.string({ maxLength: 3 })).map(([name, content]) => text(name, content)),
    path.map(directory),
    fc.tuple(path, fc.constantFrom('a', '/b', '../b/c', '.')).map(([name, target]) => symlink(name, target)),
    fc.tuple(path, path).map(([name, target]) => hardlink(name, target)),
    path.map((name) => text(name.replace(/[^/]+$/, '.wh.$&'))),
    path.map((name) => text(`${name}/.wh..wh..opq`)),
  )
  let accepted = 0
  await fc.assert(
    fc.asyncProperty(fc.array(entry, { maxLength: 8 }), async (entries) => {
      const bytes = await tarOf(entries)
      const isAccepted = await writeLayer(bytes).then(
        () => true,
        () => false,
      )
      accepted += Number(isAccepted)
      if (isAccepted) await same(entries)
      else
        await assert.rejects(
          visit(
            tarLayer(async () => piecesOf(bytes, 512), tmpdir()),
            () => ({}),
          ),
        )
    }),
    { numRuns: 300 },
  )
  assert.ok(accepted > 50, `${accepted}`)
})

test('damage of an image of the store is an error, whatever the visitor does with it', async () => {
  const { image } = await writeLayer(await tarOf([text('a', LARGE)]))
  let closed = 0
  for (const when of ['content', 'end']) {
    let isDamaged = false
    let kept: ReadableFile | undefined
    const source = {
      readAt: (position: number, length: number) => (isDamaged ? new Uint8Array(0) : image.readAt(position, length)),
      [Symbol.dispose]: () => void closed++,
    }
    const readDamaged = async (now: string) => {
      if (when !== now) return
      isDamaged = true
      await kept!.read().catch(() => undefined)
      isDamaged = false
    }
    const visited = imageLayer(() => source).visit({
      wants: () => ({ key: '', keep: true }),
      change: () => undefined,
      async content(file) {
        kept = file
        await readDamaged('content')
      },
      end: () => readDamaged('end'),
    })
    await assert.rejects(visited, { code: 'INVALID_LAYER_IMAGE' }, when)
  }
  assert.equal(closed, 2)
})

test('a kept file is readable until the visit ends, and not held after it', async () => {
  for (const [, layer] of await bothLayers(TAR)) {
    let kept: ReadableFile | undefined
    let length = 0
    await layer.visit({
      wants: ({ path }) => (path === 'opt/program' ? { key: '', keep: true } : undefined),
      change: () => undefined,
      content: async (file) => {
        kept = file
      },
      end: async () => {
        length = (await kept!.read()).length
      },
    })
    assert.equal(length, LARGE.length + 4)
    await assert.rejects(kept!.read())
  }
})
