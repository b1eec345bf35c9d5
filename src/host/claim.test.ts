import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { claim, isClaimed, readClaim } from './claim.ts'
import { temporaryDirectory } from './file/index.ts'
import { processIdentity, thisProcess } from './process-identity.ts'

test('a claim is held while its owner lives, seen to be of the dead afterwards, and nobody’s without the file', async () => {
  await using directory = await temporaryDirectory(tmpdir())
  const path = join(directory.path, 'owner.json')
  assert.deepEqual([readClaim(path), isClaimed(path)], [{ state: 'nobody' }, false])
  await claim(path)
  assert.deepEqual([readClaim(path), isClaimed(path)], [{ state: 'alive', owner: thisProcess() }, true])
  assert.deepEqual(readdirSync(directory.path), ['owner.json'])

  const child = spawn('cat', { stdio: ['pipe', 'ignore', 'inherit'] })
  await once(child, 'spawn')
  const other = processIdentity(child.pid!)!
  await claim(path, other)
  assert.equal(isClaimed(path), true)
  child.stdin.end()
  await once(child, 'close')
  assert.deepEqual([readClaim(path), isClaimed(path)], [{ state: 'dead', owner: other }, false])

  rmSync(path)
  assert.equal(readClaim(path).state, 'nobody')
})

test('what bale 0.1 wrote is read: without boot and namespace; half a file is a dead owner’s', async () => {
  await using directory = await temporaryDirectory(tmpdir())
  const path = join(directory.path, 'starting.json')
  const { pid, startTime } = thisProcess()
  writeFileSync(path, JSON.stringify({ pid, startTime }))
  assert.deepEqual(readClaim(path), { state: 'alive', owner: { pid, startTime } })
  writeFileSync(path, JSON.stringify({ pid, startTime: startTime - 1 }))
  assert.equal(readClaim(path).state, 'dead')
  for (const text of ['', `{"pid":${pid},"sta`, 'null', '[]', '{}', '{"pid":"1","startTime":2}']) {
    writeFileSync(path, text)
    assert.deepEqual([readClaim(path), isClaimed(path)], [{ state: 'dead' }, false], text)
  }
})

test('an owner that cannot be judged counts as running', async () => {
  await using directory = await temporaryDirectory(tmpdir())
  const path = join(directory.path, 'owner.json')
  const self = thisProcess()
  await claim(path, { ...self, boot: 'an earlier one' })
  assert.equal(isClaimed(path), false)
  await claim(path, { ...self, startTime: self.startTime - 1, namespace: 'pid:[1]' })
  const { state } = readClaim(path)
  // Only from the first namespace is every process seen.
  assert.equal(isClaimed(path), state === 'unknown')
})
