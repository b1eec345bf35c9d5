import assert from 'node:assert/strict'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryDirectory } from '../../test/kit/temporary.ts'
import { oncePerBoot } from './once-per-boot.ts'

test('a task runs once per boot, however many callers come at once', async () => {
  await using directory = await temporaryDirectory()
  let runs = 0
  const task = { run: directory.path, name: 'task' }
  const results = await Promise.all(Array.from({ length: 5 }, () => oncePerBoot(task, async () => ++runs)))
  assert.deepEqual(results.filter(Boolean), [1])
  await writeFile(join(directory.path, 'task'), 'an earlier boot\n')
  assert.equal(await oncePerBoot(task, async () => ++runs), 2)
  await rm(join(directory.path, 'task'))
  assert.equal(await oncePerBoot(task, async () => ++runs), 3)
})

test('a task that fails is tried again by the next caller', async () => {
  await using directory = await temporaryDirectory()
  const task = { run: directory.path, name: 'task' }
  await assert.rejects(
    oncePerBoot(task, () => Promise.reject(new Error('not yet'))),
    /not yet/,
  )
  assert.equal(await oncePerBoot(task, async () => 'done'), 'done')
})

test('a caller that does not wait leaves a running task alone', async () => {
  await using directory = await temporaryDirectory()
  const task = { run: directory.path, name: 'task' }
  const result = await oncePerBoot(task, async () => {
    await assert.rejects(
      oncePerBoot({ ...task, timeoutMs: 0 }, async () => 'second'),
      { code: 'LOCKED' },
    )
    return 'first'
  })
  assert.equal(result, 'first')
})
