import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Clock } from '#base'
import { openSqliteMeta } from '../meta/index.ts'
import { newSigningKey, readToken, signToken } from './jws.ts'
import { createSigningKeys, forgetSealedKeys } from './signing-keys.ts'

const SECRET = Buffer.alloc(32, 1)
const DAY = 86_400_000

async function parts() {
  const directory = await mkdtemp(join(tmpdir(), 'bale-keys-'))
  const time = { now: 1_700_000_000_000 }
  const clock: Clock = { now: () => time.now, sleep: async () => undefined }
  const meta = openSqliteMeta({ path: join(directory, 'registry.db'), clock })
  return {
    meta,
    time,
    /** As another replica on the same database. */
    keys: (secret = SECRET) => createSigningKeys({ meta, secret, clock }),
    async [Symbol.asyncDispose]() {
      await meta.close()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

test('two replicas that begin on an empty database at once accept the tokens of each other', async () => {
  await using under = await parts()
  const [one, two] = [under.keys(), under.keys()]
  const tokens = await Promise.all([one, two].map(async (keys) => signToken(await keys.current(), { sub: 'x' })))
  under.time.now += 2000
  for (const keys of [one, two]) {
    for (const token of tokens) assert.deepEqual(await readToken(keys.find, token), { sub: 'x' })
  }
})

test('a key that nobody has is looked for once a second, not for every token', async () => {
  await using under = await parts()
  const keys = under.keys()
  await keys.current()
  let asked = 0
  const { signingKeys } = under.meta
  under.meta.signingKeys = () => {
    asked++
    return signingKeys()
  }
  under.time.now += 2000
  for (let turn = 0; turn < 50; turn++) assert.equal(await keys.find('none'), undefined)
  assert.equal(asked, 1)
})

test('after ninety days a new key signs; the old one verifies for a day more and is gone then', async () => {
  await using under = await parts()
  const keys = under.keys()
  const old = signToken(await keys.current(), { sub: 'old' })
  under.time.now += 90 * DAY
  const next = signToken(await keys.current(), { sub: 'new' })
  const other = under.keys()
  assert.deepEqual(
    [await readToken(keys.find, old), await readToken(other.find, old), await readToken(other.find, next)],
    [{ sub: 'old' }, { sub: 'old' }, { sub: 'new' }],
  )
  under.time.now += DAY + 1
  await under.keys().current()
  assert.equal((await under.meta.signingKeys()).length, 1)
  assert.equal(await readToken(under.keys().find, old), undefined)
})

test('keys are sealed; those that 0.1 left open are sealed when they are read; another secret is refused', async () => {
  await using under = await parts()
  const open = newSigningKey()
  await under.meta.putSigningKey(open)
  const key = await under.keys().current()
  assert.equal(key.id, open.id)
  const [stored] = await under.meta.signingKeys()
  assert.match(stored!.privateKey, /^sealed:/)
  assert.equal((await under.keys().current()).id, open.id)
  await assert.rejects(under.keys(Buffer.alloc(32, 2)).current(), { code: 'DENIED' })
  await under.meta.putSigningKey({ ...stored!, id: 'other' })
  await assert.rejects(under.keys().current(), { code: 'DENIED' }, 'a sealed key belongs to its ID')
  await forgetSealedKeys(under.meta)
  assert.deepEqual(await under.meta.signingKeys(), [])
})
