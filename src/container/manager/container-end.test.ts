import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { readTextSync } from '#host/file'
import { temporaryDirectory } from '../../../test/kit/temporary.ts'
import { until } from '../../../test/kit/until.ts'
import type { Container } from '../model/index.ts'
import type { Machinery } from '../state/index.ts'
import { endCommand, LINGER_MILLISECONDS, leaveContainerAlone } from './container-end.ts'

/** Milliseconds: longer than any step of the command except its waits. */
const SHORT = 700

/** A store that consists of files only. Instead of cleaning up, its command writes a line. */
async function ends() {
  const temporary = await temporaryDirectory('bale-end')
  const [root, run] = [join(temporary.path, 'root'), join(temporary.path, 'run')]
  mkdirSync(join(root, 'containers'), { recursive: true })
  mkdirSync(run)
  writeFileSync(join(root, 'bale.db'), '')
  const told = join(temporary.path, 'told')
  writeFileSync(told, '')
  const selfCommand = ['/bin/sh', '-c', `shift 2; echo "$@" >> ${told}`, 'bale']
  const machinery = { store: { root, run }, selfCommand } as unknown as Machinery
  const running: { pid?: number; ended: Promise<unknown> }[] = []
  return {
    machinery,
    lines: () => readTextSync(told).split('\n').filter(Boolean),
    bundle: (id: string) => join(run, 'c', id.slice(0, 16)),
    database: join(root, 'bale.db'),
    /** A container whose process has ended, with everything that its starter has yet to remove. */
    container(id: string, restart?: string): Container {
      mkdirSync(join(run, 'c', id.slice(0, 16)), { recursive: true })
      mkdirSync(join(root, 'containers', id))
      return { id, document: { host: restart ? { restart: { name: restart } } : {} } } as unknown as Container
    },
    /** What the starter does last. */
    cleanUp: (id: string) => rmSync(join(root, 'containers', id), { recursive: true }),
    monitor(command: readonly string[], starter?: number) {
      const args = command.map((one) => (one === `${process.pid}` && starter ? `${starter}` : one))
      const child = spawn(args[0]!, args.slice(1), { stdio: ['ignore', 'ignore', 'inherit'] })
      const ended = once(child, 'exit')
      running.push({ pid: child.pid, ended })
      return ended
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(running.map(({ ended }) => ended))
      await temporary[Symbol.asyncDispose]()
    },
  }
}

const [A, B] = ['a'.repeat(64), 'b'.repeat(64)]

test('end: while the starter waits, its monitor does nothing; when it leaves, the monitor cleans up at once', async () => {
  await using under = await ends()
  const command = endCommand(under.machinery, under.container(A), true)!
  const ended = under.monitor(command)
  await sleep(SHORT)
  assert.deepEqual(under.lines(), [])
  await leaveContainerAlone(under.machinery, A)
  await ended
  assert.deepEqual(under.lines(), [`${A}`])
})

test('end: a starter that is gone, or is a zombie, waits no more', async () => {
  await using under = await ends()
  const gone = spawn('true')
  const zombie = spawn('/bin/sh', ['-c', 'sh -c "echo \\$\\$" & exec sleep 30'])
  await once(gone, 'exit')
  try {
    const [line] = (await once(zombie.stdout, 'data')) as [Buffer]
    const pid = Number(line.toString())
    await until('it is a zombie', () => /\) Z /.test(readTextSync(`/proc/${pid}/stat`)))
    for (const [id, starter] of [
      [A, gone.pid],
      [B, pid],
    ] as const)
      await under.monitor(endCommand(under.machinery, under.container(id), true)!, starter)
    assert.deepEqual(under.lines(), [A, B])
  } finally {
    zombie.kill()
  }
})

test('end: of what starters have cleaned up, one monitor does the rest, after the pause', async () => {
  await using under = await ends()
  const [first, second] = [A, B].map((id) => endCommand(under.machinery, under.container(id), true)!)
  const begun = performance.now()
  under.cleanUp(A)
  await leaveContainerAlone(under.machinery, A)
  const one = under.monitor(first!)
  await sleep(SHORT)
  under.cleanUp(B)
  await leaveContainerAlone(under.machinery, B)
  await Promise.all([one, under.monitor(second!)])
  assert.deepEqual(under.lines(), [`${B} --at-once`])
  assert.ok(performance.now() - begun >= LINGER_MILLISECONDS + SHORT)
  assert.equal(existsSync(under.bundle(A)), false, 'the directory goes where no clean-up comes for it')
})

test('end: what a starter that was killed left half-done is cleaned up at once, also when others end', async () => {
  await using under = await ends()
  const command = endCommand(under.machinery, under.container(A), true)!
  const begun = performance.now()
  await leaveContainerAlone(under.machinery, A)
  await under.monitor(command)
  // Killed when all but the record was removed.
  const other = endCommand(under.machinery, under.container(B), true)!
  under.cleanUp(B)
  const gone = spawn('true')
  await once(gone, 'exit')
  await under.monitor(other, gone.pid)
  assert.deepEqual(under.lines(), [A, B])
  assert.ok(performance.now() - begun < LINGER_MILLISECONDS)
  assert.ok(existsSync(under.bundle(A)) && existsSync(under.bundle(B)))
})

test('end: without a store, each monitor cleans up', async () => {
  await using under = await ends()
  const commands = [A, B].map((id) => endCommand(under.machinery, under.container(id), true)!)
  for (const id of [A, B]) {
    under.cleanUp(id)
    await leaveContainerAlone(under.machinery, id)
  }
  rmSync(under.database)
  const first = under.monitor(commands[0]!)
  await sleep(SHORT)
  await Promise.all([first, under.monitor(commands[1]!)])
  assert.deepEqual(under.lines().sort(), [`${A} --at-once`, `${B} --at-once`])
})

test('end: a detached container, and one that may be restarted, is up to its monitor alone', async () => {
  await using under = await ends()
  const plain = [...under.machinery.selfCommand, 'container', 'cleanup', A]
  const record = under.container(A)
  assert.deepEqual(endCommand(under.machinery, record, false), plain)
  assert.notDeepEqual(endCommand(under.machinery, record, true), plain)
  for (const policy of ['always', 'on-failure', 'unless-stopped'])
    assert.deepEqual(endCommand(under.machinery, under.container(policy, policy), true)?.slice(-2), ['cleanup', policy])
  assert.equal(endCommand({ ...under.machinery, selfCommand: [] }, record, true), undefined)
})
