import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { isBaleError } from '#base'
import { findProgram, runProgram, sendSignal, signalNumber } from './process.ts'
import { isAlive, processIdentity } from './process-identity.ts'

const PATH = '/usr/sbin:/usr/bin:/sbin:/bin'

test('a program gets its input and environment and gives back its output and exit code', async () => {
  const result = await runProgram('/bin/sh', ['-c', 'read line; echo "$line $WORD"; echo no >&2; exit 3'], {
    input: 'hello\n',
    env: { WORD: 'world', PATH },
  })
  assert.deepEqual(result, { code: 3, stdout: 'hello world\n', stderr: 'no\n' })
  assert.equal((await runProgram('/bin/sh', ['-c', 'kill -TERM $$'])).code, 143)
})

test('a program that ends without reading its input is judged by its exit code', async () => {
  const result = await runProgram('/bin/true', [], { input: 'x'.repeat(1 << 20) })
  assert.equal(result.code, 0)
})

test('an aborted program is killed, a missing one is named', async () => {
  const control = new AbortController()
  const running = runProgram('/bin/sleep', ['30'], { signal: control.signal })
  control.abort(new Error('enough'))
  await assert.rejects(running, /enough/)
  await assert.rejects(runProgram('/no/such/program', []), (error) => isBaleError(error, 'UNSUPPORTED_HOST'))
  assert.equal(findProgram('sh', PATH), '/usr/bin/sh')
  assert.equal(findProgram('no-such-program', PATH), undefined)
})

test('a process is known by pid and start time, and a zombie is not alive', async () => {
  const child = spawn('/bin/sleep', ['30'])
  const identity = processIdentity(child.pid!)
  assert.ok(identity && isAlive(identity))
  assert.equal(isAlive({ ...identity, startTime: identity.startTime + 1 }), false)
  assert.equal(sendSignal(identity, 'SIGKILL'), true)
  await once(child, 'exit')
  assert.equal(sendSignal(identity, 'SIGKILL'), false)
})

test('signals are read as names and numbers, and unknown ones are refused', () => {
  assert.deepEqual(['TERM', 'sigkill', '2', 'RTMIN+3', 'RTMAX-1'].map(signalNumber), [15, 9, 2, 37, 63])
  for (const bad of ['', 'NOPE', '0', '65', 'RTMIN+99']) assert.throws(() => signalNumber(bad), /invalid signal/)
})
