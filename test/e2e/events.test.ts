/** What happens is seen by every process, in docker's words and order, also what monitors do when nobody is left. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import type { TestBale } from '../kit/bale.ts'
import { cannotRun, prepared } from './prepared.ts'

const options = { skip: cannotRun }

/** `type action` of each event, without its command. */
async function told(bale: TestBale, words: string[] = []): Promise<string[]> {
  const format = ['--format', '{{.Type}} {{.Action}}']
  const text = await bale.run(['events', '--since', '1h', '--until', '0s', ...format, ...words])
  return text.split('\n').filter(Boolean)
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

test('a follower sees an end that only the monitor witnessed', options, async () => {
  await using place = await prepared()
  const { bale } = place
  const program = resolve(import.meta.dirname, '../../bin/bale')
  const words = [
    'events',
    '--filter',
    'event=die',
    '--format',
    '{{.Actor.Attributes.name}} {{.Actor.Attributes.exitCode}}',
  ]
  const follower = spawn(program, [...words, '--since', '1h'], {
    env: bale.environment,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  try {
    const lines = createInterface({ input: follower.stdout })
    const line = once(lines, 'line')
    await bale.run(['run', '-d', '--name', 'short', '--network', 'none', 'busybox:1', 'sh', '-c', 'exit 7'])
    assert.deepEqual(await line, ['short 7'])
  } finally {
    const ended = once(follower, 'exit')
    follower.kill('SIGTERM')
    await ended
  }
})
