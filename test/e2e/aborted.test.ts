/**
 * Operations that are aborted half-way, at every step that they report or (when they report none) at turns of the event
 * loop: the store is whole, nothing half-done is visible, and the same operation then succeeds.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createReadStream, existsSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { after, before, test } from 'node:test'
import { createEngine, type Engine, readConfig } from 'bale'
import type { OperationOptions } from 'bale/base'
import { serveRegistry } from 'bale/registry'
import { readTextSync } from '../../src/host/file/index.ts'
import { until } from '../kit/until.ts'
import { cannotRun, type Prepared, prepared } from './prepared.ts'

let place: Prepared
let engine: Engine
let served: Awaited<ReturnType<typeof serveRegistry>>
const at = (name: string) => join(place.bale.directory, name)

before(async () => {
  if (cannotRun) return
  place = await prepared()
  served = await serveRegistry({ directory: at('registry'), port: 0, anonymous: 'push' })
  const { BALE_ROOT: root, BALE_RUN: run } = place.bale.environment
  engine = createEngine({ config: readConfig({ root, run }) })
  await engine.images.tag('busybox:1', `${served.address}/a/b:1`)
  await engine.images.push(`${served.address}/a/b:1`)
  await engine.images.remove(`${served.address}/a/b:1`)
})

after(async () => {
  if (!place) return
  await engine?.[Symbol.asyncDispose]()
  await served?.[Symbol.asyncDispose]()
  await place[Symbol.asyncDispose]()
})

interface Operation {
  act(options: OperationOptions): Promise<unknown>
  /** What is visible of its result. */
  visible(): Promise<boolean> | boolean
  /** Takes the result away, so that it can be made once more. */
  undo?(): Promise<unknown>
}

/** Steps at which it is aborted, until one is behind its end. */
const STEPS = [0, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233]

function aborted(title: string, operation: () => Operation): void {
  test(`${title}, aborted at each of its steps, leaves nothing behind and then succeeds`, {
    skip: cannotRun,
  }, async () => {
    const { act, visible, undo } = operation()
    let cut = 0
    for (const step of STEPS) {
      const ended = await attempt(act, step)
      if (ended) {
        assert.equal(await visible(), true)
        break
      }
      cut++
      assert.equal(await visible(), false, `aborted at step ${step}`)
      assert.deepEqual(await engine.system.check({ quick: true }), [], `aborted at step ${step}`)
    }
    assert.ok(cut > 0, 'it was aborted at least once')
    if (!(await visible())) await act({})
    assert.equal(await visible(), true)
    assert.deepEqual(await engine.system.check(), [])
    await undo?.()
  })
}

/** True when the operation ended before the step came. Steps are progress events and turns of the event loop together. */
async function attempt(act: Operation['act'], step: number): Promise<boolean> {
  const control = new AbortController()
  const reason = new Error('enough')
  let [steps, ended] = [0, false]
  const next = () => {
    if (steps++ === step && !ended) control.abort(reason)
  }
  const turn = () => {
    if (ended || control.signal.aborted) return
    next()
    setImmediate(turn)
  }
  turn()
  try {
    await act({ signal: control.signal, progress: next })
    ended = true
    return true
  } catch (error) {
    ended = true
    assert.ok(control.signal.aborted, `failed, not aborted: ${error}`)
    return false
  }
}

const hasImage = (name: string) =>
  engine.images.inspect(name).then(
    () => true,
    (error: { code?: string }) => {
      if (error.code === 'IMAGE_NOT_FOUND') return false
      throw error
    },
  )

const dockerfile = 'FROM busybox:1\nRUN echo one > /one\nRUN echo two > /two\n'

aborted('pull', () => {
  const name = `${served.address}/a/b:1`
  return {
    act: (options) => engine.images.pull(name, options),
    visible: () => hasImage(name),
    undo: () => engine.images.remove(name),
  }
})

aborted('push', () => {
  const name = `${served.address}/a/new:1`
  return {
    act: async (options) => {
      await engine.images.tag('busybox:1', name)
      await engine.images.push(name, options)
    },
    visible: async () => (await fetch(`${served.url}/v2/a/new/manifests/1`)).ok,
    undo: () => engine.images.remove(name),
  }
})

aborted('save', () => ({
  act: (options) => engine.images.save(['busybox:1'], { file: at('saved.tar') }, options),
  visible: () => {
    const found = readdirSync(place.bale.directory).filter((name) => name.includes('saved'))
    assert.ok(
      found.every((name) => name === 'saved.tar'),
      `half-done: ${found}`,
    )
    return found.length === 1
  },
}))

aborted('load', () => ({
  act: async (options) => {
    await engine.images
      .remove('busybox:1')
      .catch((error: { code?: string }) => assert.equal(error.code, 'IMAGE_NOT_FOUND'))
    await engine.images.load(createReadStream(at('saved.tar')), options)
  },
  visible: () => hasImage('busybox:1'),
}))

aborted('import', () => ({
  act: (options) => engine.images.import(createReadStream(place.tar), { name: 'imported:1', ...options }),
  visible: () => hasImage('imported:1'),
  undo: () => engine.images.remove('imported:1'),
}))

aborted('build', () => ({
  act: (options) =>
    engine.builds.build({
      context: { kind: 'stream', stream: Readable.from([Buffer.from(dockerfile)]) },
      tags: ['built:1'],
      network: 'none',
      ...options,
    }),
  visible: () => hasImage('built:1'),
  undo: () => engine.images.remove('built:1'),
}))

const request = (name: string) => ({
  name,
  image: 'busybox:1',
  config: { command: ['sh', '-c', 'echo made > /made'] },
  host: { network: 'none' },
})
const hasContainer = async (name: string) =>
  (await engine.containers.list({ all: true })).some((one) => one.name === name)

aborted('create', () => ({
  act: (options) => engine.containers.create(request('made'), options),
  visible: () => hasContainer('made'),
  undo: () => engine.containers.remove('made'),
}))

aborted('commit', () => ({
  act: async (options) => {
    if (!(await hasContainer('to-commit'))) {
      const { wait } = await engine.containers.run(request('to-commit'), { detach: true })
      await wait()
    }
    await engine.containers.commit('to-commit', { name: 'committed:1', ...options })
  },
  visible: () => hasImage('committed:1'),
  undo: async () => {
    await engine.containers.remove('to-commit')
    await engine.images.remove('committed:1')
  },
}))

aborted('run', () => ({
  act: (options) =>
    engine.containers.run(
      {
        ...request('ran'),
        config: { command: ['sleep', '600'] },
        host: { network: 'none', autoRemove: true },
      },
      { detach: true, ...options },
    ),
  visible: () => hasContainer('ran'),
  undo: () => engine.containers.remove('ran', { force: true }),
}))

aborted('export', () => {
  let whole = false
  return {
    act: async ({ signal, progress }) => {
      whole = false
      if (!(await hasContainer('exported'))) await engine.containers.create(request('exported'))
      for await (const _ of await engine.containers.export('exported')) {
        progress?.({ kind: 'warning', text: 'a piece' })
        signal?.throwIfAborted()
      }
      whole = true
    },
    visible: () => whole,
    undo: () => engine.containers.remove('exported'),
  }
})

aborted('container prune', () => {
  const names = ['old1', 'old2', 'old3']
  let pruned = false
  return {
    act: async ({ signal }) => {
      pruned = false
      const there = await Promise.all(names.map(hasContainer))
      for (const [index, name] of names.entries()) if (!there[index]) await engine.containers.create(request(name))
      await engine.containers.prune({ signal })
      pruned = true
    },
    visible: async () => {
      const left = await Promise.all(names.map(hasContainer))
      // What an abort left is whole: it can be looked at, and its name is its own.
      for (const [index, name] of names.entries()) if (left[index]) await engine.containers.inspect(name)
      return pruned
    },
  }
})

/** Whether a copy of the large file is there; it is whole, or not there at all. */
const LARGE = 8 << 20
function wholeOrAbsent(path: string): boolean {
  const found = statSync(path, { throwIfNoEntry: false })
  if (found) assert.equal(found.size, LARGE, 'a half-copied file')
  return found !== undefined
}

aborted('cp out of a container', () => ({
  act: async ({ signal }) => {
    if (!(await hasContainer('copied'))) await engine.containers.create(request('copied'))
    if (!existsSync(at('large'))) writeFileSync(at('large'), Buffer.alloc(LARGE, 'large'))
    await engine.containers.copyInto('copied', at('large'), '/large')
    rmSync(at('out'), { force: true })
    await engine.containers.copyFrom('copied', '/large', at('out'), { signal })
  },
  visible: () => wholeOrAbsent(at('out')),
}))

aborted('cp into a container', () => ({
  act: ({ signal }) => engine.containers.copyInto('copied', at('large'), '/in', { signal }),
  visible: async () => {
    const changes = await engine.containers.diff('copied')
    if (!changes.some(({ path }) => path === '/in')) return false
    await engine.containers.copyFrom('copied', '/in', at('again'))
    return wholeOrAbsent(at('again'))
  },
  undo: () => engine.containers.remove('copied'),
}))

test('a copy from standard input stops when it is interrupted, though nothing comes', { skip: cannotRun }, async () => {
  await engine.containers.create(request('waiting'))
  const control = new AbortController()
  const silent = new Readable({ read: () => undefined })
  const copying = engine.containers.writePath('waiting', '/', silent, { signal: control.signal })
  setImmediate(() => control.abort(new Error('enough')))
  await assert.rejects(copying, /enough/)
  await engine.containers.remove('waiting')
})

/** True when a process waits for its standard input: one of its epoll descriptors watches descriptor 0. */
function waitsForInput(pid: number): boolean {
  const directory = `/proc/${pid}/fdinfo`
  return readdirSync(directory).some((fd) => {
    try {
      return /^tfd:\s+0\b/m.test(readTextSync(join(directory, fd)))
    } catch (error) {
      // It was closed meanwhile.
      if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return false
      throw error
    }
  })
}

test('Ctrl-C ends each verb that waits for standard input, though nothing comes', { skip: cannotRun }, async () => {
  await engine.containers.create(request('waits'))
  for (const line of [
    ['load'],
    ['import', '-', 'never:1'],
    ['build', '-'],
    ['build', '-f', '-', place.bale.directory],
    ['login', '--password-stdin', '-u', 'me', served.address],
    ['cp', '-', 'waits:/'],
  ]) {
    const child = spawn(join(import.meta.dirname, '../../bin/bale'), line, {
      env: place.bale.environment,
      stdio: ['pipe', 'ignore', 'pipe'],
    })
    const ended = once(child, 'exit')
    await until(`${line.join(' ')} waits for its input`, () => waitsForInput(child.pid!))
    child.kill('SIGINT')
    assert.deepEqual(await ended, [130, null], line.join(' '))
  }
  await engine.containers.remove('waits')
})
