import assert from 'node:assert/strict'
import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { isBaleError, type ProgressEvent } from '#base'
import { acquireLock } from '#host/file'
import { temporaryDirectory } from '../../../test/kit/temporary.ts'
import { until } from '../../../test/kit/until.ts'
import { type CacheRequest, cacheMountsSize, claimCacheMounts, pruneCacheMounts } from './cache-mounts.ts'

const request = (id: string, sharing: CacheRequest['sharing'], more: Partial<CacheRequest> = {}): CacheRequest => ({
  ...{ id, sharing, origin: undefined, mode: 0o755, uid: 0, gid: 0 },
  ...more,
})

async function claimed(root: string, requests: CacheRequest[], options = {}) {
  const stack = new AsyncDisposableStack()
  try {
    return { directories: await claimCacheMounts(root, requests, stack, options), stack }
  } catch (error) {
    await stack.disposeAsync()
    throw error
  }
}

/** Whether a step has the locked cache of this directory. */
async function isHeld(directory: string): Promise<boolean> {
  try {
    await using _free = await acquireLock(`${directory}.lock`, { timeoutMs: 0 })
    return false
  } catch (error) {
    if (!isBaleError(error, 'LOCKED')) throw error
    return true
  }
}

test('one cache at two places of a step is one directory, whatever the sharing', async () => {
  await using root = await temporaryDirectory('bale-caches')
  for (const sharing of ['locked', 'shared'] as const) {
    const { directories, stack } = await claimed(root.path, [request('a', sharing), request('a', sharing)])
    assert.equal(directories[0], directories[1])
    await stack.disposeAsync()
  }
  const mixed = await claimed(root.path, [request('a', 'shared'), request('a', 'locked')])
  assert.equal(mixed.directories[0], mixed.directories[1])
  await mixed.stack.disposeAsync()
  const own = await claimed(root.path, [request('a', 'private'), request('a', 'private')])
  assert.notEqual(own.directories[0], own.directories[1])
  await own.stack.disposeAsync()
})

test('steps that take locked caches in opposite order do not wait for each other', async () => {
  await using root = await temporaryDirectory('bale-caches')
  let holders = 0
  const step = async (ids: string[]) => {
    for (let round = 0; round < 10; round++) {
      const { stack } = await claimed(
        root.path,
        ids.map((id) => request(id, 'locked')),
      )
      assert.equal(++holders, 1, 'locked caches are held by one step at a time')
      // Long enough for another step to come in, if it could.
      await sleep(1)
      holders--
      await stack.disposeAsync()
    }
  }
  await Promise.all([step(['a', 'b', 'c']), step(['c', 'b', 'a']), step(['b', 'a', 'c'])])
})

test('a step that is cancelled while it waits gives back what it holds', async () => {
  await using root = await temporaryDirectory('bale-caches')
  const ids = ['a', 'b', 'c', 'd']
  const beforeB = await claimed(root.path, [request('c', 'locked')])
  await beforeB.stack.disposeAsync()
  const all = await claimed(root.path, [request('b', 'locked')])
  const stop = new AbortController()
  const waiting = claimed(
    root.path,
    ids.map((id) => request(id, 'locked')),
    { signal: stop.signal },
  )
  waiting.catch(() => undefined)
  // It has taken what comes before the cache of the other step in the common order, and stands before that one.
  await until('it holds a cache', () => isHeld(beforeB.directories[0]!))
  stop.abort()
  await assert.rejects(waiting)
  const others = await claimed(
    root.path,
    ids.filter((id) => id !== 'b').map((id) => request(id, 'locked')),
    // Only ends the test when something is still held.
    { signal: AbortSignal.timeout(300_000) },
  )
  await others.stack.disposeAsync()
  await all.stack.disposeAsync()
})

test('who waits for a cache for some seconds says so once', async () => {
  await using root = await temporaryDirectory('bale-caches')
  const first = await claimed(root.path, [request('npm', 'locked')])
  const told: ProgressEvent[] = []
  const message = Promise.withResolvers<void>()
  const progress = (event: ProgressEvent) => {
    told.push(event)
    message.resolve()
  }
  const second = claimed(root.path, [request('npm', 'shared')], { progress })
  await message.promise
  await first.stack.disposeAsync()
  await (await second).stack.disposeAsync()
  assert.deepEqual(told, [{ kind: 'waiting', what: 'the cache "npm", which another build step uses' }])
})

test('private caches are kept for the next step, and differ for steps at once', async () => {
  await using root = await temporaryDirectory('bale-caches')
  const first = await claimed(root.path, [request('a', 'private')])
  const second = await claimed(root.path, [request('a', 'private')])
  assert.notEqual(first.directories[0], second.directories[0])
  await first.stack.disposeAsync()
  const third = await claimed(root.path, [request('a', 'private')])
  assert.equal(third.directories[0], first.directories[0])
  await second.stack.disposeAsync()
  await third.stack.disposeAsync()
})

test('a new cache begins with its files, mode and owner, or is not there at all', async () => {
  await using root = await temporaryDirectory('bale-caches')
  const broken = request('a', 'shared', { origin: 'x', fill: () => Promise.reject(new Error('no space')) })
  await assert.rejects(claimed(root.path, [broken]), /no space/)
  const fill = async (directory: string) => writeFileSync(join(directory, 'f'), 'from the image')
  const { directories, stack } = await claimed(root.path, [
    request('a', 'shared', { origin: 'x', fill }),
    request('a', 'shared', { mode: 0o1770 }),
  ])
  assert.deepEqual(readdirSync(directories[0]!), ['f'])
  assert.deepEqual(readdirSync(directories[1]!), [])
  assert.equal(statSync(directories[1]!).mode & 0o7777, 0o1770)
  assert.ok((await cacheMountsSize(root.path)) > 0)
  assert.equal(await pruneCacheMounts(root.path), 0, 'a cache in use is not pruned')
  assert.ok(existsSync(directories[0]!))
  await stack.disposeAsync()
  assert.ok((await pruneCacheMounts(root.path)) > 0)
  assert.equal(existsSync(directories[0]!), false)
})
