import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { closeSync, existsSync, openSync, statSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { test } from 'node:test'
import { isBaleError } from '#base'
import { readTextSync } from '#host/file'
import { busyboxRootfs } from '../../../test/kit/busybox-rootfs.ts'
import { until } from '../../../test/kit/until.ts'
import type { OciConfig } from '../spec/index.ts'
import type { Runtime } from './runtime.ts'

export interface RuntimeUnderTest extends AsyncDisposable {
  runtime: Runtime
  /** A directory of this test's own. */
  directory: string
}

/** What every low-level runtime promises to bale. Containers are made as the monitor makes them: `create --bundle`. */
export function runtimeContract(name: string, skip: string | false, create: () => Promise<RuntimeUnderTest>): void {
  const check = (title: string, body: (box: Box, runtime: Runtime) => Promise<void>) =>
    test(`${name}: ${title}`, { skip }, async () => {
      await using under = await create()
      await using box = await makeBox(under)
      await body(box, under.runtime)
    })

  check('a container is created, started, and stopped when its process has ended', async (box, runtime) => {
    await box.create(['sh', '-c', 'echo hello > /tmp/said'])
    const created = await runtime.state(box.id)
    assert.equal(created?.status, 'created')
    assert.ok(existsSync(`/proc/${created.pid}`), 'its first process waits')
    assert.equal(existsSync(join(box.root, 'tmp/said')), false, 'nothing of the image ran')
    await runtime.start(box.id)
    await box.is('stopped')
    assert.equal(readTextSync(join(box.root, 'tmp/said')), 'hello\n')
    await assert.rejects(runtime.start(box.id))
  })

  check('signals arrive by number; after the end the container does not run', async (box, runtime) => {
    // As the first process a shell does not hear what it has no trap for yet.
    await box.create(['sh', '-c', 'trap exit HUP; echo ready > /tmp/count; while :; do sleep 0.05; done'])
    await runtime.start(box.id)
    await box.grows()
    await box.is('running')
    await runtime.kill(box.id, 1)
    await box.is('stopped')
    await assert.rejects(runtime.kill(box.id, 15), (error) => isBaleError(error, 'CONTAINER_NOT_RUNNING'))
  })

  check('a running container is deleted by force alone; deleting is then success for ever', async (box, runtime) => {
    await box.create(['sleep', '1000'])
    await runtime.start(box.id)
    const { pid } = (await runtime.state(box.id))!
    await assert.rejects(runtime.delete(box.id))
    assert.equal((await runtime.state(box.id))?.status, 'running')
    await runtime.delete(box.id, { force: true })
    assert.equal(await runtime.state(box.id), undefined)
    await box.until(() => !existsSync(`/proc/${pid}`))
    await runtime.delete(box.id)
    await runtime.delete(box.id, { force: true })
  })

  check('limits are changed while the container runs', async (box, runtime) => {
    await box.create(['sleep', '1000'])
    await runtime.start(box.id)
    await runtime.update(box.id, { pids: { limit: 77 } })
    assert.equal(box.pidsLimit(), '77')
    await runtime.update(box.id, { pids: { limit: -1 }, cpu: { quota: -1, shares: 512 } })
    assert.equal(box.pidsLimit(), 'max')
    await runtime.update(box.id, { cpu: { quota: 50_000 } })
    assert.match(box.cpuQuota(), /^50000\b/)
    await runtime.update(box.id, { cpu: { quota: -1 } })
    assert.match(box.cpuQuota(), /^(-1|max)\b/)
  })

  check('a container that does not exist has no state, and every verb says so', async (_, runtime) => {
    const id = randomBytes(32).toString('hex')
    assert.equal(await runtime.state(id), undefined)
    const missing = (error: unknown) => isBaleError(error, 'CONTAINER_NOT_FOUND')
    await assert.rejects(runtime.kill(id, 9), missing)
    await assert.rejects(runtime.update(id, { pids: { limit: 5 } }), missing)
    await assert.rejects(runtime.start(id))
  })

  check('a command that cannot run is named by the error of create or start', async (box, runtime) => {
    const created = await box.tryCreate(['/no/such/program'])
    if (created.code !== 0) return assert.match(created.stderr, /no\/such\/program/)
    await assert.rejects(runtime.start(box.id), /no\/such\/program/)
  })
}

interface Box extends AsyncDisposable {
  id: string
  root: string
  /** The runtime's own answer: exit code and what it wrote to stderr. */
  tryCreate(command: string[]): Promise<{ code: number | null; stderr: string }>
  create(command: string[]): Promise<void>
  is(status: string): Promise<void>
  until(condition: () => boolean | Promise<boolean>): Promise<void>
  /** The file that the container writes to as its sign of life. */
  grows(): Promise<void>
  /** The limit of processes that its control group has. */
  pidsLimit(): string
  /** Its quota of CPU time, as its control group says it. */
  cpuQuota(): string
}

async function makeBox({ runtime, directory }: RuntimeUnderTest): Promise<Box> {
  const id = randomBytes(32).toString('hex')
  const bundle = join(directory, 'bundle')
  const root = join(bundle, 'rootfs')
  await mkdir(root, { recursive: true })
  await busyboxRootfs(root)
  const count = join(root, 'tmp/count')
  const becomes: Box['until'] = async (condition) => {
    await until('the container does as it is told', condition, { every: 5 })
  }
  const size = () => (existsSync(count) ? statSync(count).size : 0)
  const tryCreate: Box['tryCreate'] = async (command) => {
    await writeFile(join(bundle, 'config.json'), JSON.stringify(configOf(id, command)))
    // A file: the container's process holds it open, and a pipe would not end before the container does.
    const path = join(directory, 'stderr')
    const stderr = openSync(path, 'w')
    try {
      const [program, ...before] = runtime.creator
      const words = [...before, ...runtime.globalArguments, 'create', '--bundle', bundle, id]
      const { status } = spawnSync(program, words, { stdio: ['ignore', 'ignore', stderr] })
      return { code: status, stderr: readTextSync(path) }
    } finally {
      closeSync(stderr)
    }
  }
  return {
    id,
    root,
    until: becomes,
    tryCreate,
    async create(command) {
      assert.deepEqual(await tryCreate(command), { code: 0, stderr: '' })
    },
    is: (status) => becomes(async () => (await runtime.state(id))?.status === status),
    grows: () => becomes(() => size() > 0),
    pidsLimit: () => controlFile(id, 'pids/pids.max', 'pids.max'),
    cpuQuota: () => controlFile(id, 'cpu/cpu.cfs_quota_us', 'cpu.max'),
    [Symbol.asyncDispose]: () => runtime.delete(id, { force: true }),
  }
}

/** What a container's control group has in a file, on version 1 or 2. */
function controlFile(id: string, ...names: string[]): string {
  const paths = names.map((name) => join('/sys/fs/cgroup', dirname(name), cgroupOf(id), basename(name)))
  return readTextSync(paths.find((path) => existsSync(path))!).trim()
}

const cgroupOf = (id: string) => `/bale-test-${id}`

/** The least that a container needs, with namespaces of its own. */
function configOf(id: string, args: string[]): OciConfig {
  const device = (path: string, minor: number) => ({ type: 'c' as const, path, major: 1, minor, fileMode: 0o666 })
  return {
    ociVersion: '1.0.2',
    process: {
      terminal: false,
      user: { uid: 0, gid: 0 },
      args,
      env: ['PATH=/bin'],
      cwd: '/',
      capabilities: { bounding: ['CAP_KILL'], effective: ['CAP_KILL'], permitted: ['CAP_KILL'] },
    },
    root: { path: 'rootfs', readonly: false },
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc' },
      { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'mode=755'] },
    ],
    linux: {
      namespaces: ['pid', 'mount', 'ipc', 'uts', 'network'].map((type) => ({ type })),
      cgroupsPath: cgroupOf(id),
      resources: { pids: { limit: 100 }, devices: [{ allow: true, access: 'rwm' }] },
      devices: [device('/dev/null', 3), device('/dev/zero', 5)],
    },
  }
}
