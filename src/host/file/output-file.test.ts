import assert from 'node:assert/strict'
import { execFile, execFileSync } from 'node:child_process'
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { isBaleError } from '#base'
import { temporaryDirectory } from '../../../test/kit/temporary.ts'
import { openOutput, pourInto } from './output-file.ts'
import { outputPlace } from './output-place.ts'
import { startResultFile } from './result-file.ts'

const isRoot = process.getuid?.() === 0

async function put(path: string, text: string): Promise<void> {
  await using output = await openOutput(path)
  await output.write(Buffer.from(text))
  await output.commit()
}

test('a file appears when it is complete; one given up leaves what was there', async () => {
  await using directory = await temporaryDirectory('bale-output')
  const path = join(directory.path, 'f')
  writeFileSync(path, 'old')
  chmodSync(path, 0o640)
  {
    await using output = await openOutput(path)
    await output.write(Buffer.from('half'))
    assert.equal(readFileSync(path, 'utf8'), 'old')
  }
  assert.deepEqual(readdirSync(directory.path), ['f'])
  assert.equal(readFileSync(path, 'utf8'), 'old')
  await put(path, 'new')
  assert.equal(readFileSync(path, 'utf8'), 'new')
  assert.equal(statSync(path).mode & 0o777, 0o600, 'it may hold secrets')
  assert.deepEqual(readdirSync(directory.path), ['f'])
})

test('a link stays, and what it leads to is written, also through several and to nothing yet', async () => {
  await using directory = await temporaryDirectory('bale-output')
  mkdirSync(join(directory.path, 'd'))
  symlinkSync('two', join(directory.path, 'one'))
  symlinkSync('d/new', join(directory.path, 'two'))
  for (const text of ['first', 'second']) {
    await put(join(directory.path, 'one'), text)
    assert.equal(readlinkSync(join(directory.path, 'one')), 'two')
    assert.equal(readlinkSync(join(directory.path, 'two')), 'd/new')
    assert.equal(readFileSync(join(directory.path, 'd/new'), 'utf8'), text)
  }
})

test('a fifo is written into', async () => {
  await using directory = await temporaryDirectory('bale-output')
  const path = join(directory.path, 'fifo')
  execFileSync('mkfifo', [path])
  const reading = promisify(execFile)('cat', [path])
  await put(path, 'through')
  assert.equal((await reading).stdout, 'through')
  assert.equal(lstatSync(path).isFIFO(), true)
})

test('a device is written into, also through a link', {
  skip: isRoot ? false : 'needs root: a device is made',
}, async () => {
  await using directory = await temporaryDirectory('bale-output')
  const path = join(directory.path, 'null')
  execFileSync('mknod', [path, 'c', '1', '3'])
  symlinkSync('null', join(directory.path, 'link'))
  for (const name of ['null', 'link']) await put(join(directory.path, name), 'away')
  await using result = await startResultFile(join(directory.path, 'link'))
  await result.write('away')
  assert.equal(lstatSync(path).isCharacterDevice(), true)
  assert.equal(lstatSync(join(directory.path, 'link')).isSymbolicLink(), true)
})

test('/dev/stdout is what stdout is, a file as well', async () => {
  assert.equal(outputPlace('/dev/stdout').kind, 'stream')
})

test('a directory, and a path in no directory, are refused in words before anything is made', async () => {
  await using directory = await temporaryDirectory('bale-output')
  writeFileSync(join(directory.path, 'f'), '')
  const cases: [string, RegExp][] = [
    [directory.path, /is a directory; name a file in it/],
    [join(directory.path, 'no/f'), /invalid output path: directory ".*\/no" does not exist/],
    [join(directory.path, 'f/g'), /invalid output path: directory ".*\/f" does not exist/],
  ]
  for (const [path, words] of cases) {
    await assert.rejects(
      openOutput(path),
      (error) => isBaleError(error, 'INVALID_ARGUMENT') && words.test(error.message),
    )
    await assert.rejects(startResultFile(path), words)
    await assert.rejects(startResultFile(path, { mustBeNew: true }), words)
  }
  assert.deepEqual(readdirSync(directory.path), ['f'])
})

test('a result of an earlier run is gone as soon as the next one begins', async () => {
  await using directory = await temporaryDirectory('bale-output')
  writeFileSync(join(directory.path, 'id'), 'of an earlier run')
  symlinkSync('id', join(directory.path, 'link'))
  {
    await using _ = await startResultFile(join(directory.path, 'link'))
  }
  assert.deepEqual(readdirSync(directory.path), ['link'])
  await using result = await startResultFile(join(directory.path, 'link'))
  await result.write('new')
  assert.equal(readFileSync(join(directory.path, 'id'), 'utf8'), 'new')
})

test('a result that must be new: anything there is a conflict, and a name that was held for nothing is free again', async () => {
  await using directory = await temporaryDirectory('bale-output')
  const path = join(directory.path, 'cid')
  {
    await using _ = await startResultFile(path, { mustBeNew: true })
    await assert.rejects(startResultFile(path, { mustBeNew: true }), (error) => isBaleError(error, 'CONFLICT'))
  }
  assert.deepEqual(readdirSync(directory.path), [])
  {
    await using result = await startResultFile(path, { mustBeNew: true })
    await result.write('abc')
  }
  assert.equal(readFileSync(path, 'utf8'), 'abc')
})

const full = isRoot ? false : 'needs root: a small file system is mounted'
test('a full disk is reported and leaves the old file alone', { skip: full }, async () => {
  await using directory = await temporaryDirectory('bale-output')
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'none', directory.path])
  try {
    const path = join(directory.path, 'f')
    writeFileSync(path, 'precious')
    await assert.rejects(put(path, 'x'.repeat(1 << 20)), (error) => isBaleError(error, 'NO_SPACE'))
    assert.equal(readFileSync(path, 'utf8'), 'precious')
    assert.deepEqual(readdirSync(directory.path), ['f'])
  } finally {
    execFileSync('umount', [directory.path])
  }
})

test('a file that is a mount point gets the bytes', { skip: full }, async () => {
  await using directory = await temporaryDirectory('bale-output')
  const [file, point] = [join(directory.path, 'file'), join(directory.path, 'point')]
  writeFileSync(file, 'old')
  writeFileSync(point, '')
  execFileSync('mount', ['--bind', file, point])
  try {
    await put(point, 'new')
    assert.equal(readFileSync(file, 'utf8'), 'new')
    assert.deepEqual(readdirSync(directory.path).sort(), ['file', 'point'])
  } finally {
    execFileSync('umount', [point])
  }
})

test('a stream that lends its chunks is written while the next one is being made', async () => {
  await using directory = await temporaryDirectory('bale-output')
  const path = join(directory.path, 'f')
  const memory = [Buffer.alloc(1 << 20), Buffer.alloc(1 << 20)]
  async function* lent() {
    for (let index = 0; index < 150; index++) yield memory[index % 2]!.fill(index)
  }
  {
    await using output = await openOutput(path)
    await pourInto(output, lent(), { ahead: true })
  }
  const expected = Buffer.concat(Array.from({ length: 150 }, (_, index) => Buffer.alloc(1 << 20, index)))
  assert.ok(readFileSync(path).equals(expected))
})

test('a stream that takes more than it has written does not see memory that is used again', async () => {
  const got: number[] = []
  const slow = new Writable({
    highWaterMark: 1 << 20,
    write(chunk: Uint8Array, _encoding, done) {
      setTimeout(() => {
        got.push(chunk[0]!)
        done()
      }, 2)
    },
  })
  const memory = [Buffer.alloc(10), Buffer.alloc(10)]
  async function* lent() {
    for (let index = 0; index < 10; index++) yield memory[index % 2]!.fill(index)
  }
  await using output = await openOutput(slow)
  await pourInto(output, lent(), { ahead: true })
  assert.deepEqual(got, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
})

test('a write that fails while the next chunk is made ends the stream, and is what is thrown', async () => {
  const writes: number[] = []
  const failing = {
    position: 0,
    async write(bytes: Uint8Array) {
      writes.push(bytes[0]!)
      await new Promise((resolve) => setImmediate(resolve))
      if (bytes[0] === 2) throw new Error('the disk broke')
    },
    rollback: async () => undefined,
    commit: async () => assert.fail('nothing is published'),
    [Symbol.asyncDispose]: async () => undefined,
  }
  let closed = false
  async function* slow() {
    try {
      for (let index = 1; index < 10; index++) {
        await new Promise((resolve) => setTimeout(resolve, 5))
        yield Buffer.of(index)
      }
    } finally {
      closed = true
    }
  }
  await assert.rejects(pourInto(failing, slow(), { ahead: true }), /the disk broke/)
  assert.deepEqual({ writes, closed }, { writes: [1, 2], closed: true })
})
