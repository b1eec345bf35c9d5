import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { isBaleError, readAll } from '#base'
import {
  acquireLock,
  asNoSpace,
  lendFile,
  publishDirectory,
  publishFile,
  removeTree,
  streamFile,
  temporaryDirectory,
  writeFileAtomic,
} from './index.ts'

test('a published file has its final name and never replaces another', async () => {
  await using directory = await temporaryDirectory(tmpdir())
  const at = (name: string) => join(directory.path, name)
  writeFileSync(at('a'), 'first')
  assert.equal(await publishFile(at('a'), at('final')), 'published')
  writeFileSync(at('b'), 'second')
  assert.equal(await publishFile(at('b'), at('final')), 'exists')
  assert.equal(readFileSync(at('final'), 'utf8'), 'first')
  assert.deepEqual(readdirSync(directory.path), ['final'])
})

test('a published directory never replaces another', async () => {
  await using directory = await temporaryDirectory(tmpdir())
  const at = (name: string) => join(directory.path, name)
  for (const name of ['a', 'b']) {
    mkdirSync(at(name))
    writeFileSync(join(at(name), 'file'), name)
  }
  assert.equal(await publishDirectory(at('a'), at('final')), 'published')
  assert.equal(await publishDirectory(at('b'), at('final')), 'exists')
  assert.equal(readFileSync(at('final/file'), 'utf8'), 'a')
  assert.equal(existsSync(at('b')), true, 'the loser is still there for its owner to remove')
})

test('an atomic write replaces the whole file and leaves no temporary one, also when it fails', async () => {
  await using directory = await temporaryDirectory(tmpdir())
  const path = join(directory.path, 'x.json')
  await writeFileAtomic(path, 'one')
  await writeFileAtomic(path, 'two')
  await writeFileAtomic(path, 'three', { durable: false })
  assert.equal(readFileSync(path, 'utf8'), 'three')
  mkdirSync(join(directory.path, 'directory'))
  await assert.rejects(writeFileAtomic(join(directory.path, 'directory'), 'x'), { code: 'EISDIR' })
  assert.deepEqual(readdirSync(directory.path).sort(), ['directory', 'x.json'])
})

test('readAll stops at its limit', async () => {
  const stream = async function* () {
    yield Buffer.from('abc')
    yield Buffer.from('def')
  }
  assert.equal(Buffer.from(await readAll(stream(), { limit: 6 })).toString(), 'abcdef')
  await assert.rejects(readAll(stream(), { limit: 5, what: 'the manifest' }), (error) =>
    isBaleError(error, 'LIMIT_EXCEEDED') ? /the manifest/.test(error.message) : false,
  )
})

test('a part of a file is streamed in chunks', async () => {
  await using directory = await temporaryDirectory(tmpdir())
  const path = join(directory.path, 'file')
  writeFileSync(path, '0123456789')
  const chunks: string[] = []
  for await (const chunk of streamFile(path, { start: 2, end: 9, chunkSize: 3 }))
    chunks.push(Buffer.from(chunk).toString())
  assert.deepEqual(chunks, ['234', '567', '8'])
})

test('a tree into which another process still writes is removed all the same', async () => {
  await using directory = await temporaryDirectory(tmpdir())
  const tree = join(directory.path, 'tree')
  for (let round = 0; round < 20; round++) {
    mkdirSync(join(tree, 'a'), { recursive: true })
    for (let number = 0; number < 50; number++) writeFileSync(join(tree, 'a', String(number)), '')
    const writer = spawn('/bin/sh', ['-c', `for i in $(seq 300); do : > a/late-$i || exit; done`], {
      cwd: tree,
      stdio: 'ignore',
    })
    const over = once(writer, 'exit')
    await once(writer, 'spawn')
    await removeTree(tree)
    await over
    assert.ok(!existsSync(tree), `round ${round}`)
  }
})

test('a part of a file is lent in chunks whose memory is used again', async () => {
  await using directory = await temporaryDirectory(tmpdir())
  const path = join(directory.path, 'file')
  const bytes = Buffer.from(Array.from({ length: 1_000_000 }, (_, index) => index % 253))
  writeFileSync(path, bytes)
  const memory = new Set<ArrayBufferLike>()
  for (let times = 0; times < 3; times++) {
    const copies: Uint8Array[] = []
    for await (const chunk of lendFile(path, { start: 100, end: 900_000 })) {
      memory.add(chunk.buffer)
      copies.push(Buffer.from(chunk))
    }
    assert.ok(Buffer.concat(copies).equals(bytes.subarray(100, 900_000)))
  }
  assert.equal(memory.size, 2)
})

test('a tree with read-only directories, links and names that are not UTF-8 is removed without following a link', async () => {
  await using directory = await temporaryDirectory(tmpdir())
  const tree = join(directory.path, 'tree')
  mkdirSync(join(directory.path, 'outside'))
  writeFileSync(join(directory.path, 'outside/keep'), '')
  mkdirSync(join(tree, 'a/b'), { recursive: true })
  writeFileSync(Buffer.concat([Buffer.from(`${tree}/a/`), Buffer.of(0xff, 0xfe)]), 'x')
  symlinkSync(join(directory.path, 'outside'), join(tree, 'a/b/link'))
  chmodSync(join(tree, 'a/b'), 0o555)
  chmodSync(join(tree, 'a'), 0o555)
  await removeTree(tree)
  assert.deepEqual(readdirSync(directory.path), ['outside'])
  assert.deepEqual(readdirSync(join(directory.path, 'outside')), ['keep'])
  await removeTree(tree)
})

test('a tree deeper than the longest path is removed', async () => {
  await using directory = await temporaryDirectory(tmpdir())
  const tree = join(directory.path, 'tree')
  mkdirSync(tree)
  // A process that walks in as it goes can make what no single path can name.
  const code = `const { mkdirSync, writeFileSync } = require('node:fs'); const name = 'd'.repeat(200);
    for (let depth = 0; depth < 40; depth++) { mkdirSync(name); process.chdir(name) } writeFileSync('leaf', '')`
  const walker = spawn(process.execPath, ['-e', code], { stdio: 'inherit', cwd: tree })
  assert.deepEqual(await once(walker, 'exit'), [0, null])
  await removeTree(tree)
  assert.equal(existsSync(tree), false)
})

test('of many callers that want one lock, one at a time has it', async () => {
  await using directory = await temporaryDirectory(tmpdir())
  const path = join(directory.path, 'locks/x')
  let inside = 0
  let most = 0
  await Promise.all(
    Array.from({ length: 5 }, async () => {
      await using _lock = await acquireLock(path)
      most = Math.max(most, ++inside)
      // Long enough for another to come in, if it could.
      await sleep(5)
      inside--
    }),
  )
  assert.equal(most, 1)
  assert.deepEqual(readdirSync(join(directory.path, 'locks')), [])
})

test('shared holders do not exclude each other, an exclusive one waits for them and may give up', async () => {
  await using directory = await temporaryDirectory(tmpdir())
  const path = join(directory.path, 'x')
  await using _one = await acquireLock(path, { shared: true })
  await using _two = await acquireLock(path, { shared: true, timeoutMs: 0 })
  await assert.rejects(acquireLock(path, { timeoutMs: 20 }), (error) => isBaleError(error, 'LOCKED'))
  const signal = AbortSignal.timeout(20)
  await assert.rejects(acquireLock(path, { signal }))
})

test('a lock dies with the process that held it', async () => {
  await using directory = await temporaryDirectory(tmpdir())
  const path = join(directory.path, 'x')
  const module = fileURLToPath(new URL('./lock.ts', import.meta.url))
  const code = `const { acquireLock } = await import(${JSON.stringify(module)}); await acquireLock(${JSON.stringify(path)}); console.log('held'); setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['--conditions=source', '--input-type=module', '-e', code], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(child.stdout, 'data')
  await assert.rejects(acquireLock(path, { timeoutMs: 0 }), (error) => isBaleError(error, 'LOCKED'))
  child.kill('SIGKILL')
  await once(child, 'exit')
  await using _lock = await acquireLock(path, { timeoutMs: 0 })
})

test('a full disk is NO_SPACE, other failures stay what they are', () => {
  const full = Object.assign(new Error('x'), { code: 'ENOSPC' })
  assert.ok(isBaleError(asNoSpace(full, 'a layer'), 'NO_SPACE'))
  assert.ok(isBaleError(asNoSpace(Object.assign(new Error(), { errcode: 13 }), 'the store'), 'NO_SPACE'))
  const other = new Error('other')
  assert.equal(asNoSpace(other, 'a layer'), other)
})
