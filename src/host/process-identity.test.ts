import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { isAlive, isVisible, lifeOf, type ProcessIdentity, processIdentity, thisProcess } from './process-identity.ts'

const root = process.getuid?.() === 0 ? false : 'needs root'

test('a process is told from a later one of its number, from an earlier boot, and from nothing', () => {
  const self = thisProcess()
  assert.deepEqual(self, processIdentity(process.pid))
  assert.equal(lifeOf(self), 'alive')
  assert.equal(lifeOf({ ...self, startTime: self.startTime - 1 }), 'dead')
  assert.equal(lifeOf({ ...self, boot: 'another' }), 'dead')
  assert.equal(lifeOf({ ...self, boot: 'another', namespace: 'pid:[1]' }), 'dead', 'after a reboot nothing is unknown')
  assert.equal(lifeOf({ ...self, startTime: undefined }), 'alive', 'whatever has the number')
  assert.equal(lifeOf({ pid: self.pid, startTime: self.startTime }), 'alive', 'as 0.1 wrote it')
  assert.equal(isVisible({ ...self, namespace: 'pid:[1]' }), false)
})

/** Prints what a process of a new pid namespace finds out about this one, then who it is, and waits for the end of its input. */
const INSIDE = `
import { isAlive, lifeOf, sendSignal, thisProcess } from '#host'
const other = JSON.parse(process.argv[1])
console.log(JSON.stringify({ life: lifeOf(other), alive: isAlive(other), signalled: sendSignal(other, 'SIGKILL'), self: thisProcess() }))
process.stdin.resume()`

test('of another pid namespace: unknown from inside, which is alive, and never signalled; known from outside', {
  skip: root,
}, async () => {
  const flags = ['--conditions=source', '--disable-warning=ExperimentalWarning', '--input-type=module-typescript']
  const child = spawn(
    'unshare',
    ['-p', '-f', '--mount-proc', process.execPath, ...flags, '-e', INSIDE, JSON.stringify(thisProcess())],
    { stdio: ['pipe', 'pipe', 'inherit'], cwd: import.meta.dirname },
  )
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  const { self, ...found } = JSON.parse(line.toString()) as { self: ProcessIdentity }
  assert.deepEqual(found, { life: 'unknown', alive: true, signalled: false })
  assert.equal(isVisible(self), false)
  assert.equal(lifeOf(self), 'alive', 'seen from outside')
  assert.notEqual(lifeOf({ ...self, startTime: self.startTime - 1 }), 'alive')
  child.stdin.end()
  await once(child, 'close')
  const expected = processIdentity(process.pid)!.namespace === 'pid:[4026531836]' ? 'dead' : 'unknown'
  assert.equal(lifeOf(self), expected, 'after its end')
  assert.equal(isAlive(self), expected === 'unknown')
})
