import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Credential } from './credential.ts'
import type { CredentialStore } from './credential-store.ts'

export interface CredentialsUnderTest extends AsyncDisposable {
  store: CredentialStore
  /** The same logins as another command would open them. */
  reopen(): CredentialStore
}

const password = (username: string, secret: string): Credential => ({ kind: 'password', username, password: secret })

/** What every place for logins promises. */
export function credentialStoreContract(name: string, create: () => Promise<CredentialsUnderTest>): void {
  const check = (title: string, body: (under: CredentialsUnderTest) => Promise<void>) =>
    test(`${name}: ${title}`, async () => {
      await using under = await create()
      await body(under)
    })

  check('a login is found by another command, for every repository of its registry and for no other', async (under) => {
    await under.store.store('r.example:5000', password('ann', 'secret'))
    const other = under.reopen()
    for (const repository of [undefined, 'a', 'deep/er/b']) {
      assert.deepEqual(await other.get('r.example:5000', repository), password('ann', 'secret'))
    }
    for (const registry of ['r.example', 'r.example:5001', 'docker.io', 'example']) {
      assert.equal(await other.get(registry, 'a'), undefined, registry)
    }
  })

  check('a password keeps every character', async ({ store, reopen }) => {
    for (const secret of ['a:b:c', 'with "quotes" and \\', 'é ünïcode 💾', ' spaces at both ends ', 'x'.repeat(4000)]) {
      await store.store('r.example', password('ann', secret))
      assert.deepEqual(await reopen().get('r.example', 'a'), password('ann', secret))
    }
  })

  check('the last login of a registry counts, also one of another kind', async ({ store, reopen }) => {
    await store.store('r.example', password('ann', 'old'))
    await store.store('r.example', password('bob', 'new'))
    assert.deepEqual(await reopen().get('r.example', 'a'), password('bob', 'new'))
    await store.store('r.example', { kind: 'identity-token', username: '', token: 'refresh' })
    const found = await reopen().get('r.example', 'a')
    assert.ok(found?.kind === 'identity-token' && found.token === 'refresh')
    await store.store('r.example', password('ann', 'again'))
    assert.deepEqual(await reopen().get('r.example', 'a'), password('ann', 'again'))
  })

  check('a login of Docker Hub is found under its one name', async ({ store, reopen }) => {
    await store.store('docker.io', password('hub', 'secret'))
    assert.deepEqual(await reopen().get('docker.io', 'library/debian'), password('hub', 'secret'))
  })

  check('an erased login is gone, the others stay; erasing what is not there says so', async ({ store, reopen }) => {
    assert.deepEqual(await store.erase('r.example'), { known: false })
    await store.store('r.example', password('ann', 'one'))
    await store.store('s.example', password('ann', 'two'))
    assert.deepEqual(await store.erase('r.example'), { known: true })
    assert.equal(await reopen().get('r.example', 'a'), undefined)
    assert.deepEqual(await reopen().get('s.example', 'a'), password('ann', 'two'))
    assert.deepEqual(await store.erase('r.example'), { known: false })
  })

  check('logins made at once by several commands are all kept', async ({ reopen }) => {
    const names = Array.from({ length: 8 }, (_, number) => `r${number}.example`)
    await Promise.all(names.map((one) => reopen().store(one, password(one, `secret of ${one}`))))
    for (const one of names) assert.deepEqual(await reopen().get(one, 'a'), password(one, `secret of ${one}`))
  })
}
