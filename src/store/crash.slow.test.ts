import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { digestOf } from '#blob'
import { mayMount, mountTmpfs, unmount } from '#host'
import { temporaryDirectory } from '#host/file'
import { putImage, randomImage } from '#image'
import { MediaType } from '#spec'
import { openOperatingStore } from '../../test/kit/operating-store.ts'
import { tarLayerFormats } from '../../test/kit/tar-layer-formats.ts'

const kit = (name: string) => new URL(`../../test/kit/${name}`, import.meta.url)

/** `#store` in a child is looked up from its working directory. */
const cwd = fileURLToPath(new URL('.', import.meta.url))

async function node(...args: string[]): Promise<{ code: number | null; signal: string | null; output: string }> {
  const child = spawn(process.execPath, ['--conditions=source', ...args], { cwd, stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.on('data', (bytes: Buffer) => {
    output += bytes
  })
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null]
  return { code, signal, output }
}

function contentOf(root: string): string[] {
  return ['blobs/sha256', 'layers-v1', 'tmp'].flatMap((directory) => readdirSync(join(root, directory)))
}

/** One after the other would take a second per step; two at a time is what two cores can do. */
const AT_ONCE = 2
const STEPS_LIMIT = 80

test('killed before any durable step, the next command works, things are whole or absent, collection tidies up', async () => {
  await using directory = await temporaryDirectory(tmpdir(), 'bale-crash-')
  const image = await randomImage({ seed: 7, layers: 1 })
  let finished = false
  let killed = 0
  const round = async (limit: number) => {
    const root = join(directory.path, `${limit}`)
    const run = `${root}-run`
    const { signal, output } = await node(fileURLToPath(kit('crashing-ingest.ts')), root, run, `${limit}`, '7')
    if (signal === 'SIGKILL') killed++
    else {
      assert.match(output, /^done/, `step ${limit}`)
      finished = true
    }
    const store = await openOperatingStore({ root, run, layerFormats: tarLayerFormats })
    try {
      const images = await store.images.list()
      for (const found of images) assert.equal(await store.has(found.descriptor), true, `step ${limit}: a whole image`)
      const findings = await store.check()
      assert.deepEqual(
        findings.filter((finding) => finding.kind !== 'leftover'),
        [],
        `step ${limit}`,
      )
      await store.collect()
      assert.deepEqual(await store.check(), [], `step ${limit}: clean after collection`)
      if (images.length === 0) assert.deepEqual(contentOf(root), [], `step ${limit}: nothing left`)
      await putImage(store, image, 'docker.io/library/x:latest')
      assert.equal((await store.images.resolve('x')).id, image.configDescriptor.digest)
      await store.images.remove('x')
      assert.deepEqual(contentOf(root), [], `step ${limit}: rmi takes all`)
    } finally {
      await store[Symbol.asyncDispose]()
    }
  }
  for (let limit = 1; !finished; limit += AT_ONCE) {
    assert.ok(limit < STEPS_LIMIT, 'the number of steps is bounded')
    await Promise.all(Array.from({ length: AT_ONCE }, (_, index) => round(limit + index)))
  }
  assert.ok(killed > 10, `killed at ${killed} steps`)
})

test('two processes that want one layer at once do the work once', async () => {
  await using directory = await temporaryDirectory(tmpdir(), 'bale-two-')
  const root = join(directory.path, 'root')
  const code = `
    const { openStore } = await import('#store')
    const { tarLayerFormats } = await import(${JSON.stringify(kit('tar-layer-formats.ts').href)})
    const { gzipSync } = await import('node:zlib')
    const { digestOf } = await import('#blob')
    const { once } = await import('node:events')
    const tar = Buffer.from(Array.from({ length: 200000 }, (_, index) => index * 7919).join())
    const blob = gzipSync(tar)
    const store = await openStore({ root: ${JSON.stringify(root)}, run: ${JSON.stringify(join(directory.path, 'run'))}, layerFormats: tarLayerFormats, workers: 1 })
    const descriptor = { mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', digest: digestOf(blob), size: blob.length }
    let opened = 0
    // The one that opens the blob goes on when the other one is known to want it as well.
    const open = async (offset) => { opened++; console.log('opens'); await once(process.stdin, 'end'); return [blob.subarray(offset)] }
    const progress = (event) => { if (event.phase === 'waiting') console.log('waits') }
    await using operation = store.operation({ purpose: 'test' })
    process.stdin.resume()
    await operation.putBlob(descriptor, open, { diffId: digestOf(tar), progress })
    console.log(opened, await store.has(descriptor, { diffId: digestOf(tar) }))
    await store[Symbol.asyncDispose]()`
  const children = [1, 2].map(() => {
    const args = ['--conditions=source', '--input-type=module', '-e', code]
    return spawn(process.execPath, args, { cwd, stdio: ['pipe', 'pipe', 'inherit'] })
  })
  const outputs = ['', '']
  for (const [index, child] of children.entries()) {
    child.stdout.on('data', (bytes: Buffer) => {
      outputs[index] = `${outputs[index]}${bytes}`
      if (outputs.every(Boolean)) for (const one of children) one.stdin.end()
    })
  }
  await Promise.all(children.map((child) => once(child, 'close')))
  assert.deepEqual(outputs.sort(), ['opens\n1 true\n', 'waits\n0 true\n'])
})

test('on a full disk: NO_SPACE, nothing half-done, and removing still works', {
  skip: mayMount() ? false : 'needs CAP_SYS_ADMIN',
}, async () => {
  await using directory = await temporaryDirectory(tmpdir(), 'bale-full-')
  const root = join(directory.path, 'root')
  mkdirSync(root)
  mountTmpfs(root, 'size=8m,mode=0700')
  try {
    const store = await openOperatingStore({
      root,
      run: join(directory.path, 'run'),
      layerFormats: tarLayerFormats,
      workers: 1,
    })
    try {
      await putImage(store, await randomImage(), 'docker.io/library/small:latest')
      const before = contentOf(root)
      const large = async function* () {
        for (let count = 0; count < 16; count++) yield Buffer.alloc(1 << 20, count)
      }
      await assert.rejects(store.layers.write(large()), { code: 'NO_SPACE' })
      assert.deepEqual(contentOf(root), before)
      const tar = Buffer.alloc(16 << 20, 'x')
      const blob = gzipSync(tar)
      const descriptor = { mediaType: MediaType.ociLayerGzip, digest: digestOf(blob), size: blob.length }
      const put = store.putBlob(descriptor, async (offset) => stream(blob.subarray(offset)), { diffId: digestOf(tar) })
      await assert.rejects(put, { code: 'NO_SPACE' })
      await store.collect()
      assert.deepEqual(contentOf(root), before)
      assert.deepEqual(await store.check(), [])
      await store.images.remove('small')
      assert.deepEqual(contentOf(root), [])
    } finally {
      await store[Symbol.asyncDispose]()
    }
  } finally {
    unmount(root, { detach: true })
  }
})

async function* stream(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}
