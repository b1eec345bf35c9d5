import assert from 'node:assert/strict'
import {
  existsSync,
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
import { isBaleError } from '#base'
import { type PackedEntry, packTar } from '#format/tar'
import { openRoot } from '#host'
import { temporaryDirectory } from '../../../test/kit/temporary.ts'
import { type UnpackOptions, unpackTar } from './unpack-tar.ts'

const directoryEntry = (name: string): PackedEntry => ({ entry: { name, type: 'directory' } })
const file = (name: string, text: string): PackedEntry => ({
  entry: { name, type: 'file', size: Buffer.byteLength(text) },
  data: Buffer.from(text),
})

/** A destination `out` with links that lead out of it to `outside`. */
async function destination() {
  const directory = await temporaryDirectory('bale-unpack')
  const [out, outside] = [join(directory.path, 'out'), join(directory.path, 'outside')]
  mkdirSync(out)
  mkdirSync(outside)
  writeFileSync(join(outside, 'f'), 'untouched')
  symlinkSync(outside, join(out, 'd'))
  symlinkSync('../outside', join(out, 'relative'))
  symlinkSync(join(outside, 'f'), join(out, 'f'))
  symlinkSync('nowhere', join(out, 'dangling'))
  return {
    ...directory,
    out,
    async unpack(entries: PackedEntry[], options: Partial<UnpackOptions> = {}) {
      using root = openRoot(out, { links: 'refused' })
      await unpackTar(root, packTar(entries), { directory: '/', shown: out, keepNames: true, ...options })
    },
    assertOutsideUntouched() {
      assert.deepEqual(readdirSync(outside), ['f'])
      assert.equal(readFileSync(join(outside, 'f'), 'utf8'), 'untouched')
    },
    [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose](),
  }
}

test('R20 a link below the destination is refused as a directory, whatever the tar says', async () => {
  await using place = await destination()
  const words = new RegExp(`cannot overwrite non-directory "${place.out}/d" with directory "${place.out}"`)
  await assert.rejects(place.unpack([directoryEntry('d/'), file('d/new', 'x')]), words)
  for (const name of ['d/new', 'relative/new', 'dangling/new', 'd/deep/new'])
    await assert.rejects(place.unpack([file(name, 'x')]), (error) => isBaleError(error, 'INVALID_ARGUMENT'), name)
  await assert.rejects(
    place.unpack([directoryEntry('sub/'), { entry: { name: 'sub/h', type: 'hardlink', linkName: 'd/f' } }]),
    /a link is in the way/,
  )
  place.assertOutsideUntouched()
})

test('R20 a link in the place of a file is replaced, not written through', async () => {
  await using place = await destination()
  await place.unpack([file('f', 'new'), { entry: { name: 'dangling', type: 'symlink', linkName: 'elsewhere' } }])
  assert.equal(lstatSync(join(place.out, 'f')).isFile(), true)
  assert.equal(readFileSync(join(place.out, 'f'), 'utf8'), 'new')
  assert.equal(readlinkSync(join(place.out, 'dangling')), 'elsewhere')
  place.assertOutsideUntouched()
})

test('R20 a link that the same tar made is not followed by its later entries', async () => {
  await using place = await destination()
  const link: PackedEntry = { entry: { name: 'l', type: 'symlink', linkName: '../outside' } }
  await assert.rejects(place.unpack([link, file('l/evil', 'x')]), /cannot write "l\/evil"/)
  await assert.rejects(
    place.unpack([link, directoryEntry('l/'), file('l/evil', 'x')]),
    /cannot overwrite non-directory/,
  )
  await place.unpack([link, directoryEntry('l/'), file('l/mine', 'x')], { strict: false })
  assert.equal(readFileSync(join(place.out, 'l/mine'), 'utf8'), 'x')
  place.assertOutsideUntouched()
})

test("a file over a directory is refused in docker's words, or replaces it when that is allowed", async () => {
  await using place = await destination()
  mkdirSync(join(place.out, 'x/y'), { recursive: true })
  await assert.rejects(
    place.unpack([file('x', '1')]),
    new RegExp(`cannot overwrite directory "${place.out}/x" with non-directory "${place.out}"`),
  )
  assert.equal(existsSync(join(place.out, 'x/y')), true)
  await place.unpack([file('x', '1')], { strict: false })
  assert.equal(readFileSync(join(place.out, 'x'), 'utf8'), '1')
})

test('in a root whose links are followed, an entry below a link is written to its target; a dangling link is an error', async () => {
  await using directory = await temporaryDirectory('bale-unpack')
  mkdirSync(join(directory.path, 'usr/lib'), { recursive: true })
  symlinkSync('/usr/lib', join(directory.path, 'lib'))
  symlinkSync('nowhere', join(directory.path, 'l'))
  using root = openRoot(directory.path)
  await unpackTar(root, packTar([file('lib/x', 'here')]), { directory: '/', keepNames: true })
  assert.equal(readFileSync(join(directory.path, 'usr/lib/x'), 'utf8'), 'here')
  await assert.rejects(
    unpackTar(root, packTar([file('l/x', 'x')]), { directory: '/', keepNames: true }),
    (error) => isBaleError(error, 'INVALID_ARGUMENT') && /cannot write "l\/x": .*dangling link/.test(error.message),
  )
})

test('a long run of zeros becomes a hole, and the size stays', async () => {
  await using place = await destination()
  const size = 8 * 1024 * 1024
  const bytes = Buffer.alloc(size)
  bytes.write('head')
  await place.unpack([{ entry: { name: 'sparse', type: 'file', size }, data: bytes }])
  const stat = statSync(join(place.out, 'sparse'))
  assert.equal(stat.size, size)
  assert.ok(stat.blocks * 512 < size / 2, `${stat.blocks} blocks`)
  assert.equal(readFileSync(join(place.out, 'sparse')).equals(bytes), true)
})

test('modes of fifos are those of the tar, whatever the umask', async () => {
  await using place = await destination()
  await place.unpack([{ entry: { name: 'p', type: 'fifo', mode: 0o666 } }])
  assert.equal(statSync(join(place.out, 'p')).mode & 0o777, 0o666)
})
