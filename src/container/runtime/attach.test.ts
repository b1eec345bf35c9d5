import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { ProgressEvent } from '#base'
import { processSockets } from '#host'
import { temporaryDirectory } from '../../../test/kit/temporary.ts'
import { until } from '../../../test/kit/until.ts'
import { attachAhead } from './attach.ts'

const skip = !existsSync('/usr/bin/perl') && 'needs perl for a monitor that does not accept connections'

/** Listens as a monitor does. Told to `take`, it accepts a client, and at the next word writes to it and exits; at any other first word it exits. */
const MONITOR = `
use Socket; $| = 1;
socket(my $server, PF_UNIX, 5, 0); bind($server, sockaddr_un($ARGV[0])); listen($server, 10);
print "ready\\n";
if (<STDIN> eq "take\\n") { accept(my $client, $server); <STDIN>; send($client, "\\x02written", 0) }`

interface Monitor extends AsyncDisposable {
  pid: number
  say(word: string): void
}

async function monitor(directory: string): Promise<Monitor> {
  const process = spawn('perl', ['-e', MONITOR, join(directory, 'attach')], { stdio: ['pipe', 'pipe', 'inherit'] })
  const closed = once(process, 'close')
  await once(process.stdout, 'data')
  return {
    pid: process.pid!,
    say: (word) => void process.stdin.write(`${word}\n`),
    async [Symbol.asyncDispose]() {
      process.kill()
      await closed
    },
  }
}

test('a connection counts as taken when the monitor has accepted it, not when it is queued; a long wait is reported', {
  skip,
}, async () => {
  await using directory = await temporaryDirectory('bale-attach')
  await using place = await monitor(directory.path)
  const { pid, say } = place
  const before = processSockets(pid).length
  const told: ProgressEvent[] = []
  const { session, taken } = attachAhead(directory.path, pid)
  let isTaken = false
  const waiting = taken({ progress: (event) => void told.push(event) }).then(() => {
    isTaken = true
  })
  await until('the wait is told', () => told.length > 0)
  assert.equal(isTaken, false, 'it is only queued')
  assert.deepEqual(told, [{ kind: 'waiting', what: 'the monitor of the container' }])
  say('take')
  await waiting
  assert.equal(processSockets(pid).length, before + 1)
  say('write')
  const seen: string[] = []
  for await (const { stream, bytes } of session.output()) seen.push(`${stream} ${Buffer.from(bytes)}`)
  assert.deepEqual(seen, ['stdout written'])
})

test('the wait ends when the monitor exits without accepting, and when the caller gives up', { skip }, async () => {
  await using directory = await temporaryDirectory('bale-attach')
  await using ending = await monitor(directory.path)
  const first = attachAhead(directory.path, ending.pid)
  ending.say('end')
  await first.taken({})
  for await (const _ of first.session.output()) assert.fail('nothing was written')
  assert.deepEqual(processSockets(ending.pid), [])

  await using other = await temporaryDirectory('bale-attach')
  await using busy = await monitor(other.path)
  const { session, taken } = attachAhead(other.path, busy.pid)
  const giveUp = new AbortController()
  const waiting = taken({ signal: giveUp.signal })
  giveUp.abort()
  await assert.rejects(waiting, { name: 'AbortError' })
  session.close()
})
