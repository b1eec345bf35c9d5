import assert from 'node:assert/strict'
import { appendFile, readdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryDirectory } from '../../../test/kit/temporary.ts'
import { until } from '../../../test/kit/until.ts'
import { type LogPlace, type Rotation, rotateLog } from './log-files.ts'
import { type ReadLogOptions, readLog } from './log-reader.ts'

const TIME = '2026-01-01T00:00:00.000000001+00:00'
const records = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => `${TIME} stdout F line ${from + index}\n`).join('')

interface Log {
  place: LogPlace
  write(from: number, to: number): Promise<void>
  /** As the monitor does it. */
  monitor: Pick<Rotation, 'reopen' | 'isWritten'>
  numbers(options?: ReadLogOptions): Promise<number[]>
}

function logIn(directory: string): Log {
  const place = { path: join(directory, 'log'), lock: join(directory, 'lock') }
  return {
    place,
    write: (from, to) => appendFile(place.path, records(from, to)),
    monitor: {
      async reopen() {
        await writeFile(`${place.path}.tmp`, '')
        await rename(`${place.path}.tmp`, place.path)
      },
      isWritten: () => true,
    },
    async numbers(options) {
      const found: number[] = []
      for await (const { bytes } of readLog(place, options))
        found.push(Number(/line (\d+)/.exec(Buffer.from(bytes).toString())?.[1]))
      return found
    },
  }
}

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => from + index)

test('a log above its limit is put aside in files of that size, whole lines, the newest ones; below it nothing happens', async () => {
  await using directory = await temporaryDirectory('bale-log')
  const log = logIn(directory.path)
  const limits = { maxSize: 1000, maxFiles: 3 }
  await log.write(0, 10)
  assert.equal(await rotateLog(log.place, { limits, ...log.monitor }), false)
  await log.write(10, 200)
  assert.equal(await rotateLog(log.place, { limits, ...log.monitor }), true)
  const files = (await readdir(directory.path)).filter((name) => name !== 'lock').sort()
  assert.equal(files.length, 3)
  for (const file of files.slice(1)) {
    const text = await readFile(join(directory.path, file), 'utf8')
    assert.ok(text.length <= limits.maxSize && text.startsWith(TIME) && text.endsWith('\n'), file)
  }
  const kept = await log.numbers()
  assert.deepEqual(kept, range(kept[0]!, 200), 'without a gap up to the last one')
  assert.ok(kept.length > 30)
  await log.write(200, 205)
  assert.deepEqual(await log.numbers({ tail: 8 }), range(197, 205), 'the last lines over two files')
  await log.write(205, 240)
  await rotateLog(log.place, { limits, ...log.monitor })
  const later = await log.numbers()
  assert.deepEqual(later, range(later[0]!, 240))
  assert.ok((await readdir(directory.path)).filter((name) => name.startsWith('log.')).length <= 2)
})

test('one file in all still keeps the last lines', async () => {
  await using directory = await temporaryDirectory('bale-log')
  const log = logIn(directory.path)
  await log.write(0, 100)
  await rotateLog(log.place, { limits: { maxSize: 1000, maxFiles: 1 }, ...log.monitor })
  const kept = await log.numbers()
  assert.ok(kept.length > 10)
  assert.equal(kept.at(-1), 99)
})

test('a rotation that was killed at any point is finished later: no line twice, none lost', async () => {
  const limits = { maxSize: 1000, maxFiles: 10 }
  const states: ((log: Log) => Promise<void>)[] = [
    // The file has another name, and the monitor has not been asked yet.
    async ({ place }) => rename(place.path, `${place.path}.rotating`),
    // The monitor writes a new one, and half of the pieces are there.
    async ({ place, monitor }) => {
      await rename(place.path, `${place.path}.rotating`)
      await monitor.reopen()
      await writeFile(`${place.path}.cut.0`, records(0, 10))
    },
    // The pieces are there and have no names yet.
    async ({ place, monitor }) => {
      await writeFile(`${place.path}.cut.0`, records(0, 15))
      await writeFile(`${place.path}.cut.1`, records(15, 30))
      await monitor.reopen()
    },
  ]
  for (const [index, state] of states.entries()) {
    await using directory = await temporaryDirectory('bale-log')
    const log = logIn(directory.path)
    await log.write(0, 30)
    await state(log)
    assert.deepEqual(await log.numbers(), range(0, 30), `state ${index}, before`)
    // A monitor that is gone: nobody writes any more.
    await rotateLog(log.place, { limits, ...log.monitor, isWritten: () => false })
    assert.deepEqual(await log.numbers(), range(0, 30), `state ${index}, after`)
    assert.deepEqual(
      (await readdir(directory.path)).filter((name) => /rotating|cut/.test(name)),
      [],
    )
  }
})

test('whoever follows sees each line once while the log is rotated again and again', async () => {
  await using directory = await temporaryDirectory('bale-log')
  const log = logIn(directory.path)
  await log.write(0, 5)
  let ended = false
  // The reader asks for the end once per turn, before it reads.
  let turns = 0
  const following = log.numbers({ follow: { ended: async () => ++turns > 0 && ended } })
  for (let at = 5; at < 505; at += 50) {
    await log.write(at, at + 50)
    await rotateLog(log.place, { limits: { maxSize: 800, maxFiles: 50 }, ...log.monitor })
    // Every second time the reader sees this state of the files, in between it may miss one.
    const before = turns
    if (at % 100 !== 5) await until('the reader has looked', () => turns >= before + 2)
  }
  ended = true
  assert.deepEqual(await following, range(0, 505))
})
