import assert from 'node:assert/strict'
import { test } from 'node:test'
import { processorTime } from '../../../test/kit/processor-time.ts'
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
    const spent = processorTime()
    assert.equal(await verifyPassword('guess', against), false)
    return spent()
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
