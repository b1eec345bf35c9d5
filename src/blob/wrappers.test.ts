import assert from 'node:assert/strict'
import { test } from 'node:test'
import { blobStoreContract } from './contract.ts'
import { createMemoryBlobs, digestOf, faulty, limited } from './index.ts'

for (const [name, wrap] of [
  ['limited', (store: ReturnType<typeof createMemoryBlobs>) => limited(store, 4)],
  ['faulty without faults', (store: ReturnType<typeof createMemoryBlobs>) => faulty(store, [])],
] as const) {
  blobStoreContract(name, async () => {
    const store = wrap(createMemoryBlobs())
    return { store, reopen: () => store, [Symbol.asyncDispose]: async () => undefined }
  })
}

test('a limited store opens no more writers and reads at once than its limit', async () => {
  const store = limited(createMemoryBlobs(), 1)
  const first = await store.writer('first')
  let opened = false
  const second = store.writer('second').then((writer) => {
    opened = true
    return writer
  })
  await new Promise((resolve) => setTimeout(resolve, 5))
  assert.equal(opened, false)
  await first.discard()
  await (await second)[Symbol.asyncDispose]()
  assert.equal(opened, true)
  await assert.rejects(store.writer('../bad'), { code: 'INVALID_ARGUMENT' })
  await using third = await store.writer('third')
  assert.equal(third.offset, 0)
})

test('a faulty store fails at the planned call and only there; what was written stays for a resume', async () => {
  const store = faulty(createMemoryBlobs(), [{ on: 'write', at: 2, error: new Error('EIO') }])
  const digest = digestOf('onetwo')
  {
    await using writer = await store.writer(digest)
    await writer.write(Buffer.from('one'))
    await assert.rejects(writer.write(Buffer.from('two')), /EIO/)
  }
  await using writer = await store.writer(digest)
  assert.equal(writer.offset, 3)
  await writer.write(Buffer.from('two'))
  await writer.commit({ digest, size: 6 })
})
