import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { MessageChannel } from 'node:worker_threads'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { digestOf } from '#blob'
import { tarLayerFormats } from '../../../test/kit/tar-layer-formats.ts'
import { temporaryDirectory } from '../../../test/kit/temporary.ts'
import { ByteReceiver, ByteSender, type FromWorker, type ToWorker } from './byte-channel.ts'
import { createLayerWorkers } from './layer-workers.ts'

/** Text that hardly repeats, longer than all that may be under way at once. */
const tar = Buffer.from(Array.from({ length: 1_200_000 }, (_, index) => Math.imul(index, 0x9e3779b1)).join())

/** In pieces of any size, all in the same memory, as of a network. */
async function* pieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  const memory = new Uint8Array(70_000)
  for (let at = 0, size = 1; at < bytes.length; size = (size * 7 + 13) % memory.length) {
    const piece = bytes.subarray(at, at + size)
    memory.set(piece)
    yield memory.subarray(0, piece.length)
    at += piece.length
    if (size % 3 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
}

test('the memory of what was read comes back to the sender', async () => {
  const { port1, port2 } = new MessageChannel()
  try {
    const sender = new ByteSender(port1)
    const receiver = new ByteReceiver((message, transfer) => port2.postMessage(message, transfer))
    let back = 0
    port1.on('message', (message: FromWorker<never>) => {
      if (message.kind !== 'credit') return
      if (message.memory?.byteLength) back++
      sender.give(message.bytes, message.memory)
    })
    const memory = new Set<number>()
    port2.on('message', (message: Exclude<ToWorker, { kind: 'abort' }>) => receiver.take(message))
    const sending = sender.send(pieces(tar))
    const got: Buffer[] = []
    for await (const chunk of receiver.open(0)) {
      memory.add(chunk.buffer.byteLength)
      got.push(Buffer.from(chunk))
    }
    await sending
    assert.ok(Buffer.concat(got).equals(tar))
    assert.deepEqual([...memory], [256 << 10])
    assert.ok(back >= got.length - 9, `${back} of ${got.length} came back`)
  } finally {
    port1.close()
  }
})

const encodings = {
  plain: (bytes: Buffer) => bytes,
  gzip: (bytes: Buffer) => gzipSync(bytes, { level: 1 }),
  zstd: (bytes: Buffer) => zstdCompressSync(bytes),
  xz: (bytes: Buffer) => execFileSync('xz', ['-0c'], { input: bytes, maxBuffer: 1 << 28 }),
}
for (const [encoding, encode] of Object.entries(encodings))
  test(`a layer in ${encoding} is what was sent, from a stream and from a file`, async () => {
    const blob = encode(tar)
    const descriptor = { digest: digestOf(blob), size: blob.length }
    await using directory = await temporaryDirectory('bale-lent')
    const path = join(directory.path, 'blob')
    writeFileSync(path, Buffer.concat([Buffer.from('before'), blob, Buffer.from('behind')]))
    await using workers = createLayerWorkers(tarLayerFormats, 1)
    for (const file of [undefined, { path, offset: 6, size: blob.length }]) {
      const place = (name: string) => {
        const made = join(directory.path, `${file ? 'file' : 'stream'}-${name}`)
        mkdirSync(made)
        return made
      }
      const blobs = { directory: place('blobs'), temporary: place('temporary') }
      const incoming = { descriptor, blob: 'keep', blobs } as const
      const job = { format: 'erofs', directory: place('layer'), diffId: digestOf(tar), incoming } as const
      const written = await workers.run(job, async () => pieces(blob), { file })
      assert.equal(written.tarSize, tar.length)
      const kept = readFileSync(join(blobs.directory, 'sha256', descriptor.digest.slice('sha256:'.length)))
      assert.ok(kept.equals(blob))
    }
  })
