import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isPattern, matchesPattern } from '../pattern/index.ts'
import { hashPassword, verifyPassword } from './password.ts'

test('passwords are stored as salted argon2id (or scrypt) PHC strings and verified', async () => {
  const hash = await hashPassword('correct horse')
  assert.match(
    hash,
    /^\$(argon2id\$v=19\$m=19456,t=2,p=1|scrypt\$ln=15,r=8,p=1)\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/,
  )
  assert.notEqual(hash, await hashPassword('correct horse'))
  assert.equal(await verifyPassword('correct horse', hash), true)
  assert.equal(await verifyPassword('correct horse ', hash), false)
  assert.equal(await verifyPassword('', hash), false)
})

test('a scrypt hash of an older Node is verified too', async () => {
  // Made with scrypt N=2^15, r=8, p=1 of "old password" and the salt "0123456789abcdef".
  const { scryptSync } = await import('node:crypto')
  const salt = Buffer.from('0123456789abcdef')
  const tag = scryptSync('old password', salt, 32, { N: 2 ** 15, r: 8, p: 1, maxmem: 2 ** 26 })
  const hash = `$scrypt$ln=15,r=8,p=1$${salt.toString('base64').replace(/=+$/, '')}$${tag.toString('base64').replace(/=+$/, '')}`
  assert.equal(await verifyPassword('old password', hash), true)
  assert.equal(await verifyPassword('new password', hash), false)
})

test('A15: an unknown user costs the same work as a wrong password', async () => {
  const hash = await hashPassword('some password')
  await verifyPassword('warm', undefined)
  const time = async (against: string | undefined) => {
    const began = process.cpuUsage()
    assert.equal(await verifyPassword('guess', against), false)
    const { user, system } = process.cpuUsage(began)
    return (user + system) / 1000
  }
  const median = async (against: string | undefined) => {
    const times = [
      await time(against),
      await time(against),
      await time(against),
      await time(against),
      await time(against),
    ]
    return times.sort((a, b) => a - b)[2]!
  }
  const [known, unknown] = [await median(hash), await median(undefined)]
  assert.ok(unknown > known / 3 && unknown < known * 3, `${known} ms and ${unknown} ms`)
})

test('patterns fit parts of names with *, anything with **', () => {
  const cases: [string, string, boolean][] = [
    ['team/web', 'team/web', true],
    ['team/web', 'team/web2', false],
    ['team/*', 'team/web', true],
    ['team/*', 'team/a/b', false],
    ['team/*', 'team', false],
    ['team/**', 'team/a/b', true],
    ['**', 'a/b/c', true],
    ['*', 'a', true],
    ['*', 'a/b', false],
    ['*/web', 'team/web', true],
    ['**/web', 'a/b/web', true],
    ['**/web', 'web', false],
    ['team/web-*', 'team/web-1', true],
    ['a.c', 'abc', false],
  ]
  for (const [pattern, name, fits] of cases) assert.equal(matchesPattern(pattern, name), fits, `${pattern} ${name}`)
})

test('A12: a pattern of many stars takes no time that grows out of bounds, and more than eight are refused', () => {
  assert.equal(isPattern('a*'.repeat(8)), true)
  for (const bad of ['a*'.repeat(9), '', 'A', 'a b', '***', 'x'.repeat(256), '(a|b)+', 'a\n'])
    assert.equal(isPattern(bad), false, bad)
  const hostile = ['**a', '*a', 'a*', '**/'].map(
    (part) => [`${part.repeat(8)}b`, part.includes('/') ? 'a/' : 'a'] as const,
  )
  const began = process.cpuUsage()
  for (let time = 0; time < 250; time++) {
    for (const [pattern, name] of hostile) assert.equal(matchesPattern(pattern, name.repeat(255 / name.length)), false)
  }
  // CPU time: the machine may be busy with other things. A thousand names are what a page of the catalog reads.
  assert.ok(process.cpuUsage(began).user < 1_000_000)
})

test('A12: patterns match as the plain reading of their stars does', () => {
  const parts = ['a', 'b', '/', '*', '**']
  const letters = ['a', 'b', '/']
  let seed = 7
  const next = (choice: readonly string[]) => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
    return choice[seed % choice.length]!
  }
  const some = (choice: readonly string[], most: number) =>
    Array.from({ length: 1 + (seed % most) }, () => next(choice)).join('')
  let matched = 0
  for (let round = 0; round < 20_000; round++) {
    const [pattern, name] = [some(parts, 6), some(letters, 7)]
    if (pattern.includes('***')) continue
    const plain = new RegExp(`^${pattern.replaceAll('**', '@').replaceAll('*', '[^/]*').replaceAll('@', '.*')}$`)
    assert.equal(matchesPattern(pattern, name), plain.test(name), `${pattern} ${name}`)
    if (plain.test(name)) matched++
  }
  assert.ok(matched > 500, `${matched} matched`)
})
