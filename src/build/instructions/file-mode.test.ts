import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { parseChmod } from './file-mode.ts'

describe('--chmod', () => {
  const table: [string, number, boolean, number][] = [
    ['755', 0o644, false, 0o755],
    ['0', 0o644, false, 0],
    ['04711', 0o644, false, 0o4711],
    ['u+x', 0o644, false, 0o744],
    ['+x', 0o644, false, 0o755],
    ['a-w', 0o666, false, 0o444],
    ['u=rwX,go=rX', 0o640, false, 0o644],
    ['u=rwX,go=rX', 0o640, true, 0o755],
    ['X', 0, false, -1],
    ['g=u', 0o750, false, 0o770],
    ['o=', 0o777, false, 0o770],
    ['u+s,g-x', 0o755, false, 0o4745],
    ['+t', 0o777, true, 0o1777],
    ['u-r+w', 0o444, false, 0o244],
  ]
  for (const [text, mode, isDirectory, expected] of table) {
    test(`${text} makes ${mode.toString(8)} ${expected < 0 ? 'an error' : expected.toString(8)}`, () => {
      if (expected < 0) assert.throws(() => parseChmod(text))
      else assert.equal(parseChmod(text).apply(mode, isDirectory), expected)
    })
  }

  test('wrong modes are refused', () => {
    for (const text of ['8', '77777', '999', '0x1', 'u+y', 'x=r', '', 'u', '-1']) {
      assert.throws(() => parseChmod(text), /invalid chmod parameter/, text)
    }
  })

  test('chmod(1) without a umask answers the same', () => {
    const directory = mkdtempSync(join(tmpdir(), 'bale-chmod-'))
    try {
      const file = join(directory, 'f')
      writeFileSync(file, '')
      for (const [text, mode, isDirectory, expected] of table) {
        if (expected < 0 || isDirectory) continue
        chmodSync(file, mode)
        execFileSync('sh', ['-c', 'umask 0; chmod "$0" "$1"', text, file])
        assert.equal(statSync(file).mode & 0o7777, expected, text)
      }
    } finally {
      rmSync(directory, { recursive: true })
    }
  })
})
