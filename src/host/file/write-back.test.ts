import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createWriteBack } from './write-back.ts'

const MUCH = 1 << 30

test('a long file is synced in between, never twice at a time, and what fails is thrown once all is settled', async () => {
  const ends: ((error?: Error) => void)[] = []
  const back = createWriteBack(
    () => new Promise((resolve, reject) => ends.push((error) => (error ? reject(error) : resolve()))),
  )
  back.wrote(1)
  assert.equal(ends.length, 0, 'a short file waits for its own sync')
  back.wrote(MUCH)
  back.wrote(MUCH)
  assert.equal(ends.length, 1)
  ends[0]!()
  await back.settled()
  back.wrote(1)
  assert.equal(ends.length, 2, 'what came meanwhile is next')
  ends[1]!(new Error('the disk broke'))
  await assert.rejects(back.settled(), /the disk broke/)
})
