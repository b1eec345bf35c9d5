import assert from 'node:assert/strict'
import { tmpdir } from 'node:os'
import { test } from 'node:test'
import type { TarEntry } from '#format/tar'
import { writeLayer } from '../../../../test/kit/layer-kit.ts'
import { tarOf } from '../../../../test/kit/tar.ts'
import { directory, piecesOf, symlink, text } from './contract.ts'
import { tarLayer } from './index.ts'

/** Both ways of one entry to do far more than its bytes: implied directories, and links that lead through many parts. */
function exhausting(): Record<string, TarEntry[]> {
  const deep = 'd/'.repeat(2040)
  const chain = Array.from({ length: 40 }, (_, index) => symlink(`l${index}`, `${'./'.repeat(2040)}l${index + 1}`))
  return {
    directories: Array.from({ length: 500 }, (_, index) => text(`${index}/${deep}x`).entry),
    links: [...chain, directory('l40'), ...Array.from({ length: 450 }, (_, index) => directory(`l0/${index}/x`))],
  }
}

test('a layer whose names take memory or time without bound is refused by both readers', async () => {
  for (const [name, entries] of Object.entries(exhausting())) {
    const bytes = await tarOf(entries)
    await assert.rejects(writeLayer(bytes), { code: 'LIMIT_EXCEEDED' }, name)
    const layer = tarLayer(async () => piecesOf(bytes, 70_000), tmpdir())
    const visitor = { wants: () => undefined, change: () => undefined, content: async () => undefined }
    await assert.rejects(layer.visit(visitor), { code: 'LIMIT_EXCEEDED' }, name)
  }
})
