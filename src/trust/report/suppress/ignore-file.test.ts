import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isBaleError } from '#base'
import { parseIgnoreFile } from './ignore-file.ts'

const parse = (text: string) => parseIgnoreFile(text, 'ignore.yaml')

test('an ignore file lists vulnerabilities with their reasons', async () => {
  const entries = await parse(`
ignore:
  - id: CVE-2024-1
    reason: the function is never called
  # Until the next release of the base image.
  - id: GHSA-xxxx
    package: pkg:npm/@scope/*
    reason: behind the proxy
    expires: 2026-12-31
    author: ann
`)
  assert.deepEqual(entries, [
    { id: 'CVE-2024-1', reason: 'the function is never called', place: 'ignore.yaml:3' },
    {
      id: 'GHSA-xxxx',
      package: 'pkg:npm/@scope/*',
      reason: 'behind the proxy',
      expires: '2026-12-31',
      author: 'ann',
      place: 'ignore.yaml:6',
    },
  ])
})

test('an empty ignore file, and one in JSON, are ignore files', async () => {
  assert.deepEqual(await parse('# nothing yet\n'), [])
  assert.deepEqual(await parse('{"ignore": []}'), [])
})

interface Mistake {
  name: string
  text: string
  says: RegExp
}

const MISTAKES: Mistake[] = [
  {
    name: 'a missing reason',
    text: 'ignore:\n  - id: CVE-1\n',
    says: /^ignore\.yaml:2:5: ignore\[0\]\.reason: is missing$/,
  },
  {
    name: 'an empty reason',
    text: 'ignore: [{id: CVE-1, reason: " "}]',
    says: /^ignore\.yaml:1:30: ignore\[0\]\.reason: expects why/,
  },
  {
    name: 'an unknown key',
    text: 'ignore:\n  - id: CVE-1\n    reason: x\n    expire: 2026-01-01\n',
    says: /^ignore\.yaml:4:5: ignore\[0\]\.expire: unknown key; did you mean expires\?$/,
  },
  {
    name: 'another key on top',
    text: 'vulnerabilities: []\n',
    says: /ignore\.yaml:1:1: vulnerabilities: unknown key; expects ignore/,
  },
  {
    name: 'a day that is none',
    text: 'ignore: [{id: a, reason: b, expires: 2026-02-30}]',
    says: /:1:38: ignore\[0\]\.expires: expects a day, such as 2026-12-31, not "2026-02-30"/,
  },
  {
    name: 'a number as id',
    text: 'ignore: [{id: 1, reason: b}]',
    says: /ignore\[0\]\.id: expects the id .* not the number 1/,
  },
  { name: 'a list on top', text: '- id: CVE-1\n', says: /^ignore\.yaml:1:1: / },
  {
    name: 'an entry that is a text',
    text: 'ignore: [CVE-1]',
    says: /^ignore\.yaml:1:10: ignore\[0\]: expects an entry with id and reason, not "CVE-1"/,
  },
  { name: 'a key twice', text: 'ignore: []\nignore: []\n', says: /^ignore\.yaml:2:1: / },
  { name: 'no YAML', text: 'ignore: [', says: /^ignore\.yaml:1:10: / },
  { name: 'an alias', text: 'ignore: [&a {id: x, reason: y}, *a]', says: /alias/ },
  {
    name: 'aliases of aliases',
    text: `a: &a [x]\n${Array.from({ length: 30 }, (_one, at) => `b${at}: &b${at} [*${at ? `b${at - 1}` : 'a'}, *${at ? `b${at - 1}` : 'a'}]`).join('\n')}\nignore: *b29\n`,
    says: /alias/,
  },
  { name: 'a deep nesting', text: `ignore: ${'['.repeat(100_000)}`, says: /ignore\.yaml/ },
  {
    name: '__proto__ as a key',
    text: 'ignore: [{id: a, reason: b, __proto__: {package: c}}]',
    says: /__proto__: unknown key/,
  },
  { name: 'a reason of several lines', text: 'ignore:\n  - id: a\n    reason: "x\\ny"\n', says: /reason: expects why/ },
]

for (const { name, text, says } of MISTAKES) {
  test(`an ignore file with ${name} is refused with its place`, async () => {
    await assert.rejects(parse(text), (error) => {
      assert.ok(isBaleError(error, 'INVALID_ARGUMENT'), String(error))
      assert.match(error.message, says)
      return true
    })
  })
}

test('all mistakes are told at once', async () => {
  await assert.rejects(parse('ignore: [{id: a}, {reason: b}]'), ({ message }) => message.split('\n').length === 2)
})

test('a file that is too long is refused before it is parsed', async () => {
  await assert.rejects(parse('#'.repeat((256 << 10) + 1)), (error) => isBaleError(error, 'LIMIT_EXCEEDED'))
})
