import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cannotRunContainers } from '../../../test/kit/busybox-rootfs.ts'
import { type ContainerMachine, containerMachine } from '../../../test/kit/container-machine.ts'
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

test('exec: why a program cannot be started is always told', { skip }, async () => {
  await using machine = await containerMachine()
  const id = await sleeper(machine)
  for (let turn = 1; turn <= 20; turn++)
    await assert.rejects(
      execContainer(machine.machinery, id, { args: ['/no/such/program'], stdin: true }),
      { code: 'COMMAND_NOT_FOUND', message: /\/no\/such\/program/ },
      `turn ${turn}`,
    )
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
