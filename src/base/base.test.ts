import assert from 'node:assert/strict'
import { test } from 'node:test'
import { processorTime } from '../../test/kit/processor-time.ts'
import {
  BaleError,
  commandExitCode,
  createLimiter,
  createSingleFlight,
  mapLimited,
  printable,
  withoutSecrets,
} from './index.ts'

test('a BaleError blanks passwords, authorization values and tokens in its message and hint', () => {
  const error = new BaleError('REGISTRY_FAILED', 'GET https://ann:secret@r.example/v2/?token=abcdef failed', {
    hint: 'header was Bearer abcdefghijkl',
  })
  assert.equal(error.message, 'GET https://***@r.example/v2/?token=*** failed')
  assert.equal(error.hint, 'header was Bearer ***')
  assert.equal(error.httpStatus, 500)
})

test('logins in URLs are blanked whatever they hold: signs, tokens without a colon, several in a line', () => {
  for (const login of ['ann:p@ss', 'token', ':word', 'ann:', 'a:b:c', 'a%40b:c']) {
    assert.equal(
      withoutSecrets(`"http://${login}@h/x", git+ssh://${login}@h:1/x`),
      '"http://***@h/x", git+ssh://***@h:1/x',
    )
  }
  for (const text of ['http://h/x@y', 'http://h?to=a@b', 'ann@h.example', 'http://h "a@b"']) {
    assert.equal(withoutSecrets(text), text)
  }
})

test('secrets are looked for in linear time, whatever a long text is made of', () => {
  const spent = processorTime()
  for (const word of ['x', '://', 'x://', '@', 'Bearer ', ' ', '?token=', '&'])
    withoutSecrets(word.repeat((1 << 20) / word.length))
  withoutSecrets(`Bearer${' '.repeat(1 << 20)}`)
  withoutSecrets(`https://${'x'.repeat(1 << 20)}`)
  assert.ok(spent() < 5000)
})

test('printable escapes control characters and bidirectional marks and cuts long text', () => {
  assert.equal(printable('a\u001b[2Jb\u202e'), 'a\\x1b[2Jb\\u202e')
  assert.equal(printable('x'.repeat(600)).length, 513)
  assert.equal(withoutSecrets('plain'), 'plain')
})

test('only a command that does not exist or cannot be executed has an exit code of its own', () => {
  assert.equal(commandExitCode(new BaleError('COMMAND_NOT_FOUND', 'x')), 127)
  assert.equal(commandExitCode(new BaleError('COMMAND_NOT_EXECUTABLE', 'x')), 126)
  for (const other of [new BaleError('RUNTIME_FAILED', 'x'), new Error('x')])
    assert.equal(commandExitCode(other), undefined)
})

test('a limiter never runs more tasks at once than its limit', async () => {
  const limited = createLimiter(2)
  let running = 0
  let most = 0
  await Promise.all(
    Array.from({ length: 9 }, () =>
      limited(async () => {
        most = Math.max(most, ++running)
        // All that may begin have begun by then.
        await new Promise((resolve) => setImmediate(resolve))
        running--
      }),
    ),
  )
  assert.equal(most, 2)
})

test('mapLimited keeps order, and on a failure aborts the others, waits for them, then throws the first failure', async () => {
  assert.deepEqual(await mapLimited([3, 1, 2], 2, async (n) => n * 2), [6, 2, 4])
  let ended = 0
  await assert.rejects(
    mapLimited([0, 1, 2, 3], 2, async (n, { signal }) => {
      if (n === 0) throw new Error('first')
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => setImmediate(resolve)))
      ended++
      throw new Error('later')
    }),
    /first/,
  )
  assert.equal(ended, 1)
})

test('single flight shares one task between callers of the same key and forgets it afterwards', async () => {
  const flight = createSingleFlight<string, number>()
  let runs = 0
  const task = async () => {
    await new Promise((resolve) => setImmediate(resolve))
    return ++runs
  }
  assert.deepEqual(await Promise.all([flight('a', task), flight('a', task)]), [1, 1])
  assert.equal(await flight('a', task), 2)
})
