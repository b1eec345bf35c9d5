import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, constants, openSync, readSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { temporaryDirectory } from '../../../test/kit/temporary.ts'

/** A program that writes numbered lines in the way of the command line, and what went wrong to standard error. */
const PROGRAM = `
import { once } from 'node:events'
import { openOutput, say, written } from ${JSON.stringify(new URL('./output.ts', import.meta.url).href)}
const failed = []
const output = openOutput('stdout', (error) => failed.push(error.code))
for (let number = 0; number < Number(process.argv[2]) && failed.length === 0; number++) {
  if (!output.write(String(number).padStart(99) + '\\n')) await once(output.stream, 'drain')
}
await written()
say(failed.join(), 'stderr')
process.exit(0)
`

async function program(lines: number, stdout: number | 'pipe') {
  const place = await temporaryDirectory()
  writeFileSync(join(place.path, 'program.mts'), PROGRAM)
  const args = ['--conditions=source', join(place.path, 'program.mts'), String(lines)]
  const child = spawn(process.execPath, args, { stdio: ['ignore', stdout, 'pipe'] })
  const [complaints, ended] = [[] as Buffer[], once(child, 'close')]
  child.stderr!.on('data', (bytes: Buffer) => complaints.push(bytes))
  return {
    child,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await place[Symbol.asyncDispose]()
    },
    async ended() {
      const [code] = await ended
      return [code, complaints.join('')]
    },
  }
}

test('a slow reader gets all of it, also when the pipe does not block', async () => {
  await using place = await temporaryDirectory()
  const fifo = join(place.path, 'fifo')
  execFileSync('mkfifo', [fifo])
  const reader = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK)
  const writer = openSync(fifo, constants.O_WRONLY | constants.O_NONBLOCK)
  await using under = await program(10_000, writer)
  closeSync(writer)
  let text = ''
  const chunk = Buffer.alloc(100_000)
  for (let isOpen = true; isOpen; await sleep(5)) {
    try {
      const size = readSync(reader, chunk)
      text += chunk.toString('utf8', 0, size)
      isOpen = size > 0 || under.child.exitCode === null
    } catch (error) {
      assert.equal((error as NodeJS.ErrnoException).code, 'EAGAIN')
    }
  }
  closeSync(reader)
  assert.deepEqual(await under.ended(), [0, ''])
  const lines = text.split('\n').slice(0, -1)
  assert.deepEqual([lines.length, lines.findIndex((line, number) => Number(line) !== number)], [10_000, -1])
})

test('a reader that goes away is told, as is a full device', async () => {
  await using piped = await program(100_000, 'pipe')
  piped.child.stdout!.once('data', () => piped.child.stdout!.destroy())
  assert.deepEqual(await piped.ended(), [0, 'EPIPE'])
  const full = openSync('/dev/full', 'w')
  await using under = await program(1, full)
  closeSync(full)
  assert.deepEqual(await under.ended(), [0, 'ENOSPC'])
})
