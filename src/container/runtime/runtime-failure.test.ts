import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runtimeFailure } from './runtime-failure.ts'

test('what the runtime says decides between not found, not executable and all else', () => {
  const said: [string, string][] = [
    ['exec: "nope": executable file not found in $PATH', 'COMMAND_NOT_FOUND'],
    ['exec: "/nope": stat /nope: no such file or directory', 'COMMAND_NOT_FOUND'],
    ['executable file `nope` not found in $PATH', 'COMMAND_NOT_FOUND'],
    ['exec: "/etc": permission denied', 'COMMAND_NOT_EXECUTABLE'],
    ['exec: "/etc": is a directory', 'COMMAND_NOT_EXECUTABLE'],
    ['open executable: Operation not permitted', 'COMMAND_NOT_EXECUTABLE'],
    ['chdir `/etc/passwd`: Not a directory', 'RUNTIME_FAILED'],
    ['error mounting "x" to rootfs: stat /x: no such file or directory', 'RUNTIME_FAILED'],
    ['Cwd must be an absolute path', 'RUNTIME_FAILED'],
    ['', 'RUNTIME_FAILED'],
  ]
  for (const [text, code] of said) assert.equal(runtimeFailure(text, 'create').code, code, text)
  for (const text of ['chdir to cwd ("/d") set in config.json failed: x', 'chdir `/d`: Not a directory'])
    assert.equal(runtimeFailure(text, 'exec').code, 'COMMAND_NOT_EXECUTABLE', text)
})

test('of a command both runtimes say the same words, which scripts look for', () => {
  const said: [crun: string, message: string][] = [
    [
      'executable file `nope` not found in $PATH: No such file or directory',
      'exec: "nope": executable file not found in $PATH',
    ],
    ['executable file `/a/b` not found in $PATH', 'exec: "/a/b": stat /a/b: no such file or directory'],
    ['the path `/etc/passwd` exists but it is not executable', 'exec: "/etc/passwd": permission denied'],
  ]
  for (const [crun, message] of said) assert.ok(runtimeFailure(crun, 'create').message.endsWith(message), message)
})

test('R11: an answer of the runtime, which may quote an image, is printed without control characters and cut', () => {
  const { message } = runtimeFailure(`mkdir /\u001b[2J\nx: ${'y'.repeat(9000)}`, 'create')
  assert.doesNotMatch(message, /[\u0000-\u001f]/)
  assert.match(message, /^OCI runtime create failed: mkdir \/\\x1b\[2J/)
  assert.ok(message.length < 2100)
})
