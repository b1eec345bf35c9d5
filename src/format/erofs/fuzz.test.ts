import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isBaleError } from '#base'
import { directoryEntry, file, link, tarOf, writeLayer } from '../../../test/kit/layer-kit.ts'
import { checkErofs, lookupPath, openErofs, readLink, walkImage } from './index.ts'

/** Small numbers from a seed, so that a failure can be repeated. */
function random(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

async function readEverything(bytes: Uint8Array): Promise<number> {
  const image = await openErofs({ readAt: (position, length) => bytes.subarray(position, position + length) })
  let read = 0
  for await (const one of walkImage(image)) {
    for (const [, value] of await image.xattrs(one.nid)) read += value.length
    if (one.type === 'symlink') read += (await readLink(image, one.nid)).length
    if (one.type === 'file') for await (const part of image.readData(one.nid)) read += part.length
  }
  await lookupPath(image, 'd/l/../d/f1')
  return read
}

test('a damaged image gives data or INVALID_LAYER_IMAGE, never a crash, a loop or more data than the image could hold', async () => {
  const { image } = await writeLayer(
    await tarOf([
      directoryEntry('d', { xattrs: new Map([['user.x', Buffer.alloc(300, 1)]]) }),
      ...Array.from({ length: 150 }, (_, i) =>
        file(`d/f${i}`, 'x'.repeat(i * 7), { xattrs: new Map([['user.y', Buffer.from(`${i}`)]]) }),
      ),
      file('big', 'y'.repeat(20_000)),
      link('d/l', '../d'),
      directoryEntry('d/deep/er'),
      { entry: { name: 'dev', type: 'character', deviceMajor: 1, deviceMinor: 3 } },
    ]),
  )
  const original = Buffer.from(image.bytes)
  assert.ok((await readEverything(original)) > 90_000)
  let refusals = 0
  for (let seed = 1; seed <= 500; seed++) {
    const next = random(seed)
    const bytes = Buffer.from(original)
    // Every second image goes without its checksum, so that block 0 is reached too.
    if (seed % 2) bytes[1032]! &= ~1
    for (let count = next(16); count >= 0; count--) {
      const at = next(3) === 0 ? 1024 + next(400) : 4096 + next(bytes.length - 4096)
      bytes[at] = next(4) === 0 ? 0xff : next(256)
    }
    const cut = next(10) === 0 ? bytes.subarray(0, next(bytes.length)) : bytes
    try {
      // One inode's size can claim the whole image at most.
      assert.ok((await readEverything(cut)) < 400 * original.length, `seed ${seed}`)
      await checkErofs({ readAt: (position, length) => cut.subarray(position, position + length) })
    } catch (error) {
      assert.ok(
        isBaleError(error, 'INVALID_LAYER_IMAGE') || isBaleError(error, 'INVALID_ARGUMENT'),
        `seed ${seed}: ${error}`,
      )
      refusals++
    }
  }
  assert.ok(refusals > 100, `${refusals} of 500 were refused`)
})

test('what is no image of ours is refused', async () => {
  for (const bytes of [Buffer.alloc(0), Buffer.alloc(1500), Buffer.alloc(8192), Buffer.alloc(8192, 0xff)])
    await assert.rejects(readEverything(bytes), { code: 'INVALID_LAYER_IMAGE' })
})
