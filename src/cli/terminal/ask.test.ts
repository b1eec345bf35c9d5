import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { askLine, askSecret, readSecret } from './ask.ts'
import type { Terminal } from './terminal.ts'

/** A terminal whose keys the test presses. */
function keyboard() {
  const stdin = Object.assign(new PassThrough(), {
    isTTY: true,
    raw: [] as boolean[],
    setRawMode(raw: boolean) {
      stdin.raw.push(raw)
    },
  })
  const stderr = Object.assign(new PassThrough(), { isTTY: true, columns: 80 })
  const io = { stdin, stderr } as unknown as Terminal
  const shown = () => String(stderr.read() ?? '')
  return { io, stdin, shown }
}

const never = new AbortController().signal

test('a password is read without being shown, with backspace and Ctrl-U, and the terminal is as before', async () => {
  const { io, stdin, shown } = keyboard()
  const asked = askSecret(io, 'Password: ', never)
  for (const keys of ['wrong', '\x15', 's€cx', '\x7f', 'ret\t', '\r']) stdin.write(keys)
  assert.equal(await asked, 's€cret')
  assert.equal(shown(), 'Password: \n')
  assert.deepEqual(stdin.raw, [true, false])
})

test('Ctrl-C and Ctrl-D leave the question, and a signal does', async () => {
  for (const key of ['\x03', '\x04']) {
    const { io, stdin } = keyboard()
    const asked = askSecret(io, 'Password: ', never)
    stdin.write(key)
    await assert.rejects(asked, { code: 'ABORTED' })
    assert.deepEqual(stdin.raw, [true, false])
  }
  const { io, stdin } = keyboard()
  const stop = new AbortController()
  const asked = askSecret(io, 'Password: ', stop.signal)
  stop.abort(new Error('stopped'))
  await assert.rejects(asked, /stopped/)
  assert.deepEqual(stdin.raw, [true, false])
})

test('a password is asked for on a terminal alone, and only as long as it is there', async () => {
  const { io, stdin } = keyboard()
  const asked = askSecret(io, 'Password: ', never)
  stdin.end()
  await assert.rejects(asked, { code: 'ABORTED' })
  const piped = { ...io, stdin: new PassThrough() } as unknown as Terminal
  await assert.rejects(askSecret(piped, 'Password: ', never), { code: 'INVALID_ARGUMENT', message: /not a terminal/ })
})

test('text typed before its question is its answer: name, password and the next name in one go', async () => {
  const { io, stdin } = keyboard()
  const name = askLine(io, 'Username: ', never)
  stdin.write('ann\rse')
  assert.equal(await name, 'ann')
  const password = askSecret(io, 'Password: ', never)
  stdin.write('cret\rbob\rx')
  assert.equal(await password, 'secret')
  assert.equal(await askLine(io, 'Username: ', never), 'bob')
  const last = askLine(io, 'Username: ', never)
  stdin.write('y\r')
  assert.equal(await last, 'xy')
  const both = askLine(io, 'Username: ', never)
  stdin.write('ann\rsecret\r')
  assert.equal(await both, 'ann')
  assert.equal(await askSecret(io, 'Password: ', never), 'secret')
})

test('a password from a pipe loses its last line end only; an empty one is refused', async () => {
  for (const [text, password] of [
    ['word\n', 'word'],
    ['word\r\n', 'word'],
    ['two\nlines\n\n', 'two\nlines\n'],
    [' space ', ' space '],
  ]) {
    const { io, stdin } = keyboard()
    stdin.end(text)
    assert.equal(await readSecret(io), password)
  }
  const { io, stdin } = keyboard()
  stdin.end('\n')
  await assert.rejects(readSecret(io), { code: 'INVALID_ARGUMENT' })
})
