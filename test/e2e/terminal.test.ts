/** The command line as a person at a keyboard meets it, on a pseudo-terminal; and beside it the same in pipes. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Readable } from 'node:stream'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { execute } from '../kit/bale.ts'
import { publish, type ScriptedRegistry, scriptedRegistry } from '../kit/scripted-registry.ts'
import { tarEntry, tarOf } from '../kit/tar.ts'
import { mountsBelow } from '../kit/temporary.ts'
import { onTerminal, type TerminalOptions } from '../kit/terminal.ts'
import { until } from '../kit/until.ts'
import { cannotRun, type Prepared, prepared } from './prepared.ts'

const options = { skip: cannotRun }
const program = resolve('bin/bale')
const TRAPS =
  'for s in TERM INT HUP QUIT USR1; do trap "echo got $s; exit 4" $s; done; echo ready; while :; do sleep 0.1; done'
const busybox = ['--network', 'none', 'busybox:1']

let place: Prepared
let registry: ScriptedRegistry
before(async () => {
  if (cannotRun) return
  place = await prepared()
  registry = await scriptedRegistry()
})
after(async () => {
  await registry?.[Symbol.asyncDispose]()
  await place?.[Symbol.asyncDispose]()
})

const onTty = (words: readonly string[], given?: TerminalOptions) => onTerminal(place.bale, words, given)

/** A command whose output and end are looked at while it runs; it is killed when the test is left. */
function started(words: readonly string[]) {
  const child = spawn(program, [...words], { env: place.bale.environment, stdio: 'pipe' })
  const state = { stdout: '', stderr: '' }
  let isKept = false
  child.stderr.on('data', (chunk: Buffer) => {
    state.stderr += chunk.toString()
  })
  const ended = new Promise<number | string>((done) => child.on('close', (code, signal) => done(code ?? signal ?? '')))
  return {
    child,
    ended,
    state,
    async shows(text: string) {
      if (!isKept) {
        child.stdout.on('data', (chunk: Buffer) => {
          state.stdout += chunk.toString()
        })
      }
      isKept = true
      await until(`${text} is shown`, () => state.stdout.includes(text))
    },
    [Symbol.dispose]() {
      child.kill('SIGKILL')
    },
  }
}

test('run -it gives a terminal of our size, which follows ours; the exit code comes back', options, async () => {
  // No interactive shell: its line editor asks the terminal questions that nobody here answers.
  const script = 'tty; stty size; while read line; do [ "$line" = end ] && exit 7; stty size; done'
  await using terminal = onTty(['run', '-it', '--rm', ...busybox, 'sh', '-c', script], { columns: 101, rows: 33 })
  await terminal.until('/dev/pts/0\r\n33 101\r\n')
  terminal.resize(60, 20)
  // The new size is on its way beside the typed line, so the question may have to be asked again.
  await until('the process has the new size', async () => {
    terminal.type('again\r')
    return (await terminal.until(/\r\n\d+ \d+\r\n/)).includes('\r\n20 60\r\n')
  })
  terminal.type('end\r')
  assert.deepEqual(await terminal.ended(), { code: 7, restored: true })
})

test('bytes of a process with a terminal arrive as they are: a line feed alone stays alone', options, async () => {
  await using terminal = onTty(['run', '-it', '--rm', ...busybox, 'sh', '-c', 'stty raw; printf "one\\ntwo\\r\\n"'])
  await terminal.until('one\ntwo\r\n')
  assert.deepEqual(await terminal.ended(), { code: 0, restored: true })
})

test('Ctrl-C goes to the process in the container', options, async () => {
  const script = 'trap "echo caught; exit 9" INT; echo ready; while :; do sleep 0.1; done'
  await using terminal = onTty(['run', '-it', '--rm', ...busybox, 'sh', '-c', script])
  await terminal.until('ready')
  terminal.type('\x03')
  await terminal.until('caught')
  assert.deepEqual(await terminal.ended(), { code: 9, restored: true })
})

test('the detach keys leave it running, and attach comes back as often as one likes', options, async () => {
  const { bale } = place
  {
    await using terminal = onTty(['run', '-it', '--name', 'left', ...busybox, 'sh'])
    await terminal.until('/ # ')
    terminal.type('x=kept\r')
    await terminal.until('/ # ')
    terminal.type('\x10\x11')
    assert.deepEqual(await terminal.ended(), { code: 0, restored: true })
  }
  assert.equal(await bale.run(['inspect', '--format', '{{.State.Running}}', 'left']), 'true')
  {
    await using terminal = onTty(['attach', '--detach-keys', 'ctrl-x,q', 'left'], { columns: 70, rows: 10 })
    // The shell learns of a new size and draws its prompt again.
    await terminal.until('/ # ')
    // The size is on its way beside what is typed.
    terminal.type('echo $x; until [ "$(stty size)" = "10 70" ]; do sleep 0.1; done; stty size\r')
    await terminal.until('\r\nkept\r\n10 70\r\n')
    terminal.type('\x18q')
    assert.deepEqual(await terminal.ended(), { code: 0, restored: true })
  }
  await using terminal = onTty(['attach', 'left'])
  await terminal.until('/ # ')
  terminal.type('exit 5\r')
  assert.deepEqual(await terminal.ended(), { code: 5, restored: true })
  await using again = onTty(['start', '-ai', 'left'], { columns: 91, rows: 11 })
  await again.until('/ # ')
  again.type('stty size; exit 6\r')
  await again.until('\r\n11 91\r\n')
  assert.deepEqual(await again.ended(), { code: 6, restored: true })
})

test('exec -it has a terminal of its own; after the detach keys it keeps running', options, async () => {
  const { bale } = place
  await bale.run(['run', '-d', '--name', 'server', ...busybox, 'sleep', '1000'])
  {
    await using terminal = onTty(['exec', '-it', 'server', 'sh'], { columns: 66, rows: 22 })
    await terminal.until('/ # ')
    terminal.type('stty size; exit 3\r')
    await terminal.until('\r\n22 66\r\n')
    assert.deepEqual(await terminal.ended(), { code: 3, restored: true })
  }
  await using terminal = onTty(['exec', '-it', 'server', 'sh', '-c', 'echo ready; sleep 777; true'])
  await terminal.until('ready')
  terminal.type('\x10\x11')
  assert.deepEqual(await terminal.ended(), { code: 0, restored: true })
  assert.match(await bale.run(['top', 'server']), /sleep 777/)
  await bale.run(['rm', '-f', 'server'])
})

test(
  'the terminal is as before when the container is killed, cannot start, or bale itself is told to end',
  options,
  async () => {
    {
      await using terminal = onTty(['run', '-it', '--rm', '--name', 'killed', ...busybox, 'sh'])
      await terminal.until('/ # ')
      await place.bale.run(['kill', 'killed'])
      assert.deepEqual(await terminal.ended(), { code: 137, restored: true })
    }
    {
      await using terminal = onTty(['run', '-it', '--rm', ...busybox, '/no/such/program'])
      assert.deepEqual(await terminal.ended(), { code: 127, restored: true })
    }
    for (const [signal, proxy, code] of [
      ['SIGTERM', 'false', 143],
      ['SIGHUP', 'false', 129],
      ['SIGTERM', 'true', 4],
    ] as const) {
      const words = ['run', '-it', '--name', 'told', `--sig-proxy=${proxy}`, ...busybox, 'sh', '-c', TRAPS]
      await using terminal = onTty(words)
      await terminal.until('ready')
      terminal.kill(signal)
      assert.deepEqual(await terminal.ended(), { code, restored: true })
      await place.bale.run(['rm', '-f', 'told'])
    }
  },
)

test('a terminal cannot be had from a pipe, in docker’s words; -t alone needs none', options, async () => {
  const { bale } = place
  await bale.run(['run', '-dit', '--name', 'asked', ...busybox, 'sh'])
  const refused = [
    ['run', '-it', '--rm', ...busybox, 'true'],
    ['exec', '-it', 'asked', 'true'],
    ['attach', 'asked'],
  ]
  for (const words of refused) {
    const { code, stderr } = await bale.try(words)
    assert.deepEqual([code, stderr], [1, 'the input device is not a TTY\n'], words.join(' '))
  }
  assert.equal(await bale.run(['run', '-t', '--rm', ...busybox, 'tty']), '/dev/pts/0')
  await bale.run(['rm', '-f', 'asked'])
})

/** 20 MB of lines that are all different. */
const MANY_LINES = 250_000
const WRITE_MANY_LINES = `BEGIN { for (i = 0; i < ${MANY_LINES}; i++) printf "%079d\\n", i }`

function digestOfManyLines(): string {
  const hash = createHash('sha256')
  for (let line = 0; line < MANY_LINES; line++) hash.update(`${String(line).padStart(79, '0')}\n`)
  return hash.digest('hex')
}

async function digestOfSlowReading(stream: Readable): Promise<string> {
  const hash = createHash('sha256')
  let count = 0
  // Long enough to fill every buffer in between, and now and then again: only a slow reader shows what is lost.
  await sleep(700)
  for await (const chunk of stream) {
    hash.update(chunk)
    if (count++ % 50 === 0) await sleep(5)
  }
  return hash.digest('hex')
}

test('large output loses nothing with a slow reader, neither from run nor from logs', options, async () => {
  const expected = digestOfManyLines()
  for (const words of [
    ['run', '--name', 'large', ...busybox, 'awk', WRITE_MANY_LINES],
    ['logs', 'large'],
  ]) {
    using running = started(words)
    assert.equal(await digestOfSlowReading(running.child.stdout), expected, words[0])
    assert.equal(await running.ended, 0)
  }
  await place.bale.run(['rm', 'large'])
})

test('a terminal that is read late shows everything', options, async () => {
  await using terminal = onTty(['run', '-it', '--rm', ...busybox, 'seq', '1', '100000'])
  await terminal.until('\r\n50\r\n')
  terminal.hold(true)
  // Long enough to fill the terminal, where the writer then waits.
  await sleep(500)
  terminal.hold(false)
  assert.deepEqual(await terminal.ended(), { code: 0, restored: true })
  const numbers = terminal.written.match(/\d+(?=\r\n)/g) ?? []
  assert.equal(numbers.slice(0, 100_000).join(), Array.from({ length: 100_000 }, (_, index) => index + 1).join())
})

test('input from a pipe arrives whole, and its end ends the process', options, async () => {
  const input = Buffer.alloc(3_000_001, 'some bytes of input\n')
  const expected = createHash('sha256').update(input).digest('hex')
  const answer = await place.bale.run(['run', '-i', '--rm', ...busybox, 'sha256sum'], { input })
  assert.equal(answer, `${expected}  -`)
})

test('signals to a foreground run reach its process, whose exit code comes back', options, async () => {
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    using running = started(['run', '--rm', ...busybox, 'sh', '-c', TRAPS])
    await running.shows('ready')
    running.child.kill(signal)
    await running.shows(`got ${signal.slice(3)}`)
    assert.equal(await running.ended, 4, running.state.stderr)
  }
})

test(
  'with --sig-proxy=false a signal ends bale alone; the third Ctrl-C leaves a process that ignores it',
  options,
  async () => {
    const { bale } = place
    {
      using running = started(['run', '--rm', '--name', 'alone', '--sig-proxy=false', ...busybox, 'sh', '-c', TRAPS])
      await running.shows('ready')
      running.child.kill('SIGTERM')
      assert.equal(await running.ended, 'SIGTERM')
      assert.equal(await bale.run(['inspect', '--format', '{{.State.Running}}', 'alone']), 'true')
      await bale.run(['rm', '-f', 'alone'])
    }
    await using terminal = onTty([
      'run',
      '--rm',
      '--name',
      'deaf',
      ...busybox,
      'sh',
      '-c',
      'trap "echo heard" INT; echo ready; while :; do sleep 0.1; done',
    ])
    await terminal.until('ready')
    // Signals that come faster than they are handled become one.
    for (let count = 1; count <= 2; count++) {
      terminal.type('\x03')
      await terminal.until('heard')
    }
    terminal.type('\x03')
    await terminal.until('got 3 SIGTERM/SIGINTs, forcefully exiting')
    assert.deepEqual(await terminal.ended(), { code: 1, restored: true })
    assert.equal(await bale.run(['inspect', '--format', '{{.State.Running}}', 'deaf']), 'true')
    await bale.run(['rm', '-f', 'deaf'])
  },
)

test(
  'a password is not shown while it is typed, and Ctrl-C at any question restores the terminal',
  options,
  async () => {
    {
      await using terminal = onTty(['login', '-u', 'ann', registry.host])
      await terminal.until('Password: ')
      terminal.type('sec\x7fcret-word\r')
      assert.equal((await terminal.ended()).restored, true)
      assert.doesNotMatch(terminal.written, /cret-word/)
    }
    const questions: [words: string[], question: string][] = [
      [['login', '-u', 'ann', registry.host], 'Password: '],
      [['login', 'localhost:1'], 'Username: '],
      [['container', 'prune'], '[y/N] '],
    ]
    for (const [words, question] of questions) {
      for (const key of ['\x03', '\x04']) {
        await using terminal = onTty(words)
        await terminal.until(question)
        terminal.type(key)
        assert.deepEqual(
          await terminal.ended(),
          { code: 130, restored: true },
          `${words.join(' ')} ${terminal.written}`,
        )
      }
    }
  },
)

/** An image of so many layers, whose content hardly gets smaller. */
async function publishLayers(tag: string, count: number, size: number): Promise<void> {
  const layer = (index: number) => {
    const parts = Array.from({ length: size / 64 }, (_, part) => sha512(`${tag} ${index} ${part}`))
    return tarOf([{ entry: tarEntry(`file-${index}`), text: parts.join('') }])
  }
  publish(registry, tag, { tars: await Promise.all(Array.from({ length: count }, (_, index) => layer(index))) })
}

const sha512 = (text: string) => createHash('sha512').update(text).digest('base64')

test('a pull draws each layer once, at 80 and 40 columns and with more layers than rows', options, async () => {
  await publishLayers('many', 14, 64 * 256)
  // Every blob comes in two parts, with a moment between them in which something can be drawn; the first of a pull on a
  // terminal waits until something was.
  let isDrawn = () => Promise.resolve()
  registry.intercept = (request, response) => {
    const blob = registry.blobs.get(/blobs\/(.+)$/.exec(request.url ?? '')?.[1] ?? '')
    if (!blob) return false
    response.writeHead(200, { 'content-length': blob.length })
    response.write(blob.subarray(0, blob.length / 2))
    const isLayer = blob[0] === 0x1f
    const drawn = isLayer ? isDrawn() : Promise.resolve()
    if (isLayer) isDrawn = () => Promise.resolve()
    setTimeout(() => drawn.then(() => response.end(blob.subarray(blob.length / 2))), 120)
    return true
  }
  for (const { columns, rows } of [
    { columns: 80, rows: 24 },
    { columns: 40, rows: 10 },
  ]) {
    await using terminal = onTty(['pull', `${registry.host}/team/app:many`], { columns, rows })
    isDrawn = async () => void (await until('a part is drawn', () => /Downloading .*kB/.test(terminal.written)))
    assert.deepEqual(await terminal.ended(), { code: 0, restored: true })
    const screen = terminal.screen()
    const layers = screen.filter((line) => /^[0-9a-f]{12}: /.test(line))
    assert.equal(layers.length, 14, screen.join('\n'))
    assert.equal(new Set(layers.map((line) => line.slice(0, 12))).size, 14)
    for (const line of layers) assert.match(line, /: Pull complete$/)
    assert.match(terminal.written, /\x1b\[\d+A/)
    assert.match(terminal.written, /Downloading .*kB/)
    assert.match(screen.at(-1)!, /\/team\/app:many$/)
    await place.bale.run(['rmi', `${registry.host}/team/app:many`])
  }
  const piped = await place.bale.try(['pull', `${registry.host}/team/app:many`])
  assert.doesNotMatch(piped.stdout + piped.stderr, /\x1b|\r/)
  assert.equal(piped.stdout.match(/: Pull complete\n/g)?.length, 14)
  assert.doesNotMatch(piped.stdout, /\dkB/)
  const quiet = await place.bale.try(['pull', '-q', `${registry.host}/team/app:many`])
  assert.deepEqual([quiet.stdout, quiet.stderr], [`${registry.host}/team/app:many\n`, ''])
  registry.intercept = undefined
})

test('Ctrl-C during a pull ends with 130 and leaves a sound store and no mounts', options, async () => {
  await publishLayers('slow', 2, 64 * 16384)
  registry.intercept = (request, response) => {
    const blob = registry.blobs.get(/blobs\/(.+)$/.exec(request.url ?? '')?.[1] ?? '')
    if (!blob || blob.length < 10_000) return false
    response.writeHead(200, { 'content-length': blob.length })
    // The rest never comes.
    response.write(blob.subarray(0, blob.length / 2))
    return true
  }
  await using terminal = onTty(['pull', `${registry.host}/team/app:slow`])
  await terminal.until('Downloading')
  terminal.type('\x03')
  await terminal.until('bale: stopped')
  assert.deepEqual(await terminal.ended(), { code: 130, restored: true })
  registry.intercept = undefined
  assert.equal((await place.bale.try(['system', 'check'])).code, 0)
  assert.deepEqual(
    mountsBelow(place.bale.directory).filter((target) => !/\/run\/layers\//.test(target)),
    [],
  )
  assert.doesNotMatch(await place.bale.run(['images', '--format', '{{.Tag}}']), /slow/)
})

test('Ctrl-C in a step of a build on a terminal ends its processes, its mounts and the command', options, async () => {
  const directory = join(place.bale.directory, 'context')
  mkdirSync(directory)
  writeFileSync(join(directory, 'Dockerfile'), 'FROM busybox:1\nRUN echo begun; sleep 987\n')
  await using terminal = onTty(['build', '--network', 'none', directory])
  await terminal.until(/ begun\r\n/)
  terminal.type('\x03')
  assert.deepEqual(await terminal.ended(), { code: 130, restored: true })
  assert.equal((await execute('/bin/sh', ['-c', 'ps -eo args | grep -c "^sleep 987"'])).stdout, '0\n')
  assert.deepEqual(
    mountsBelow(place.bale.directory).filter((target) => !/\/run\/layers\//.test(target)),
    [],
  )
  assert.equal((await place.bale.try(['system', 'check'])).code, 0)
})

test('a reader that has seen enough is no failure', options, async () => {
  for (const words of [['images'], ['info'], ['run', '--rm', ...busybox, 'yes']]) {
    const script = `'${program}' ${words.map((word) => `'${word}'`).join(' ')} | head -n 1; echo "$PIPESTATUS"`
    const outcome = await execute('/bin/bash', ['-c', script], { env: place.bale.environment })
    assert.match(outcome.stdout, /^.+\n0\n$/, words[0])
    assert.equal(outcome.stderr, '', words[0])
  }
})
