import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryDirectory } from '../../test/kit/temporary.ts'
import { readBytes, readBytesSync, readTextSync } from './file/index.ts'
import { mayMount } from './index.ts'

/** Prints what each reader of the mount table finds, as JSON. */
const READERS = `
import { cgroupLayout, isMounted, mountInfo } from '#host'
import { readBytes, readTextSync, removeTree } from '#host/file'
const [last, scratch] = process.argv.slice(1)
for (let round = 0; round < 20; round++) { mountInfo(); cgroupLayout() }
await removeTree(scratch)
const table = readTextSync('/proc/self/mountinfo', { encoding: 'latin1' })
console.log(JSON.stringify({
  size: table.length,
  longest: Math.max(...table.split('\\n').map((line) => line.length)),
  mounts: mountInfo().length,
  lines: (await readBytes('/proc/self/mountinfo')).toString().trimEnd().split('\\n').length,
  last: isMounted(last),
  hierarchies: cgroupLayout().mounts.length,
}))`

test('a mount table of more than 200 KiB with long lines is read whole', {
  skip: !mayMount() && 'needs root',
}, async () => {
  await using directory = await temporaryDirectory()
  // The table shows a space as four characters: two such names make a line of 1,700, twelve one of nearly 10,000. Many
  // short pieces, then a long one, then short ones again: what breaks Node's own reader.
  const names = Array.from({ length: 12 }, (_, index) => `${index}`.padStart(200))
  const short = join(directory.path, 'm', ...names.slice(0, 2))
  const long = join(directory.path, 'm', ...names)
  mkdirSync(long, { recursive: true })
  mkdirSync(join(directory.path, 'scratch'))
  for (let index = 1; index <= 130; index++) mkdirSync(join(short, `${index}`))
  const script = `
    mount --make-rprivate /
    for one in $(seq 80); do mount -t tmpfs tmpfs "$SHORT/$one" || exit 4; done
    mount -t tmpfs tmpfs "$LONG" || exit 4
    for one in $(seq 81 130); do mount -t tmpfs tmpfs "$SHORT/$one" || exit 4; done
    exec "$NODE" --conditions=source --disable-warning=ExperimentalWarning --input-type=module-typescript -e "$READERS" "$SHORT/130" "$SCRATCH"`
  const found = JSON.parse(
    execFileSync('unshare', ['-m', 'sh', '-c', script], {
      encoding: 'utf8',
      env: {
        PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
        LONG: long,
        SHORT: short,
        NODE: process.execPath,
        READERS,
        SCRATCH: join(directory.path, 'scratch'),
      },
    }),
  )
  assert.ok(found.size > 200 * 1024, `${found.size}`)
  assert.ok(found.longest > 8192, `${found.longest}`)
  assert.equal(found.mounts, found.lines)
  assert.equal(found.last, true)
  assert.ok(found.hierarchies > 0)
})

test('a file is read to its end whatever the pieces are, and no further than the limit', async () => {
  await using directory = await temporaryDirectory()
  const path = join(directory.path, 'f')
  for (const size of [0, 1, 65535, 65536, 65537, 200_000]) {
    writeFileSync(path, Buffer.alloc(size, 'x'))
    assert.equal(readBytesSync(path).length, size)
    assert.equal((await readBytes(path)).length, size)
    assert.equal(readTextSync(path, { limit: size }), 'x'.repeat(size))
    if (size === 0) continue
    assert.throws(() => readBytesSync(path, { limit: size - 1 }), { code: 'LIMIT_EXCEEDED' })
    await assert.rejects(readBytes(path, { limit: size - 1 }), { code: 'LIMIT_EXCEEDED' })
  }
  await assert.rejects(readBytes('/dev/zero', { limit: 100_000 }), { code: 'LIMIT_EXCEEDED' })
  assert.throws(() => readTextSync(join(directory.path, 'missing')), { code: 'ENOENT' })
})
