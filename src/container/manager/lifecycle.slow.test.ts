import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { disposable, isBaleError } from '#base'
import { isAlive } from '#host'
import { cannotRunContainers } from '../../../test/kit/busybox-rootfs.ts'
import { type ContainerMachine, containerMachine } from '../../../test/kit/container-machine.ts'
import { until } from '../../../test/kit/until.ts'
import { pathsOf } from '../state/machinery.ts'
import { findContainer, see, seeAll, seeContainer, updateState } from '../state/state.ts'
import { execContainer } from './exec.ts'
import { containerLog } from './output.ts'
import { pruneContainers, removeContainer } from './remove.ts'
import { startContainer } from './start.ts'
import { killContainer, pauseContainer, stopContainer, unpauseContainer } from './stop.ts'
import { sweepContainers } from './sweep.ts'
import { exitOf, waitContainer } from './wait.ts'

const skip = cannotRunContainers()
/** Generous: a machine may be busy, but nothing here may hang. */
const timeout = 240_000

/** Nothing of a container is left on the machine but its record and its own layer. */
function assertNothingRuns(machine: ContainerMachine, id: string): void {
  const { run } = machine.store
  assert.equal(existsSync(pathsOf(machine.machinery, id).bundle), false, 'bundle')
  assert.deepEqual(
    ['runtime', 'netns', 'network/requests', 'rootfs'].flatMap((name) =>
      existsSync(join(run, name)) ? readdirSync(join(run, name)) : [],
    ),
    [],
  )
  assert.equal(existsSync(`/sys/fs/cgroup/pids/bale/${id}`), false, 'cgroup')
}

test('a container gives its output and exit code, keeps its log, and leaves nothing when it is removed', {
  skip,
}, async () => {
  await using machine = await containerMachine()
  const { machinery } = machine
  const ran = await machine.run(
    machine.options(['sh', '-c', 'echo out; echo err >&2; echo "$0 $A"; exit 4'], { env: ['A=b'] }),
  )
  assert.deepEqual({ ...ran, id: '' }, { id: '', code: 4, stdout: 'out\nsh b\n', stderr: 'err\n' })
  assert.equal((await seeContainer(machinery, ran.id)).status, 'exited', 'seen before anybody cleaned up')
  await machine.cleanup(ran.id)
  const { state } = await seeContainer(machinery, ran.id.slice(0, 8))
  assert.equal(state.exitCode, 4)
  assertNothingRuns(machine, ran.id)
  let log = ''
  for await (const { stream, bytes } of containerLog(machinery, ran.id)) log += `${stream}:${Buffer.from(bytes)}`
  assert.match(log, /stdout:out\n/)
  assert.match(log, /stderr:err\n/)
  await removeContainer(machinery, ran.id)
  assert.equal(existsSync(pathsOf(machinery, ran.id).directory), false)
  assert.deepEqual(await seeAll(machinery), [])
})

test("rm deletes the container's own layer and nothing else: the image's bytes stay", { skip, timeout }, async () => {
  await using machine = await containerMachine()
  const digests = () =>
    readdirSync(join(machine.store.root, 'layers-v1'), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) =>
        createHash('sha256')
          .update(readFileSync(join(entry.parentPath, entry.name)))
          .digest('hex'),
      )
      .sort()
  const before = digests()
  assert.ok(before.length > 0)
  const { id, code } = await machine.run(machine.options(['sh', '-c', 'rm -rf /etc /bin/ls; echo x > /bin/busybox2']))
  assert.equal(code, 0)
  await removeContainer(machine.machinery, id)
  assert.deepEqual(digests(), before)
})

test('a command that is missing or cannot be run fails with its own code, and everything is undone', {
  skip,
}, async () => {
  await using machine = await containerMachine()
  for (const [command, code] of [
    ['no-such-program', 'COMMAND_NOT_FOUND'],
    ['/etc', 'COMMAND_NOT_EXECUTABLE'],
  ] as const) {
    const { id } = await machine.create(machine.options([command]))
    await assert.rejects(machine.start(id), (error) => isBaleError(error, code))
    const { status, state } = await seeContainer(machine.machinery, id)
    assert.equal(status, 'created')
    assert.equal(state.exitCode, code === 'COMMAND_NOT_FOUND' ? 127 : 126)
    assertNothingRuns(machine, id)
  }
})

test('a start or exec that fails while its monitor waits leaves no monitor', { skip, timeout }, async () => {
  await using machine = await containerMachine()
  const { lifecycle } = machine.containers
  const monitorsOf = (id: string) =>
    spawnSync('pgrep', ['-f', `conmon .*${id}`], { encoding: 'utf8' })
      .stdout.split('\n')
      .filter(Boolean)
  // The user is looked up when the root file system is there: later than the monitor is started.
  const { id } = await machine.create(machine.options(['true'], { user: 'nobody-here' }))
  await assert.rejects(lifecycle.start(id), /nobody-here/)
  await until('its monitor is gone', () => monitorsOf(id).length === 0)
  assertNothingRuns(machine, id)
  const running = await machine.create(machine.options(['sleep', '1000']))
  await machine.start(running.id)
  const failing = {
    ...machine.machinery,
    store: { ...machine.store, events: { ...machine.store.events, add: () => Promise.reject(new Error('no room')) } },
  }
  await assert.rejects(execContainer(failing, running.id, { args: ['true'] }), /no room/)
  await until('only its own monitor is left', () => monitorsOf(running.id).length === 1)
})

test('stdin, output of any size and a slow reader: nothing is lost', { skip, timeout }, async () => {
  await using machine = await containerMachine()
  const { machinery } = machine
  const { id } = await machine.create(machine.options(['cat'], { openStdin: true, stdinOnce: true }))
  const { attach, monitored } = await startContainer(machinery, id, { attach: true })
  const sent = Buffer.alloc(500_000, 'abcdefghij\n')
  const writing = attach!.write(sent).then(() => attach!.endInput())
  const received: Uint8Array[] = []
  for await (const { bytes } of attach!.output()) {
    received.push(bytes)
    // A pause of the reader: the writer has long filled every buffer between them.
    if (received.length === 3) await new Promise((resolve) => setTimeout(resolve, 100))
  }
  await writing
  assert.ok(Buffer.concat(received).equals(sent))
  assert.equal(await exitOf(machinery, id, monitored!.monitor), 0)
})

test('a terminal has the size it is given, also later', { skip, timeout }, async () => {
  await using machine = await containerMachine()
  const { id } = await machine.create(
    machine.options(['sh', '-c', 'trap "stty size; exit 3" WINCH; stty size; while :; do sleep 0.05; done'], {
      tty: true,
    }),
  )
  const { attach, monitored } = await startContainer(machine.machinery, id, {
    attach: true,
    size: { rows: 31, columns: 91 },
  })
  let text = ''
  for await (const { stream, bytes } of attach!.output()) {
    assert.equal(stream, 'stdout')
    text += Buffer.from(bytes).toString()
    if (text === '31 91\r\n') await attach!.resize({ rows: 20, columns: 40 })
  }
  assert.equal(text, '31 91\r\n20 40\r\n')
  assert.equal(await exitOf(machine.machinery, id, monitored!.monitor), 3)
})

test('exec: environment, user, directory, stdin and exit code; 127 for a missing program', {
  skip,
  timeout,
}, async () => {
  await using machine = await containerMachine()
  const { machinery } = machine
  const { id } = await machine.create(machine.options(['sleep', '1000'], { env: ['A=1'] }))
  await machine.start(id)
  const running = await execContainer(machinery, id, {
    args: ['sh', '-c', 'echo "$A $B $(id -un) $(pwd)"; cat; exit 5'],
    env: ['B=2'],
    user: 'user',
    workingDir: '/tmp',
    stdin: true,
  })
  await running.attach!.write(Buffer.from('typed\n'))
  running.attach!.endInput()
  let text = ''
  for await (const { bytes } of running.attach!.output()) text += Buffer.from(bytes).toString()
  assert.equal(text, '1 2 user /tmp\ntyped\n')
  assert.equal(await running.exit(), 5)
  await running[Symbol.asyncDispose]()
  await assert.rejects(execContainer(machinery, id, { args: ['nope'] }), (error) =>
    isBaleError(error, 'COMMAND_NOT_FOUND'),
  )
  await assert.rejects(execContainer(machinery, id, { args: ['id'], user: 'nobody-knows' }), /unable to find user/)
  await pauseContainer(machinery, id)
  await assert.rejects(execContainer(machinery, id, { args: ['id'] }), /is paused/)
  await unpauseContainer(machinery, id)
  await removeContainer(machinery, id, { force: true })
  assert.deepEqual(readdirSync(join(machine.store.run, 'x')), [], 'nothing of an exec is left')
})

test('a paused container makes no progress from then on, and goes on where it was', { skip, timeout }, async () => {
  await using machine = await containerMachine()
  const { machinery } = machine
  // Processes that are being born make the old freezer slow.
  const script = 'while :; do /bin/true; echo x >> /count; done'
  const { id } = await machine.create(machine.options(['sh', '-c', script]))
  await machine.start(id)
  const count = join(pathsOf(machinery, id).upper, 'count')
  const size = () => (existsSync(count) ? statSync(count).size : 0)
  for (let round = 0; round < 10; round++) {
    const before = size()
    await until('it makes progress', () => size() > before)
    await pauseContainer(machinery, id)
    const paused = size()
    assert.equal((await seeContainer(machinery, id)).status, 'paused')
    // Another program gets turns enough meanwhile.
    for (let turn = 0; turn < 10; turn++) spawnSync('/bin/true')
    assert.equal(size(), paused)
    await unpauseContainer(machinery, id)
  }
  await removeContainer(machinery, id, { force: true })
})

test('stop asks, then kills; a stopped container starts again with its files', { skip, timeout }, async () => {
  await using machine = await containerMachine()
  const { machinery } = machine
  const polite = await machine.create(
    machine.options([
      'sh',
      '-c',
      'trap "exit 7" TERM; echo $(( $(cat /n || echo 0) + 1 )) > /n; while :; do sleep 0.05; done',
    ]),
  )
  // Written behind the trap.
  const written = join(pathsOf(machinery, polite.id).upper, 'n')
  const starts = () => (existsSync(written) ? readFileSync(written, 'utf8') : '')
  await machine.start(polite.id)
  await until('it can be asked', () => starts() === '1\n')
  await stopContainer(machinery, polite.id)
  assert.equal((await seeContainer(machinery, polite.id)).state.exitCode, 7)
  await machine.start(polite.id)
  await until('it has started with its files', () => starts() === '2\n')
  await stopContainer(machinery, polite.id)
  const stubborn = await machine.create(machine.options(['sleep', '1000']))
  await machine.start(stubborn.id)
  await stopContainer(machinery, stubborn.id, { timeout: 0.1 })
  assert.equal((await seeContainer(machinery, stubborn.id)).state.exitCode, 137)
  await assert.rejects(killContainer(machinery, stubborn.id), (error) => isBaleError(error, 'CONTAINER_NOT_RUNNING'))
  assert.equal(await stopContainer(machinery, stubborn.id), false, 'stopping twice is no failure')
})

test("names: one container each, in docker's words; --rm frees its name at once", { skip, timeout }, async () => {
  await using machine = await containerMachine()
  const { machinery } = machine
  const named = (host: object = { network: 'none' }) => ({ ...machine.options(['true'], {}, host), name: 'web' })
  const first = await machine.run(named({ network: 'none', autoRemove: true }))
  assert.equal(first.code, 0)
  const second = await machine.create(named())
  await assert.rejects(machine.create(named()), {
    message: `Conflict. The container name "/web" is already in use by container "${second.id}". You have to remove (or rename) that container to be able to reuse that name.`,
  })
  await machine.cleanup(first.id)
  await assert.rejects(findContainer(machinery, first.id), (error) => isBaleError(error, 'CONTAINER_NOT_FOUND'))
  assert.equal((await findContainer(machinery, '/web')).id, second.id)
  await assert.rejects(machine.create({ ...named(), name: 'not a name' }), /Invalid container name/)
})

test('ps shows the real state when the monitor was killed, and the container can be removed', {
  skip,
  timeout,
}, async () => {
  await using machine = await containerMachine()
  const { machinery } = machine
  const { id } = await machine.create(machine.options(['sleep', '1000']))
  const { monitored } = await machine.start(id)
  process.kill(monitored!.monitor.pid, 'SIGKILL')
  await until('its monitor is dead', () => isAlive(monitored!.monitor) === false)
  assert.equal((await seeContainer(machinery, id)).status, 'running', 'it runs on without its monitor')
  process.kill(monitored!.process.pid, 'SIGKILL')
  await until('its end is seen', async () => (await seeContainer(machinery, id)).status !== 'running')
  const seen = await seeContainer(machinery, id)
  assert.equal(seen.status, 'exited')
  assert.match(seen.state.error ?? '', /exit code is lost/)
  await sweepContainers(machinery)
  assertNothingRuns(machine, id)
  assert.equal((await findContainer(machinery, id)).document.state.status, 'exited')
})

test('a prune spares a container that its maker is about to start, until that process is gone', {
  skip,
  timeout,
}, async () => {
  await using machine = await containerMachine()
  const { lifecycle } = machine.containers
  const { id } = await lifecycle.create(machine.options(['true']), { keepMounted: true })
  assert.deepEqual((await lifecycle.prune()).ids, [])
  await updateState(machine.machinery, id, (state) => ({ ...state, owner: { pid: process.pid, startTime: 1 } }))
  assert.deepEqual((await lifecycle.prune()).ids, [id])
})

test('a prune passes over what is started or removed while it works', { skip, timeout }, async () => {
  await using machine = await containerMachine()
  const { machinery } = machine
  const [started, removed, idle] = [
    await machine.create(machine.options(['sleep', '1000'])),
    await machine.create(machine.options(['true'])),
    await machine.create(machine.options(['true'])),
  ]
  // The list that the prune began with.
  const listed = await machinery.records.containers.list()
  const { containers } = machinery.records
  const outdated = {
    ...{ list: async () => listed, find: containers.find.bind(containers), update: containers.update.bind(containers) },
    ...{ add: containers.add.bind(containers), remove: containers.remove.bind(containers) },
  }
  await machine.start(started.id)
  await removeContainer(machinery, removed.id)
  const late = { ...machinery, records: { ...machinery.records, containers: { ...containers, ...outdated } } }
  assert.deepEqual((await pruneContainers(late)).ids, [idle.id])
  assert.equal((await seeContainer(machinery, started.id)).status, 'running')
})

test('a container that was created but whose creator died is deleted, never started', { skip, timeout }, async () => {
  await using machine = await containerMachine()
  const { machinery } = machine
  const { id } = await machine.create(machine.options(['sh', '-c', 'echo started > /mark; sleep 1000']))
  // The start is stopped just before its last step, as a kill -9 would.
  const runtime = await machinery.runtime()
  const killed = Promise.withResolvers<void>()
  const stuck = { ...runtime, start: () => killed.promise }
  const starting = startContainer({ ...machinery, runtime: async () => stuck }, id)
  const ended = assert.rejects(starting, /killed/)
  // This process lives on: what its dead half holds, the lock's file, is given back at the end.
  await using _ = disposable(async () => {
    killed.reject(new Error('killed'))
    await ended
  })
  const paths = pathsOf(machinery, id)
  const record = () => findContainer(machinery, id)
  await until('its last step is reached', async () => (await record()).document.state.status === 'running')
  writeFileSync(paths.starting, JSON.stringify({ pid: process.pid, startTime: 1 }))
  assert.equal((await see(machinery, await record())).status, 'created')
  assert.equal(existsSync(join(paths.upper, 'mark')), false)
  assert.equal((await runtime.state(id))?.status, 'created')
  // The lock would have died with its owner as well.
  await rm(paths.lock)
  await machine.cleanup(id)
  assert.equal(await runtime.state(id), undefined)
  assertNothingRuns(machine, id)
  await machine.start(id)
  assert.equal((await seeContainer(machinery, id)).status, 'running')
})

test('restart policies: on-failure counts, stop ends it', { skip, timeout }, async () => {
  await using machine = await containerMachine()
  const { machinery } = machine
  const failing = await machine.run(
    machine.options(
      ['sh', '-c', 'exit 3'],
      {},
      { network: 'none', restart: { name: 'on-failure', maximumRetryCount: 1 } },
    ),
  )
  await machine.cleanup(failing.id)
  assert.equal(await waitContainer(machinery, failing.id), 3)
  await machine.cleanup(failing.id)
  const { state, status } = await seeContainer(machinery, failing.id)
  assert.deepEqual([status, state.restartCount], ['exited', 1])
  const always = await machine.create(
    machine.options(['sleep', '1000'], {}, { network: 'none', restart: { name: 'always' } }),
  )
  await machine.start(always.id)
  await stopContainer(machinery, always.id, { timeout: 0 })
  await machine.cleanup(always.id)
  assert.equal((await seeContainer(machinery, always.id)).status, 'exited')
})
