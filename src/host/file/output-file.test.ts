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
import { test } from 'node:test'
import { promisify } from 'node:util'
import { isBaleError } from '#base'
import { temporaryFolder } from '../../../test/kit/temporary.ts'
import { openOutput } from './output-file.ts'
import { outputPlace } from './output-place.ts'
import { startResultFile } from './result-file.ts'

const isRoot = process.getuid?.() === 0

async function put(path: string, text: string): Promise<void> {
  await using output = await openOutput(path)
  await output.write(Buffer.from(text))
  await output.commit()
}

test('a file appears when it is complete; one given up leaves what was there', async () => {
  await using folder = await temporaryFolder('bale-output')
  const path = join(folder.path, 'f')
  writeFileSync(path, 'old')
  chmodSync(path, 0o640)
  {
    await using output = await openOutput(path)
    await output.write(Buffer.from('half'))
    assert.equal(readFileSync(path, 'utf8'), 'old')
  }
  assert.deepEqual(readdirSync(folder.path), ['f'])
  assert.equal(readFileSync(path, 'utf8'), 'old')
  await put(path, 'new')
  assert.equal(readFileSync(path, 'utf8'), 'new')
  assert.equal(statSync(path).mode & 0o777, 0o600, 'it may hold secrets')
  assert.deepEqual(readdirSync(folder.path), ['f'])
})

test('a link stays, and what it leads to is written, also through several and to nothing yet', async () => {
  await using folder = await temporaryFolder('bale-output')
  mkdirSync(join(folder.path, 'd'))
  symlinkSync('two', join(folder.path, 'one'))
  symlinkSync('d/new', join(folder.path, 'two'))
  for (const text of ['first', 'second']) {
    await put(join(folder.path, 'one'), text)
    assert.equal(readlinkSync(join(folder.path, 'one')), 'two')
    assert.equal(readlinkSync(join(folder.path, 'two')), 'd/new')
    assert.equal(readFileSync(join(folder.path, 'd/new'), 'utf8'), text)
  }
})

test('a fifo is written into', async () => {
  await using folder = await temporaryFolder('bale-output')
  const path = join(folder.path, 'fifo')
  execFileSync('mkfifo', [path])
  const reading = promisify(execFile)('cat', [path])
  await put(path, 'through')
  assert.equal((await reading).stdout, 'through')
  assert.equal(lstatSync(path).isFIFO(), true)
})

test('a device is written into, also through a link', {
  skip: isRoot ? false : 'needs root: a device is made',
}, async () => {
  await using folder = await temporaryFolder('bale-output')
  const path = join(folder.path, 'null')
  execFileSync('mknod', [path, 'c', '1', '3'])
  symlinkSync('null', join(folder.path, 'link'))
  for (const name of ['null', 'link']) await put(join(folder.path, name), 'away')
  await using result = await startResultFile(join(folder.path, 'link'))
  await result.write('away')
  assert.equal(lstatSync(path).isCharacterDevice(), true)
  assert.equal(lstatSync(join(folder.path, 'link')).isSymbolicLink(), true)
})

test('/dev/stdout is what stdout is, a file as well', async () => {
  assert.equal(outputPlace('/dev/stdout').kind, 'stream')
})

test('a directory, and a path in no directory, are refused in words before anything is made', async () => {
  await using folder = await temporaryFolder('bale-output')
  writeFileSync(join(folder.path, 'f'), '')
  const cases: [string, RegExp][] = [
    [folder.path, /is a directory; name a file in it/],
    [join(folder.path, 'no/f'), /invalid output path: directory ".*\/no" does not exist/],
    [join(folder.path, 'f/g'), /invalid output path: directory ".*\/f" does not exist/],
  ]
  for (const [path, words] of cases) {
    await assert.rejects(
      openOutput(path),
      (error) => isBaleError(error, 'INVALID_ARGUMENT') && words.test(error.message),
    )
    await assert.rejects(startResultFile(path), words)
    await assert.rejects(startResultFile(path, { mustBeNew: true }), words)
  }
  assert.deepEqual(readdirSync(folder.path), ['f'])
})

test('a result of an earlier run is gone as soon as the next one begins', async () => {
  await using folder = await temporaryFolder('bale-output')
  writeFileSync(join(folder.path, 'id'), 'of an earlier run')
  symlinkSync('id', join(folder.path, 'link'))
  {
    await using _ = await startResultFile(join(folder.path, 'link'))
  }
  assert.deepEqual(readdirSync(folder.path), ['link'])
  await using result = await startResultFile(join(folder.path, 'link'))
  await result.write('new')
  assert.equal(readFileSync(join(folder.path, 'id'), 'utf8'), 'new')
})

test('a result that must be new: anything there is a conflict, and a name that was held for nothing is free again', async () => {
  await using folder = await temporaryFolder('bale-output')
  const path = join(folder.path, 'cid')
  {
    await using _ = await startResultFile(path, { mustBeNew: true })
    await assert.rejects(startResultFile(path, { mustBeNew: true }), (error) => isBaleError(error, 'CONFLICT'))
  }
  assert.deepEqual(readdirSync(folder.path), [])
  {
    await using result = await startResultFile(path, { mustBeNew: true })
    await result.write('abc')
  }
  assert.equal(readFileSync(path, 'utf8'), 'abc')
})

const full = isRoot ? false : 'needs root: a small file system is mounted'
test('a full disk is told in words and leaves the old file alone', { skip: full }, async () => {
  await using folder = await temporaryFolder('bale-output')
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'none', folder.path])
  try {
    const path = join(folder.path, 'f')
    writeFileSync(path, 'precious')
    await assert.rejects(put(path, 'x'.repeat(1 << 20)), (error) => isBaleError(error, 'NO_SPACE'))
    assert.equal(readFileSync(path, 'utf8'), 'precious')
    assert.deepEqual(readdirSync(folder.path), ['f'])
  } finally {
    execFileSync('umount', [folder.path])
  }
})

test('a file that is a mount point gets the bytes', { skip: full }, async () => {
  await using folder = await temporaryFolder('bale-output')
  const [file, point] = [join(folder.path, 'file'), join(folder.path, 'point')]
  writeFileSync(file, 'old')
  writeFileSync(point, '')
  execFileSync('mount', ['--bind', file, point])
  try {
    await put(point, 'new')
    assert.equal(readFileSync(file, 'utf8'), 'new')
    assert.deepEqual(readdirSync(folder.path).sort(), ['file', 'point'])
  } finally {
    execFileSync('umount', [point])
  }
})
