import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Tag } from './header.ts'
import { collectInstalledFiles } from './installed-files.ts'

test('a package with endless directories has no files, and those of others are told', () => {
  const missed: string[] = []
  const files = collectInstalledFiles((reason) => missed.push(reason))
  for (const directories of [100_000, 100_001]) {
    const texts = new Map<number, Buffer>([
      [Tag.DIRNAMES, Buffer.alloc(directories)],
      [Tag.BASENAMES, Buffer.from('file\0')],
    ])
    files.add(`p${directories}`, {
      text: () => undefined,
      texts: (tag) => texts.get(tag),
      number: () => undefined,
      numbers: () => Buffer.alloc(4),
    })
  }
  assert.deepEqual([...files.paths()], [['file', 'p100000']])
  assert.deepEqual(missed, ['a package lists too many directories'])
})
