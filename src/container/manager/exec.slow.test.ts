import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cannotRunContainers } from '../../../test/kit/busybox-rootfs.ts'
import { type ContainerMachine, containerMachine } from '../../../test/kit/container-machine.ts'
import { until } from '../../../test/kit/until.ts'
import type { AttachSession } from '../runtime/attach.ts'
import { execContainer } from './exec.ts'

const skip = cannotRunContainers()
const GONE = /EPIPE|ECONNRESET|ENOTCONN|ERR_STREAM_DESTROYED/

/** Sends more than any buffer on the way holds, until nobody takes it. */
async function flood(session: AttachSession): Promise<void> {
  const lines = Buffer.alloc(16 * 1024, 'line\n')
  try {
    for (let count = 0; count < 200; count++) await session.write(lines)
    session.endInput()
  } catch (error) {
    assert.match((error as { code?: string }).code ?? '', GONE)
  }
}

async function all(session: AttachSession): Promise<string> {
  let text = ''
  for await (const { stream, bytes } of session.output()) text += `${stream}:${Buffer.from(bytes)}`
  return text
}

async function sleeper(machine: ContainerMachine): Promise<string> {
  const { id } = await machine.create(machine.options(['sleep', '1000']))
  await machine.start(id)
  return id
}

test('exec: a process that ends before its input does gives all its output and its code, 50 times', {
  skip,
  timeout: 240_000,
}, async () => {
  await using machine = await containerMachine()
  const id = await sleeper(machine)
  for (let turn = 1; turn <= 50; turn++) {
    const args = ['sh', '-c', 'head -n 1; echo bad >&2; exit 3']
    await using running = await execContainer(machine.machinery, id, { args, stdin: true })
    const [text, code] = await Promise.all([all(running.attach!), running.exit(), flood(running.attach!)])
    assert.deepEqual([text, code], ['stdout:line\nstderr:bad\n', 3], `turn ${turn}`)
  }
})

test('exec: into a container that ends at this moment is into one that does not run', { skip }, async () => {
  await using machine = await containerMachine()
  const { machinery } = machine
  for (let round = 0; round < 15; round++) {
    const { id } = await machine.create(machine.options(['sleep', `0.${round % 3}5`]))
    await machine.start(id)
    let code: unknown
    while (code === undefined) {
      try {
        const running = await execContainer(machinery, id, { args: ['true'] })
        await running[Symbol.asyncDispose]()
      } catch (error) {
        code = (error as { code?: unknown }).code
      }
    }
    assert.ok(code === 'CONTAINER_NOT_RUNNING' || code === 'RUNTIME_FAILED', String(code))
  }
})

test('exec: a program that cannot be started is always reported with the reason', { skip }, async () => {
  await using machine = await containerMachine()
  const id = await sleeper(machine)
  for (let turn = 1; turn <= 20; turn++)
    await assert.rejects(
      execContainer(machine.machinery, id, { args: ['/no/such/program'], stdin: true }),
      { code: 'COMMAND_NOT_FOUND', message: /\/no\/such\/program/ },
      `turn ${turn}`,
    )
})

test('exec: its record says what was asked for and what became of it, and goes with the container', {
  skip,
}, async () => {
  await using machine = await containerMachine()
  const id = await sleeper(machine)
  const { exec, lifecycle } = machine.containers
  const args = ['sh', '-c', 'read line; exit 3']
  await using running = await exec.start(id, { args, stdin: true, user: '1:2', workingDir: '/tmp', env: ['A=b'] })
  const seen = await exec.find(running.id)
  assert.deepEqual([seen.running, seen.pid, seen.exitCode, seen.record.containerId], [true, running.pid, undefined, id])
  const { process } = seen.record
  assert.deepEqual([process.args, process.user, process.workingDir, process.tty], [args, '1:2', '/tmp', false])
  assert.ok(process.env.includes('A=b'))
  assert.deepEqual(await exec.running(id), [running.id])
  await Promise.all([running.attach!.write(Buffer.from('line\n')), all(running.attach!), running.exit()])
  const ended = await exec.find(running.id)
  assert.deepEqual([ended.running, ended.pid, ended.exitCode], [false, 0, 3])
  assert.deepEqual(await exec.running(id), [])
  await using alone = await exec.start(id, { args: ['sh', '-c', 'exit 4'], detach: true })
  const last = await until('it has ended', async () => {
    const found = await exec.find(alone.id)
    return found.exitCode === undefined ? undefined : found
  })
  assert.deepEqual([last.running, last.exitCode], [false, 4], 'the monitor of a detached one keeps its code')
  await assert.rejects(exec.start(id, { args: ['/no/such/program'] }), { code: 'COMMAND_NOT_FOUND' })
  await lifecycle.remove(id, { force: true })
  for (const one of [running.id, alone.id])
    await assert.rejects(exec.find(one), { code: 'EXEC_NOT_FOUND', message: `No such exec instance: ${one}` })
})

test('run -i: a container that ends before its input does gives all its output, 20 times', {
  skip,
  timeout: 240_000,
}, async () => {
  await using machine = await containerMachine()
  const more = { openStdin: true, stdinOnce: true, attachStdin: true }
  for (let turn = 1; turn <= 20; turn++) {
    const record = await machine.create(machine.options(['sh', '-c', 'head -n 1; echo bad >&2'], more))
    const { attach } = await machine.startAttached(record.id)
    const [text] = await Promise.all([all(attach), flood(attach)])
    assert.equal(text, 'stdout:line\nstderr:bad\n', `turn ${turn}`)
  }
})
