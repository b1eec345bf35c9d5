import assert from 'node:assert/strict'
import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryDirectory } from '../../../test/kit/temporary.ts'
import { assertDeclaredOffKernel, assertMountsOffKernel } from './kernel-directories.ts'

const refused = { code: 'INVALID_ARGUMENT' }

test('R06: a volume or step mount that is declared at or below /dev, /proc and /sys is refused by its name', () => {
  for (const path of ['/dev', '/dev/null', '/dev/pts', '/proc', '/proc/sys', '/sys', '/sys/fs/cgroup'])
    assert.throws(() => assertDeclaredOffKernel(path, 'a volume of the image'), refused, path)
  for (const path of ['/device', '/data/dev', '/dev/shm', '/dev/shm/x', '/process', '/system'])
    assertDeclaredOffKernel(path, 'a volume of the image')
})

test('R06: no link of the image leads a mount to the directories of the kernel', async () => {
  await using place = await temporaryDirectory('bale-kernel-directories')
  const root = join(place.path, 'root')
  for (const directory of ['dev', 'data', 'data/deep']) mkdirSync(join(root, directory), { recursive: true })
  const links: [string, string][] = [
    ['to-dev', 'dev'],
    ['absolute', '/proc/sys'],
    ['chain', 'to-dev'],
    ['data/deep/up', '../../../../dev'],
    ['data/elsewhere', '/data/deep'],
    ['loop', 'loop'],
  ]
  for (const [name, target] of links) symlinkSync(target, join(root, name))
  // More links than the kernel follows; runc resolves mount points itself and follows up to 255.
  for (let index = 0; index < 60; index++) symlinkSync(index === 0 ? '/proc' : `l${index - 1}`, join(root, `l${index}`))
  const check = (destination: string) => assertMountsOffKernel(root, [{ destination }], { masked: true })
  for (const path of [
    '/to-dev',
    '/to-dev/null',
    '/absolute',
    '/chain/pts',
    '/data/deep/up',
    '/data/elsewhere/up/x',
    '/l59',
    '/loop',
  ])
    assert.throws(() => check(path), refused, path)
  for (const path of ['/data', '/data/elsewhere', '/data/elsewhere/new', '/not/there', '/dev/shm']) check(path)
})

test('R06: what is mounted at /dev has the null device, which hides files of the kernel', async () => {
  await using place = await temporaryDirectory('bale-kernel-directories')
  const [root, linked, empty] = ['root', 'linked', 'empty'].map((name) => join(place.path, name)) as [
    string,
    string,
    string,
  ]
  for (const directory of [root, linked, empty]) mkdirSync(directory)
  symlinkSync('/dev/null', join(linked, 'null'))
  const check = (destination: string, source?: string, masked = true) =>
    assertMountsOffKernel(root, [{ destination, source }], { masked })
  check('/dev', '/dev')
  check('/dev/null', '/dev/null')
  check('/dev')
  check('/dev', empty, false)
  for (const source of [linked, empty, '/etc']) assert.throws(() => check('/dev', source), refused, source)
  assert.throws(() => check('/dev/null', '/etc/passwd'), refused)
})
