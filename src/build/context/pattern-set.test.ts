import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import balena from '@balena/dockerignore'
import fc from 'fast-check'
import { processorTime } from '../../../test/kit/processor-time.ts'
import { createPatternSet, parseIgnoreFile } from './pattern-set.ts'

const ignores = (lines: string, path: string) => createPatternSet(parseIgnoreFile(lines)).matches(path)

describe('ignored as by docker (B08)', () => {
  const table: [string, string, boolean][] = [
    ['**', 'file', true],
    ['**', 'dir/file', true],
    ['**/', 'file', true],
    ['**/**', 'dir/file', true],
    ['dir/**', 'dir/file', true],
    ['dir/**', 'dir/a/b', true],
    ['dir/**', 'dir', false],
    ['**/dir', 'dir', true],
    ['**/dir', 'dir/file', true],
    ['**/dir2/*', 'dir/dir2/file', true],
    ['**/dir2/*', 'dir/dir2/dir2/file', true],
    ['**/dir2/*', 'dir/dir3/file', false],
    ['**file', 'dir/file', true],
    ['**.md', 'README.md', true],
    ['**.md', 'a/b/c.md', true],
    ['**.md', 'a/md', false],
    ['**/*.md', 'c.md', true],
    ['**/file', 'dir/dir/file', true],
    ['**/file*', 'dir/dir/file.txt', true],
    ['**/file*txt', 'dir/dir/file.txt', true],
    ['**/file*.txt*', 'dir/dir/file.txt', true],
    ['**/**/*.txt', 'dir/dir/file.txt', true],
    ['**/**/*.txt2', 'dir/dir/file.txt', false],
    ['**/a**b', 'x/a/y/b', true],
    ['a**b', 'ab', true],
    ['a/**/b', 'a/b', true],
    ['a/**/b', 'a/x/y/b', true],
    ['a/**/b', 'a/x/y/c', false],
    ['.*', '.foo', true],
    ['.*', 'foo', false],
    ['abc.def', 'abcdef', false],
    ['abc?def', 'abczdef', true],
    ['abc?def', 'abc/def', false],
    ['a\\*b', 'a*b', true],
    ['a\\*b', 'axb', false],
    ['a\\\\', 'a\\', true],
    ['a[b-d]e', 'ace', true],
    ['a[b-d]e', 'aae', false],
    ['a[^b-d]e', 'ace', false],
    ['a[^b-d]e', 'aze', true],
    ['[a-z]*', 'file', true],
    ['*.go', 'cmd/main.go', false],
    ['*', 'a/b/c', true],
    ['*/b', 'a/b', true],
    ['*/b', 'a/x/b', false],
    ['node_modules', 'node_modules/a/b', true],
    ['node_modules', 'src/node_modules', false],
    ['**/node_modules', 'src/node_modules/x', true],
    ['/abs', 'abs', true],
    ['./a', 'a', true],
    ['a/', 'a', true],
    ['a/', 'a/b', true],
    ['a//b', 'a/b', true],
    ['a/../b', 'b', true],
    ['  spaces  ', 'spaces', true],
    ['# no', '# no', false],
    [' # yes', '# yes', true],
    ['\uFEFFa', 'a', true],
    ['a\r\nb\r\n', 'a', true],
    ['a\r\nb\r\n', 'b', true],
    ['*\n!a', 'a', false],
    ['*\n!a', 'b', true],
    ['*\n!a', 'a/b', false],
    ['*\n!a/b', 'a/b', false],
    ['*\n!a/b', 'a/c', true],
    ['!a\n*', 'a', true],
    ['*\n! a', 'a', false],
    ['a\n!a/b\na/b/c', 'a/b/c', true],
    ['a\n!a/b\na/b/c', 'a/b/d', false],
    ['*.md\n!README*.md\nREADME-secret.md', 'README.md', false],
    ['*.md\n!README*.md\nREADME-secret.md', 'README-secret.md', true],
    ['**/.git', '.git/config', true],
    ['**/.git', 'sub/.git/config', true],
    ['.env', 'sub/.env', false],
    ['**/.env', 'sub/.env', true],
    ['Dockerfile', 'Dockerfile', true],
    ['a+b', 'a+b', true],
    ['a+b', 'aab', false],
    ['a(1).txt', 'a(1).txt', true],
    ['a|b', 'a', false],
    ['^a$', '^a$', true],
    ['a{2}', 'aa', false],
    ['A', 'a', false],
    ['x', 'constructor', false],
    ['x', '__proto__', false],
  ]
  for (const [lines, path, expected] of table) {
    test(`${JSON.stringify(lines)} ${expected ? 'ignores' : 'keeps'} ${path}`, () =>
      assert.equal(ignores(lines, path), expected))
  }
  test('wrong patterns are refused', () => {
    assert.throws(() => createPatternSet(['a[']), /syntax error in pattern/)
    assert.throws(() => createPatternSet(['!']), /illegal exclusion/)
  })
})

test('the npm package gives the same verdict wherever it is right', () => {
  const part = fc.constantFrom('a', 'b', 'ab', '*', '?', '**', 'a*', '*b', '.a', 'a?b')
  const pattern = fc
    .tuple(fc.boolean(), fc.array(part, { minLength: 1, maxLength: 4 }))
    .map(([except, parts]) => (except ? '!' : '') + parts.join('/'))
  const path = fc
    .array(fc.constantFrom('a', 'b', 'ab', 'aab', '.a', 'axb'), { minLength: 1, maxLength: 5 })
    .map((parts) => parts.join('/'))
  fc.assert(
    fc.property(fc.array(pattern, { minLength: 1, maxLength: 4 }), path, (patterns, file) => {
      assert.equal(
        createPatternSet(patterns).matches(file),
        balena.default({ ignorecase: false }).add(patterns).ignores(file),
      )
    }),
    { numRuns: 3000 },
  )
})

test('walking with states gives the same verdict, and prunes only where nothing can come back', () => {
  const set = createPatternSet(['a', '!a/b/c', 'd', '*.x'])
  const a = set.step('a', undefined)
  const b = set.step('a/b', a)
  assert.deepEqual(
    [a.matched, b.matched, set.step('a/b/c', b).matched, set.step('a/b/d', b).matched],
    [true, true, false, true],
  )
  assert.deepEqual([set.mayExceptBelow('a'), set.mayExceptBelow('a/b'), set.mayExceptBelow('d')], [true, true, false])
  assert.equal(createPatternSet(['d', '!**/keep']).mayExceptBelow('d'), true)
})

test('a pattern of many stars takes no time (B08)', () => {
  const spent = processorTime()
  assert.equal(ignores(`${'*a'.repeat(40)}b`, 'a'.repeat(250)), false)
  assert.equal(ignores(`${'**/a/'.repeat(40)}b`, 'a/'.repeat(1000)), false)
  // Backtracking would take longer than the universe.
  assert.ok(spent() < 10_000)
})
