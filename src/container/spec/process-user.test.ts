import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { isBaleError } from '#base'
import { unmount } from '#host'
import { temporaryDirectory } from '../../../test/kit/temporary.ts'
import { resolveUser } from './process-user.ts'

const PASSWD = 'root:x:0:0:root:/root:/bin/sh\nann:x:1000:1001:Ann:/home/ann:/bin/sh\n777:x:5:5::/:/bin/sh\n'
const GROUP = 'root:x:0:\nann:x:1001:\nwheel:x:10:bob,ann\nmail:x:12:ann\n'

async function accounts(passwd: string | undefined = PASSWD) {
  const directory = await temporaryDirectory('bale-user')
  mkdirSync(join(directory.path, 'root/etc'), { recursive: true })
  const root = join(directory.path, 'root')
  if (passwd !== undefined) writeFileSync(join(root, 'etc/passwd'), passwd)
  writeFileSync(join(root, 'etc/group'), GROUP)
  return { root, directory: directory.path, [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose]() }
}

test('R08: the primary group is always among the supplementary ones', async () => {
  await using place = await accounts()
  const of = (user: string, add: string[] = []) => {
    const { uid, gid, additionalGids } = resolveUser(place.root, user, add)
    return [uid, gid, ...additionalGids]
  }
  assert.deepEqual(of(''), [0, 0, 0])
  assert.deepEqual(of('ann'), [1000, 1001, 1001, 10, 12])
  assert.deepEqual(of('1000'), [1000, 1001, 1001, 10, 12])
  assert.deepEqual(of('ann:mail'), [1000, 12, 12])
  assert.deepEqual(of('4000'), [4000, 0, 0])
  assert.deepEqual(of('4000:4001', ['mail', '99']), [4000, 4001, 4001, 12, 99])
})

test('M09: a user or group that is out of range, malformed or unknown is an error, never root', async () => {
  await using place = await accounts()
  const wrong = ['4294967296', '2147483648', '-1', '1000:4294967296', 'nobody', 'ann:nobody', 'a:b:c', '1e3', ' ann']
  for (const user of [...wrong, '99999999999999999999'])
    assert.throws(() => resolveUser(place.root, user), { code: 'INVALID_ARGUMENT' }, user)
  assert.throws(() => resolveUser(place.root, 'ann', ['nobody']), { code: 'INVALID_ARGUMENT' })
  assert.equal(resolveUser(place.root, '777').uid, 777, 'digits are a number, whatever the file calls somebody')
})

test('M09: ids in the accounts files that are no ids are errors as well', async () => {
  for (const row of [
    'eve:x:4294967296:0::/:/bin/sh',
    'eve:x::0::/:/bin/sh',
    'eve:x:0x0:0::/:/bin/sh',
    'eve:x:1:-1::/:',
  ]) {
    await using place = await accounts(`${row}\n`)
    assert.throws(() => resolveUser(place.root, 'eve'), { code: 'INVALID_ARGUMENT' }, row)
  }
})

test('M09: the accounts files are read inside the root, when they are files, up to a size', async () => {
  await using place = await accounts()
  const passwd = join(place.root, 'etc/passwd')
  const canary = join(place.directory, 'passwd')
  writeFileSync(canary, 'eve:x:4242:4242::/:/bin/sh\n')
  const make: Record<string, () => void> = {
    'an absolute link': () => symlinkSync(canary, passwd),
    'a link with ..': () => symlinkSync('../../passwd', passwd),
    'a link to itself': () => symlinkSync('passwd', passwd),
    'a fifo': () => void execFileSync('mkfifo', [passwd]),
    'a directory': () => mkdirSync(passwd),
    nothing: () => undefined,
  }
  for (const [what, act] of Object.entries(make)) {
    rmSync(passwd, { recursive: true, force: true })
    act()
    assert.throws(() => resolveUser(place.root, 'eve'), /unable to find user eve/, what)
    assert.equal(resolveUser(place.root, '7').uid, 7, what)
  }
  rmSync(passwd, { recursive: true, force: true })
  writeFileSync(passwd, Buffer.alloc(5 << 20, 'x'))
  assert.throws(
    () => resolveUser(place.root, 'eve'),
    (error) => isBaleError(error, 'LIMIT_EXCEEDED'),
  )
})

test('M09: a file mounted into the root is no account file, and no link leads to it', {
  skip: process.getuid?.() !== 0 && 'needs root',
}, async () => {
  await using place = await accounts()
  const passwd = join(place.root, 'etc/passwd')
  mkdirSync(join(place.root, 'proc'))
  writeFileSync(join(place.directory, 'other'), 'eve:x:4242:4242::/:/bin/sh\n')
  try {
    // An endless file that says its size is 0, as a container has it at hand.
    execFileSync('mount', ['--bind', '/proc', join(place.root, 'proc')])
    rmSync(passwd)
    symlinkSync('/proc/1/pagemap', passwd)
    assert.throws(() => resolveUser(place.root, 'eve'), /unable to find user eve/)
    rmSync(passwd)
    writeFileSync(passwd, PASSWD)
    execFileSync('mount', ['--bind', join(place.directory, 'other'), passwd])
    assert.throws(() => resolveUser(place.root, 'eve'), /unable to find user eve/)
  } finally {
    unmount(passwd, { detach: true })
    unmount(join(place.root, 'proc'), { detach: true })
  }
})
