import assert from 'node:assert/strict'
import { tmpdir } from 'node:os'
import { test } from 'node:test'
import { acquireLock, temporaryDirectory } from '#host/file'
import type { Store } from '#store'
import { lockContainer, pathsOf } from './machinery.ts'

test('a long wait for a container is reported with its reason', async () => {
  await using directory = await temporaryDirectory(tmpdir(), 'lock-')
  const store = { root: directory.path, run: directory.path } as Store
  const id = 'ab'.repeat(32)
  const held = await acquireLock(pathsOf({ store }, id).lock)
  const told = Promise.withResolvers<string>()
  const waiting = lockContainer({ store, log: { debug: () => undefined, warn: told.resolve } }, id)
  assert.equal(await told.promise, 'waiting for the container abababababab, which another command is changing')
  await held[Symbol.asyncDispose]()
  await (await waiting)[Symbol.asyncDispose]()
})
