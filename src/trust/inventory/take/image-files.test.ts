import assert from 'node:assert/strict'
import { posix } from 'node:path'
import { test } from 'node:test'
import { BaleError } from '#base'
import { tarEntry, tarOf } from '../../../../test/kit/tar.ts'
import type { Analyser, Interest } from '../analyser.ts'
import { bothLayers, hardlink, piecesOf, text } from '../layers/contract.ts'
import { tarLayer } from '../layers/index.ts'
import { createImageFiles, keyOfPackage } from './image-files.ts'
import { createMemoryBound } from './memory-bound.ts'

type Layer = Parameters<typeof tarOf>[0]

/** Takes each word of a file for a package. Counts what it was asked to analyse. */
function wordsOf(interests: Record<string, Interest>) {
  const calls: string[] = []
  const analyser: Analyser = {
    name: 'words',
    wants: ({ path }) => interests[posix.basename(path)] ?? interests[posix.extname(path)],
    async analyse(file, beside) {
      calls.push(file.path)
      if ((await file.read()).includes('damaged')) throw new BaleError('INVALID_ARGUMENT', 'it is damaged')
      const words = `${await file.read()} ${(await beside('beside')?.read()) ?? ''}`.split(' ').filter(Boolean)
      return { packages: words.map((name) => ({ type: 'deb', name, version: '1' })) }
    },
  }
  return { analyser, calls }
}

const LIMIT = 1000

/** What both readers find: the packages of each path with their layers, and the gaps. */
async function found(layers: readonly Layer[], interests: Record<string, Interest>, most?: number) {
  const results = await Promise.all(
    [0, 1].map(async (reader) => {
      const { analyser, calls } = wordsOf(interests)
      const files = createImageFiles([analyser], createMemoryBound(most))
      for (const layer of layers) await files.addLayer((await bothLayers(tarOf(layer)))[reader]![1])
      const packages: Record<string, string> = {}
      const gaps: string[] = []
      for (const [path, { found, broughtBy }] of files.files()) {
        if (found.packages)
          packages[path] = found.packages.map((one) => `${one.name}${broughtBy.get(keyOfPackage(one))}`).join()
        for (const { where, reason } of found.gaps ?? []) gaps.push(`${where}: ${reason}`)
      }
      return { packages, gaps: gaps.sort(), calls }
    }),
  )
  const [fromTar, fromImage] = results as [(typeof results)[0], (typeof results)[0]]
  assert.deepEqual({ ...fromTar, calls: undefined }, { ...fromImage, calls: undefined })
  return { ...fromTar, calls: Math.max(fromTar.calls.length, fromImage.calls.length) }
}

test('a file is analysed once for its names of one kind, and not found under names that nothing looks at', async () => {
  const links = ['a/p.txt', 'b/p.txt', 'c/p.txt', 'c/other'].map((name) => hardlink(name, 'data'))
  const { packages, calls } = await found([[text('data', 'one'), ...links]], { '.txt': { limit: LIMIT } })
  assert.deepEqual(packages, { 'a/p.txt': 'one0', 'b/p.txt': 'one0', 'c/p.txt': 'one0' })
  assert.equal(calls, 1)
})

test('a gap of a file is told for each of its names', async () => {
  const { gaps } = await found([[text('a/p.txt', 'damaged'), hardlink('b/p.txt', 'a/p.txt')]], {
    '.txt': { limit: LIMIT },
  })
  assert.deepEqual(gaps, ['a/p.txt: it is damaged', 'b/p.txt: it is damaged'])
})

test('a file with very many names is analysed for some of them, and the others are gaps', async () => {
  const links = Array.from({ length: 30 }, (_, index) => hardlink(`${index}.txt`, 'data'))
  for (const name of ['data', '9.txt']) {
    const layer = [
      text(name, 'one'),
      ...links.filter((link) => link.name !== name).map((link) => hardlink(link.name, name)),
    ]
    const { packages, gaps, calls } = await found([layer], { '.txt': { limit: LIMIT } })
    assert.deepEqual([Object.keys(packages).length, gaps.length], [16, 14])
    assert.ok(calls <= 17)
  }
})

test('packages of a file that a hard link replaces come with the layer that brought them', async () => {
  const upper = [text('new', 'one'), hardlink('p.txt', 'new')]
  const { packages } = await found([[text('p.txt', 'one')], upper], { '.txt': { limit: LIMIT } })
  assert.deepEqual(packages, { 'p.txt': 'one0' })
})

test('a file that asks is given what answers, in whichever order and under whichever names they come', async () => {
  const interests = { asks: { limit: LIMIT, kept: 'asks' }, beside: { limit: LIMIT, kept: 'answers' } } as const
  for (const layer of [
    [text('d/asks', 'one'), text('d/beside', 'two')],
    [text('d/beside', 'two'), text('d/asks', 'one')],
    [text('x', 'two'), text('y', 'one'), hardlink('d/asks', 'y'), hardlink('d/beside', 'x')],
    [text('d/asks', 'zero'), text('d/beside', 'two'), text('d/asks', 'one')],
  ])
    assert.equal((await found([layer], interests)).packages['d/asks'], 'one0,two0')
  assert.deepEqual((await found([[text('d/asks', 'one'), text('e/beside', 'two')]], interests)).packages, {
    'd/asks': 'one0',
  })
})

test('a file over its limit is a gap, if it begins as such files do', async () => {
  const layer = [
    text('a.txt', 'xx'.repeat(LIMIT)),
    text('a.bin', 'MAGIC'.repeat(LIMIT)),
    text('b.bin', 'x'.repeat(5000)),
  ]
  const { gaps, calls } = await found([layer], { '.txt': { limit: LIMIT }, '.bin': { limit: LIMIT, magic: ['MAGIC'] } })
  assert.deepEqual(gaps, [
    'a.bin: it has 5000 bytes; at most 1000 are read',
    'a.txt: it has 2000 bytes; at most 1000 are read',
  ])
  assert.equal(calls, 0)
})

test('what is remembered of an image is bounded in all layers together; what was replaced does not count', async () => {
  const words = Array.from({ length: 8 }, (_, index) => `p${index}`).join(' ')
  const interests = { '.txt': { limit: LIMIT } }
  const again = Array.from({ length: 10 }, () => [text('d/a.txt', words)])
  assert.equal(Object.keys((await found(again, interests, 30)).packages).length, 1)
  const hidden = Array.from({ length: 10 }, (_, index) => [text(`d/${index}.txt`, words), text('d/.wh..wh..opq')])
  assert.equal(Object.keys((await found(hidden, interests, 30)).packages).length, 1)
  const others = Array.from({ length: 10 }, (_, index) => [text(`${index}.txt`, words)])
  await assert.rejects(found(others, interests, 30), { code: 'LIMIT_EXCEEDED' })
  const long = Array.from({ length: 10 }, (_, index) => [text(`${index}.txt`, 'x'.repeat(LIMIT))])
  await assert.rejects(found(long, interests, 60), { code: 'LIMIT_EXCEEDED' }, 'text counts too')
  const links = [text('data', words), ...others.map((_, index) => hardlink(`${index}/p.txt`, 'data'))]
  await assert.rejects(found([links], interests, 30), { code: 'LIMIT_EXCEEDED' })
})

test('a file of a damaged layer that came before the damage counts, also one that is analysed last', async () => {
  const { analyser } = wordsOf({ asks: { limit: LIMIT, kept: 'asks' }, '.txt': { limit: LIMIT } })
  const files = createImageFiles([analyser])
  const bytes = await tarOf([text('a.txt', 'one'), text('asks', 'two'), tarEntry('../x')])
  const layer = tarLayer(async () => piecesOf(bytes, bytes.length), '/nowhere')
  await assert.rejects(files.addLayer(layer), { code: 'INVALID_TAR' })
  assert.deepEqual([...files.files()].map(([path]) => path).sort(), ['a.txt', 'asks'])
})
