import assert from 'node:assert/strict'
import { appendFile, rename, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryDirectory } from '../../../test/kit/temporary.ts'
import { until } from '../../../test/kit/until.ts'
import { type ReadLogOptions, readLog as readPlace } from './log-reader.ts'

const at = (second: number) => `2026-01-01T00:00:${String(second).padStart(2, '0')}.000000000+00:00`
const nanoseconds = (second: number) => BigInt(Date.parse(at(second))) * 1_000_000n
const SAMPLE = [
  `${at(1)} stdout F one`,
  `${at(2)} stderr P tw`,
  `${at(3)} stdout F three`,
  `${at(4)} stderr F o`,
  `${at(5)} stdout P last`,
  '',
].join('\n')

const readLog = (path: string, options?: ReadLogOptions) => readPlace({ path, lock: `${path}.lock` }, options)

async function read(path: string, options: ReadLogOptions = {}) {
  const frames = []
  for await (const { stream, bytes, startsLine } of readLog(path, options))
    frames.push(`${startsLine ? '' : '…'}${stream}:${JSON.stringify(Buffer.from(bytes).toString())}`)
  return frames
}

test('a log is read as frames of its two streams, with lines put together again', async () => {
  await using directory = await temporaryDirectory('bale-log')
  const path = join(directory.path, 'log')
  await writeFile(path, SAMPLE)
  assert.deepEqual(await read(path), [
    'stdout:"one\\n"',
    'stderr:"tw"',
    'stdout:"three\\n"',
    '…stderr:"o\\n"',
    'stdout:"last"',
  ])
  assert.deepEqual(await read(join(directory.path, 'none')), [])
})

test('tail, since and until choose lines', async () => {
  await using directory = await temporaryDirectory('bale-log')
  const path = join(directory.path, 'log')
  await writeFile(path, SAMPLE)
  assert.deepEqual(await read(path, { tail: 0 }), [])
  assert.deepEqual(await read(path, { tail: 1 }), ['stdout:"last"'])
  assert.deepEqual((await read(path, { tail: 3 })).length, 4, 'the parts of one line count once')
  assert.equal((await read(path, { tail: 100 })).length, 5)
  assert.deepEqual(await read(path, { since: nanoseconds(3), until: nanoseconds(3) }), ['stdout:"three\\n"'])
})

test('tail finds its place in a log of many chunks', async () => {
  await using directory = await temporaryDirectory('bale-log')
  const path = join(directory.path, 'log')
  const lines = Array.from({ length: 5000 }, (_, index) => `${at(1)} stdout F line ${index}`)
  await writeFile(path, `${lines.join('\n')}\n`)
  assert.deepEqual(await read(path, { tail: 2 }), ['stdout:"line 4998\\n"', 'stdout:"line 4999\\n"'])
  assert.equal((await read(path, { tail: 4000 })).length, 4000)
})

test('following continues across a truncation and a rotation, and ends with the container', async () => {
  await using directory = await temporaryDirectory('bale-log')
  const path = join(directory.path, 'log')
  await writeFile(path, `${at(1)} stdout F first\n`)
  let ended = false
  // The reader asks for the end once per turn, before it reads.
  let turns = 0
  const seen: string[] = []
  const following = (async () => {
    for await (const { bytes } of readLog(path, { follow: { ended: async () => ++turns > 0 && ended } }))
      seen.push(Buffer.from(bytes).toString().trim())
  })()
  const lines = (count: number) => until(`there are ${count} lines`, () => seen.length >= count)
  await lines(1)
  await truncate(path, 0)
  const before = turns
  // The first of them may have begun before the file was cut.
  await until('the reader has seen the empty file', () => turns >= before + 3)
  await appendFile(path, `${at(2)} stdout F second\n`)
  await lines(2)
  await rename(path, `${path}.1`)
  await writeFile(path, `${at(3)} stdout F third\n`)
  await lines(3)
  await appendFile(path, `${at(3)} stdout F fourth\n`)
  ended = true
  await following
  assert.deepEqual(seen, ['first', 'second', 'third', 'fourth'])
})
