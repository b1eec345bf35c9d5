import assert from 'node:assert/strict'
import { test } from 'node:test'
import { digestOf } from '#blob'
import type { MetaStore } from '../meta/index.ts'
import { createImages } from './images.ts'

test('a tag that moves meanwhile is read once: what is judged is what is changed', async () => {
  const tags = [digestOf('harmless'), digestOf('quarantined')]
  const asked: unknown[] = []
  const meta = {
    findTag: async () => ({ digest: tags.shift()! }),
    async setImageState(...state: unknown[]) {
      asked.push(state)
      return 'changed'
    },
  } as unknown as MetaStore
  const digest = await createImages(meta).clear('acme/web:1', 'over', { own: 'user:own' })
  assert.equal(digest, digestOf('harmless'))
  assert.deepEqual(asked, [['acme/web', digest, { kind: 'none', reason: 'over', own: 'user:own', only: undefined }]])
})
