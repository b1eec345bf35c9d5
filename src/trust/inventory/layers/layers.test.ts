import assert from 'node:assert/strict'
import { tmpdir } from 'node:os'
import { test } from 'node:test'
import { file, tarOf as packed, writeLayer } from '../../../../test/kit/layer-kit.ts'
import { tarEntry, tarOf } from '../../../../test/kit/tar.ts'
import type { ReadableFile } from '../analyser.ts'
import { imageLayer, type LayerFiles, tarLayer, type Wanted } from './index.ts'

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

/** A layer as both readers give it. */
async function bothLayers(tar: Promise<Buffer> = TAR): Promise<[string, LayerFiles][]> {
  const bytes = await tar
  const stream = async function* () {
    for (let at = 0; at < bytes.length; at += 70_000) yield bytes.subarray(at, at + 70_000)
  }
  const { image } = await writeLayer(bytes)
  const open = () => {
    let isOpen = true
    return {
      readAt(position: number, length: number) {
        assert.ok(isOpen)
        return image.readAt(position, length)
      },
      [Symbol.dispose]() {
        isOpen = false
      },
    }
  }
  return [
    ['tar', tarLayer(async () => stream(), tmpdir())],
    ['image', imageLayer(open)],
  ]
}

interface Seen {
  changes: string[]
  contents: Map<string, string>
}

async function visit(layer: LayerFiles, wants: (path: string) => Wanted | undefined): Promise<Seen> {
  const seen: Seen = { changes: [], contents: new Map() }
  await layer.visit({
    change(change) {
      seen.changes.push(`${change.kind} ${change.path}`)
      return change.kind === 'file' ? wants(change.path) : undefined
    },
    async content(file: ReadableFile) {
      seen.contents.set(file.path, (await file.read()).toString('latin1'))
    },
    link(path) {
      return wants(path) ? 'content' : 'nothing'
    },
  })
  seen.changes.sort()
  return seen
}

for (const kind of ['tar', 'image']) {
  const layerOf = async (tar?: Promise<Buffer>) => (await bothLayers(tar)).find(([name]) => name === kind)![1]

  test(`${kind}: whiteouts, opaque directories, files and links are told apart`, async () => {
    const { changes } = await visit(await layerOf(), () => undefined)
    for (const change of [
      'directory etc',
      'file etc/os-release',
      'symlink etc/link',
      'file opt/program',
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

test('a kept file is readable until the visit ends, and not held after it', async () => {
  for (const [, layer] of await bothLayers()) {
    let kept: ReadableFile | undefined
    let length = 0
    await layer.visit({
      change: (change) => (change.path === 'opt/program' ? { keep: true } : undefined),
      content: async (file) => {
        kept = file
      },
      link: () => 'nothing',
      end: async () => {
        length = (await kept!.read()).length
      },
    })
    assert.equal(length, LARGE.length + 4)
    await assert.rejects(kept!.read())
  }
})

test('a link is told after the files, wherever the stream was cut; a link to a link is one to the file', async () => {
  const bytes = await tarOf([
    { entry: tarEntry('a/file'), text: 'content' },
    tarEntry('a/link', { type: 'hardlink', linkName: 'a/file' }),
    tarEntry('a/further', { type: 'hardlink', linkName: 'a/link' }),
    tarEntry('a/replaced', { type: 'hardlink', linkName: 'a/file' }),
    { entry: tarEntry('a/replaced'), text: 'a file after all' },
  ])
  for (const piece of [1, 512, bytes.length]) {
    const stream = async function* () {
      for (let at = 0; at < bytes.length; at += piece) yield bytes.subarray(at, at + piece)
    }
    const told: string[] = []
    await tarLayer(async () => stream(), tmpdir()).visit({
      change: (change) => (change.kind === 'file' ? {} : undefined),
      content: async ({ path }) => void told.push(path),
      link(path, target) {
        told.push(`${path} -> ${target}`)
        return 'nothing'
      },
    })
    assert.deepEqual(told, ['a/file', 'a/replaced', 'a/link -> a/file', 'a/further -> a/file'], `pieces of ${piece}`)
  }
})

test('V01 hard links in a circle end', async () => {
  const link = (name: string, linkName: string) => tarEntry(name, { type: 'hardlink', linkName })
  const bytes = await tarOf([link('a', 'b'), link('b', 'c'), link('c', 'b')])
  const stream = async function* () {
    yield bytes
  }
  const told: string[] = []
  await tarLayer(async () => stream(), tmpdir()).visit({
    change: () => undefined,
    content: async () => undefined,
    link(path, target) {
      told.push(`${path} -> ${target}`)
      return 'content'
    },
  })
  assert.deepEqual(told, ['a -> b', 'b -> c', 'c -> c'])
})
