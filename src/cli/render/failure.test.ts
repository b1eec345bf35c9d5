import assert from 'node:assert/strict'
import { test } from 'node:test'
import { renderFailure } from './failure.ts'

const systemError = (facts: object) => Object.assign(new Error('EIO: i/o error, read'), facts)

test('a failing disk is reported as such, also when the system names no file', () => {
  const facts = { code: 'EIO', errno: -5, syscall: 'read' }
  const told = renderFailure(systemError(facts))
  assert.match(told, /^bale: read: i\/o error\nhint: a disk is damaged; .*dmesg/)
  assert.match(renderFailure(systemError({ ...facts, path: '/x' })), /^bale: read \/x: i\/o error\nhint: a disk/)
})

test('a refusal of the system is told with its path, whichever sign its number has', () => {
  for (const errno of [-13, 13])
    assert.equal(
      renderFailure(systemError({ code: 'EACCES', errno, syscall: 'openat2', path: '/x' })),
      'bale: openat2 /x: permission denied',
    )
})

test('an unforeseen error is reported as unexpected', () => {
  assert.match(renderFailure(new TypeError('x is no function')), /^bale: unexpected failure: x is no function\nhint/)
  assert.match(renderFailure(systemError({ code: 'EBADF', errno: -9, syscall: 'read' })), /^bale: unexpected failure/)
})
