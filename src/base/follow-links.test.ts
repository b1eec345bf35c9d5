import assert from 'node:assert/strict'
import { test } from 'node:test'
import { followLinks } from './follow-links.ts'

const links: Record<string, string> = {
  up: '../../../etc',
  absolute: '/a/b',
  'a/relative': '../c/./d',
  one: 'two',
  two: 'one',
  'a/b': 'x',
}
const tooMany = () => new Error('too many')
const follow = (path: string) => followLinks(path, { look: (at) => ({ link: links[at] }), tooMany })

test('links lead inside the root, whatever they say', () => {
  const cases: [path: string, leads: string][] = [
    ['/', ''],
    ['../..//./x', 'x'],
    ['up/passwd', 'etc/passwd'],
    ['absolute/y', 'a/x/y'],
    ['a/relative', 'c/d'],
    ['a/relative/..', 'c'],
    ['missing/up', 'missing/up'],
  ]
  for (const [path, leads] of cases) assert.equal(follow(path), leads, path)
})

test('a circle ends; forty links are followed and one more is not', () => {
  assert.throws(() => follow('one'), /too many/)
  const chain = (length: number) =>
    followLinks('0', { look: (at) => ({ link: Number(at) < length ? String(Number(at) + 1) : undefined }), tooMany })
  assert.equal(chain(40), '40')
  assert.throws(() => chain(41), /too many/)
})

test('the walk ends where it is told to, and knows the last word', () => {
  const seen: [string, boolean][] = []
  const look = (path: string, isLast: boolean) => {
    seen.push([path, isLast])
    return path === 'a/b' ? undefined : {}
  }
  assert.equal(followLinks('a/b', { look, tooMany }), undefined)
  assert.deepEqual(seen, [
    ['a', false],
    ['a/b', true],
  ])
})
