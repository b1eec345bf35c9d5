import assert from 'node:assert/strict'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { createFileObjects } from './file-objects.ts'

const KEY = '0123456789abcdef0123456789abcdef'

async function temporaryObjects() {
  const directory = await mkdtemp(join(tmpdir(), 'bale-objects-'))
  return {
    directory,
    objects: createFileObjects(directory),
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  }
}

async function write(objects: ReturnType<typeof createFileObjects>, offset: number, text: string) {
  await using appender = await objects.append(KEY, offset)
  await appender.write(Buffer.from(text))
  await appender.sync()
}

const textOf = async (stream: AsyncIterable<Uint8Array>) => Buffer.concat(await Array.fromAsync(stream)).toString()

test('an object grows from the offset that its row knows; what was written behind that and never recorded is cut off', async () => {
  await using under = await temporaryObjects()
  const { objects } = under
  await write(objects, 0, 'recorded, then not recorded')
  await write(objects, 8, '!')
  assert.equal(await textOf(objects.read(KEY)), 'recorded!')
  assert.equal(await textOf(objects.read(KEY, { start: 2, end: 5 })), 'cor')
  assert.deepEqual(await Array.fromAsync(objects.list()), [{ key: KEY, size: 9 }])
  await write(objects, 0, 'new')
  assert.equal(await textOf(objects.read(KEY)), 'new')
})

test('an object that lost bytes that were recorded is not written on', async () => {
  await using under = await temporaryObjects()
  await write(under.objects, 0, 'short')
  await assert.rejects(under.objects.append(KEY, 6), { code: 'STORE_DAMAGED' })
})

test('objects are private files; deleting one that is not there is success', async () => {
  await using under = await temporaryObjects()
  await write(under.objects, 0, 'x')
  assert.equal((await stat(join(under.directory, '01', KEY))).mode & 0o777, 0o600)
  await under.objects.delete(KEY)
  await under.objects.delete(KEY)
  assert.deepEqual(await Array.fromAsync(under.objects.list()), [])
  await assert.rejects(textOf(under.objects.read(KEY)), { code: 'ENOENT' })
})

test('A04: a key that the registry did not make never becomes a path', async () => {
  await using under = await temporaryObjects()
  for (const key of ['../../etc/passwd', '', 'x', KEY.toUpperCase(), `${KEY}/x`]) {
    await assert.rejects(under.objects.append(key, 0), TypeError)
    assert.throws(() => under.objects.read(key), TypeError)
    await assert.rejects(under.objects.delete(key), TypeError)
  }
})
