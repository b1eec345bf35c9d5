import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Digest } from '#spec'
import type { LayerRecord } from '#store'
import { parseMountInfo } from '../host/mount-info.ts'
import { usedDirectories } from './create-rootfs.ts'
import { enoughLowers, planMounts } from './mount-plan.ts'

function layer(number: number, format: LayerRecord['format'] = 'erofs'): LayerRecord {
  const diffId = `sha256:${number.toString(16).padStart(64, '0').split('').reverse().join('')}` as Digest
  return { diffId, format, directory: `/store/${number}`, tarSize: 0, diskSize: 0, contentSize: 0, created: 0 }
}

test('the uppermost layer comes first; images are mounted under short names, extracted trees used where they are', () => {
  assert.deepEqual(
    planMounts([layer(1), layer(2, 'extract'), layer(3)], '/run/layers', () => 36),
    {
      images: [
        { source: '/store/3/layer.erofs', target: '/run/layers/300000000000-10' },
        { source: '/store/1/layer.erofs', target: '/run/layers/100000000000-10' },
      ],
      lowers: ['/run/layers/300000000000-10', '/store/2/tree', '/run/layers/100000000000-10'],
    },
  )
})

test('a layer that appears twice counts where it stands higher', () => {
  const { lowers } = planMounts([layer(1), layer(2), layer(1)], '/r', () => 36)
  assert.deepEqual(lowers, ['/r/100000000000-10', '/r/200000000000-10'])
})

test('a layer that was written again gets a mount of its own', () => {
  const targets = [7, 8].map((number) => planMounts([layer(1)], '/r', () => number).images[0]!.target)
  assert.notEqual(targets[0], targets[1])
})

test('an overlay gets the lowers it needs: one when writable, two when not', () => {
  assert.deepEqual(enoughLowers([], '/r', false), ['/r/empty-1'])
  assert.deepEqual(enoughLowers([], '/r', true), ['/r/empty-1', '/r/empty-2'])
  assert.deepEqual(enoughLowers(['/r/a'], '/r', true), ['/r/a', '/r/empty-2'])
  assert.deepEqual(enoughLowers(['/r/a'], '/r', false), ['/r/a'])
})

test('more layers than overlayfs takes are refused before anything is mounted (T25)', () => {
  const many = Array.from({ length: 500 }, (_, index) => layer(index + 1))
  assert.throws(() => planMounts(many, '/r', () => 36), { code: 'MOUNT_FAILED' })
  assert.equal(planMounts(many.slice(1), '/r', () => 36).lowers.length, 499)
})

test("the directories in use are read from both of the kernel's spellings", () => {
  const table = parseMountInfo(
    [
      '50 20 0:40 / /m1 rw - overlay overlay rw,lowerdir=/run/l/a:/run/l/b,upperdir=/u,workdir=/w',
      '51 20 0:41 / /m2 rw - overlay overlay rw,lowerdir+=/run/l/c,lowerdir+=/run/l/d,upperdir=/u2,workdir=/w2',
      '52 20 0:42 / /run/l/e ro - erofs /x ro',
      '',
    ].join('\n'),
  )
  assert.deepEqual([...usedDirectories(table)], ['/run/l/a', '/run/l/b', '/run/l/c', '/run/l/d'])
})
