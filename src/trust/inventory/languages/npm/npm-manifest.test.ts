import assert from 'node:assert/strict'
import { test } from 'node:test'
import { memoryFile } from '../../../../../test/kit/memory-file.ts'
import { npmManifest } from './index.ts'

const analyse = async (text: string | Buffer, path = 'app/node_modules/a/package.json') =>
  npmManifest.analyse(memoryFile(path, Buffer.from(text)), () => undefined)

const wants = (path: string) => npmManifest.wants({ path, size: 100, mode: 0o644 }) !== undefined

test('a manifest is looked at wherever it is, and no file with a similar name', () => {
  for (const path of ['package.json', 'app/package.json', 'a/node_modules/@s/b/package.json', 'opt/yarn/package.json'])
    assert.ok(wants(path), path)
  for (const path of ['my-package.json', 'package.json5', 'app/package.json/x', 'package.json.bak', 'Package.json'])
    assert.ok(!wants(path), path)
})

const licences: [name: string, members: string, expected: string[] | undefined][] = [
  ['an expression', '"license":"(MIT OR Apache-2.0)"', ['(MIT OR Apache-2.0)']],
  ['an object with a type', '"license":{"type":"BSD-3-Clause","url":"https://example.org"}', ['BSD-3-Clause']],
  ['an object with a name', '"license":{"name":"ISC"}', ['ISC']],
  ['a list of objects', '"licenses":[{"type":"MIT"},{"type":"GPL-2.0"}]', ['MIT', 'GPL-2.0']],
  ['a list of names', '"licenses":["MIT","GPL-2.0"]', ['MIT', 'GPL-2.0']],
  ['a name in the plural', '"licenses":"MIT"', ['MIT']],
  ['none', '"description":"x"', undefined],
  ['what is none', '"license":5,"licenses":[null,{"type":[]},""]', undefined],
  ['a whole text', `"license":"${'Permission is hereby granted. '.repeat(20)}"`, undefined],
]

for (const [name, members, expected] of licences) {
  test(`the licence of an npm package: ${name}`, async () => {
    const { packages, gaps } = await analyse(`{"name":"@scope/a","version":"1.2.3",${members}}`)
    assert.equal(gaps, undefined)
    const licence = expected ? { licences: expected } : {}
    assert.deepEqual(packages, [{ type: 'npm', name: '@scope/a', version: '1.2.3', ...licence }])
  })
}

const nothing: [name: string, text: string][] = [
  ['no name', '{"version":"1.0.0"}'],
  ['no version', '{"name":"a","type":"module"}'],
  ['an empty object', '{}'],
  ['a version that is no text', '{"name":"a","version":1}'],
  ['a name that is no text', '{"name":["a"],"version":"1.0.0"}'],
  ['a name with a space', '{"name":"a b","version":"1.0.0"}'],
  ['a name with a newline', '{"name":"a\\nb","version":"1.0.0"}'],
  ['a name that turns the direction of text', '{"name":"a\\u202eb","version":"1.0.0"}'],
  ['a name that is half a character', '{"name":"a\\ud800","version":"1.0.0"}'],
  ['a name of a million characters', `{"name":"${'a'.repeat(1e6)}","version":"1.0.0"}`],
  ['a name in a prototype', '{"__proto__":{"name":"a","version":"1.0.0"}}'],
]

for (const [name, text] of nothing) {
  test(`a manifest with ${name} is no package, and nothing was missed`, async () => {
    const { packages = [], gaps } = await analyse(text)
    assert.deepEqual([packages, gaps], [[], undefined])
  })
}

test('a manifest is read as npm reads it: with a byte-order mark, and the last of equal keys', async () => {
  const { packages } = await analyse('\ufeff{"name":"a","version":"1.0.0","version":"2.0.0"}')
  assert.deepEqual(packages, [{ type: 'npm', name: 'a', version: '2.0.0' }])
})

const damaged: [name: string, text: string | Buffer, message: RegExp][] = [
  ['cut', '{"name":"a","ver', /^the manifest is not JSON$/],
  ['empty', '', /^the manifest is not JSON$/],
  ['binary', Buffer.from([0xff, 0xfe, 0, 1]), /^the manifest is not JSON$/],
  ['a list', '[1]', /^the manifest is not a JSON object$/],
  ['nested deeply', '['.repeat(1 << 20), /^the manifest is nested deeper than 256 levels$/],
]

for (const [name, text, message] of damaged) {
  test(`a damaged manifest (${name}) is refused where npm installs packages`, async () => {
    for (const path of ['a/node_modules/b/package.json', 'node_modules/@s/b/package.json', 'opt/app/package.json'])
      await assert.rejects(analyse(text, path), { name: 'BaleError', code: 'INVALID_ARGUMENT', message }, path)
  })

  test(`a damaged manifest (${name}) inside of a package is one that the package is tested with`, async () => {
    for (const path of ['node_modules/resolve/test/package.json', 'x/node_modules/@s/b/test/c/package.json'])
      assert.deepEqual(await analyse(text, path), {}, path)
  })
}

test('brackets in texts, and many values beside one another, are no nesting', async () => {
  const text = `{"name":"a","version":"1.0.0","d":"${'\\"['.repeat(1000)}","e":[${'[{}],'.repeat(1000)}1]}`
  const { packages } = await analyse(text)
  assert.deepEqual(packages, [{ type: 'npm', name: 'a', version: '1.0.0' }])
})

test('a manifest with more members than any document needs is refused before it is built in memory', async () => {
  const text = Buffer.alloc(9 << 20, '1,').fill('[', 0, 1)
  await assert.rejects(analyse(text), { code: 'LIMIT_EXCEEDED', message: /more than 4000000 members/ })
})

test('names of one file are looked at alike where a damaged one is the same to them', () => {
  const as = (path: string) => npmManifest.wants({ path, size: 1, mode: 0o644 })?.as
  assert.equal(as('node_modules/a/package.json'), as('srv/package.json'))
  assert.notEqual(as('node_modules/a/package.json'), as('node_modules/a/test/package.json'))
})
