/** What happens is seen by every process, in docker's words and order, also what monitors do when nobody is left. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import type { TestBale } from '../kit/bale.ts'
import { onTerminal } from '../kit/terminal.ts'
import { cannotRun, prepared } from './prepared.ts'

const options = { skip: cannotRun }
const program = resolve(import.meta.dirname, '../../bin/bale')

/** `type action` of each event, without its command. */
async function told(bale: TestBale, words: string[] = []): Promise<string[]> {
  const format = ['--format', '{{.Type}} {{.Action}}']
  const text = await bale.run(['events', '--since', '1h', '--until', '0s', ...format, ...words])
  return text.split('\n').flatMap((line) => line.trimEnd() || [])
}

test('the life of a container is told in order, whoever took part in it', options, async () => {
  await using place = await prepared()
  const { bale } = place
  const words = ['--name', 'web', '-l', 'stage=test', '-v', 'data:/data']
  await bale.run([
    'run',
    '-d',
    '--rm',
    ...words,
    'busybox:1',
    'sh',
    '-c',
    'trap "exit 3" TERM; while sleep 0.1; do :; done',
  ])
  await bale.run(['exec', 'web', 'true'])
  await bale.run(['rename', 'web', 'site'])
  await bale.run(['pause', 'site'])
  await bale.run(['unpause', 'site'])
  await bale.run(['stop', 'site'])
  const seen = (await told(bale)).filter((line) => !line.startsWith('image'))
  assert.deepEqual(seen, [
    'volume create',
    'container create',
    'network connect',
    'volume mount',
    'container start',
    'container exec_create: true',
    'container exec_start: true',
    'container exec_die',
    'container rename',
    'container pause',
    'container unpause',
    'container kill',
    'container die',
    'network disconnect',
    'volume unmount',
    'container destroy',
    'container stop',
  ])
  const die = await bale.run(['events', '--since', '1h', '--until', '0s', '--filter', 'event=die', '--format', 'json'])
  const message = JSON.parse(die) as Record<string, unknown> & { Actor: { Attributes: Record<string, string> } }
  assert.equal(message['status'], 'die')
  assert.equal(message['from'], 'busybox:1')
  const { exitCode, stage, name, image } = message.Actor.Attributes
  assert.deepEqual({ exitCode, stage, name, image }, { exitCode: '3', stage: 'test', name: 'site', image: 'busybox:1' })
  assert.deepEqual(await told(bale, ['--filter', 'label=stage=test', '--filter', 'event=start']), ['container start'])
  assert.deepEqual(await told(bale, ['--filter', 'volume=data', '--filter', 'event=mount']), ['volume mount'])
})

test('names of images and removals are told', options, async () => {
  await using place = await prepared()
  const { bale } = place
  await bale.run(['tag', 'busybox:1', 'other:2'])
  await bale.run(['rmi', 'other:2'])
  await bale.run(['network', 'create', 'mesh'])
  await bale.run(['network', 'rm', 'mesh'])
  const line = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}(?:Z|[+-]\d\d:\d\d) (?<rest>.*)$/
  const text = await bale.run(['events', '--since', '1h', '--until', '0s'])
  const rest = text.split('\n').map((one) => line.exec(one)?.groups?.['rest'] ?? one)
  const shown = rest.map((one) => one.replaceAll(/sha256:[0-9a-f]{64}/g, 'ID').replaceAll(/[0-9a-f]{64}/g, 'NETWORK'))
  assert.deepEqual(shown.slice(-4), [
    'image tag ID (name=other:2)',
    'image untag ID (name=ID)',
    'network create NETWORK (name=mesh, type=bridge)',
    'network destroy NETWORK (name=mesh, type=bridge)',
  ])
})

test('images made here are told before their names', options, async () => {
  await using place = await prepared()
  const { bale } = place
  const context = join(bale.directory, 'context')
  await mkdir(context)
  await writeFile(join(context, 'Dockerfile'), 'FROM busybox:1\nLABEL stage=test\n')
  await bale.run(['build', '-q', '-t', 'built:1', context])
  await bale.run(['build', '-q', context])
  await bale.run(['create', '--name', 'web', 'busybox:1'])
  await bale.run(['commit', 'web', 'kept:1'])
  const since = (await told(bale, ['--filter', 'type=image'])).slice(-5)
  assert.deepEqual(since, ['image create', 'image tag', 'image create', 'image create', 'image tag'])
  const labelled = ['--filter', 'label=stage=test', '--filter', 'event=create']
  assert.deepEqual(await told(bale, labelled), ['image create', 'image create'])
})

/** A follower that shows the first event with this action, whenever it comes; ended when it is disposed. */
function follow(bale: TestBale, action: string, format: string): { line: Promise<string> } & AsyncDisposable {
  const words = ['events', '--since', '1h', '--filter', `event=${action}`, '--format', format]
  const follower = spawn(program, words, { env: bale.environment, stdio: ['ignore', 'pipe', 'inherit'] })
  const line = once(createInterface({ input: follower.stdout }), 'line').then(([text]) => String(text))
  return {
    line,
    async [Symbol.asyncDispose]() {
      const ended = once(follower, 'exit')
      follower.kill('SIGTERM')
      await ended
    },
  }
}

test('a follower sees an end that only the monitor witnessed', options, async () => {
  await using place = await prepared()
  const { bale } = place
  await using follower = follow(bale, 'die', '{{.Actor.Attributes.name}} {{.Actor.Attributes.exitCode}}')
  await bale.run(['run', '-d', '--name', 'short', '--network', 'none', 'busybox:1', 'sh', '-c', 'exit 7'])
  assert.equal(await follower.line, 'short 7')
})

test(
  'what is done with a running container is told, and the end of a process that nobody waits for',
  options,
  async () => {
    await using place = await prepared()
    const { bale } = place
    await bale.run(['run', '-d', '--name', 'web', '--network', 'none', 'busybox:1', 'sleep', '1000'])
    await bale.run(['exec', '-d', 'web', 'sh', '-c', 'exit 9'])
    const attributes = '{{.Actor.ID}} {{.Actor.Attributes.execID}} {{.Actor.Attributes.exitCode}}'
    await using follower = follow(bale, 'exec_die', attributes)
    const [container, process, exitCode] = (await follower.line).split(' ')
    const find = ['events', '--since', '1h', '--until', '0s', '--filter', 'event=exec_start', '--format', attributes]
    assert.deepEqual([container, process], (await bale.run(find)).split(' ').slice(0, 2))
    assert.equal(exitCode, '9')
    const tar = join(bale.directory, 'web.tar')
    await bale.run(['cp', 'web:/bin/busybox', join(bale.directory, 'copy')])
    await bale.run(['cp', join(bale.directory, 'copy'), 'web:/tmp/'])
    await bale.run(['cp', 'web:/etc', '-'])
    await bale.run(['export', '-o', tar, 'web'])
    await bale.run(['top', 'web'])
    await bale.run(['update', '--memory', '64m', '--memory-swap', '64m', 'web'])
    const since = (await told(bale, ['--filter', 'container=web'])).slice(2)
    assert.deepEqual(since, [
      'container exec_create: sh -c exit 9',
      'container exec_start: sh -c exit 9',
      'container exec_die',
      'container archive-path',
      'container extract-to-dir',
      'container archive-path',
      'container export',
      'container top',
      'container update',
    ])
  },
)

test('the end of a process is told although its client was killed', options, async () => {
  await using place = await prepared()
  const { bale } = place
  await bale.run(['run', '-d', '--name', 'web', '--network', 'none', 'busybox:1', 'sleep', '1000'])
  const script = 'echo ready; until [ -e /go ]; do sleep 0.05; done; exit 8'
  const client = spawn(program, ['exec', 'web', 'sh', '-c', script], { env: bale.environment })
  const [said] = await once(createInterface({ input: client.stdout }), 'line')
  assert.equal(said, 'ready')
  const killed = once(client, 'close')
  client.kill('SIGKILL')
  await killed
  await bale.run(['cp', place.tar, 'web:/go'])
  await using follower = follow(bale, 'exec_die', '{{.Actor.Attributes.exitCode}}')
  assert.equal(await follower.line, '8')
})

test(
  'on a terminal, coming, resizing and leaving are told; a process that was left has its end told',
  options,
  async () => {
    await using place = await prepared()
    const { bale } = place
    {
      const named = ['--name', 'left', '--network', 'none', '--detach-keys', 'a,b']
      await using terminal = onTerminal(bale, ['run', '-it', ...named, 'busybox:1', 'sh'])
      // Typed ahead: they are read in the moment in which the terminal's size is sent.
      terminal.type('ab')
      assert.equal((await terminal.ended()).code, 0)
    }
    {
      const words = ['exec', '-it', 'left', 'sh', '-c', 'echo ready; until [ -e /go ]; do sleep 0.05; done; exit 8']
      await using terminal = onTerminal(bale, words)
      await terminal.until('ready')
      terminal.type('\x10\x11')
      assert.equal((await terminal.ended()).code, 0)
    }
    const actions = (await told(bale, ['--filter', 'container=left'])).map((line) => line.replace(/:.*/, ''))
    assert.deepEqual(actions, [
      'container create',
      'container attach',
      'container start',
      'container resize',
      'container detach',
      'container exec_create',
      'container exec_start',
      'container exec_detach',
    ])
    const resize = ['--filter', 'event=resize', '--format', '{{.Actor.Attributes.height}} {{.Actor.Attributes.width}}']
    assert.equal(await bale.run(['events', '--since', '1h', '--until', '0s', ...resize]), '24 80')
    await bale.run(['cp', place.tar, 'left:/go'])
    await using follower = follow(bale, 'exec_die', '{{.Actor.Attributes.exitCode}}')
    assert.equal(await follower.line, '8')
  },
)
