/** The reference pages must say what the code says, and every error code must be real: thrown, and seen by a test. */
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { test } from 'node:test'
import { ERROR_CODES } from '#base'
import { publicApi, undocumented } from '../scripts/public-api.ts'
import { apiPages, configurationPages, errorsPage, registryApiPages, verbsPage } from '../scripts/reference-pages.ts'
import { VERBS } from '../src/cli/verb-table.ts'

const root = resolve(import.meta.dirname, '..')
const page = (name: string) => readFileSync(resolve(root, 'docs', name), 'utf8')

test('docs/errors.md and docs/cli.md are what `npm run docs` writes', async () => {
  assert.equal(page('errors.md'), errorsPage())
  assert.equal(page('cli.md'), await verbsPage())
})

test('docs/registry-configuration.md and its JSON Schema are what `npm run docs` writes', async () => {
  const pages = await configurationPages((name) => readFileSync(resolve(root, 'deploy', name), 'utf8'))
  for (const [name, text] of Object.entries(pages)) assert.equal(page(name), text, name)
})

test('docs/registry/api.md and the OpenAPI document beside it are what `npm run docs` writes', async () => {
  for (const [name, text] of Object.entries(await registryApiPages())) assert.equal(page(name), text, name)
})

const api = publicApi(root)

test('docs/api is what `npm run docs` writes, and holds no other page', () => {
  const pages = apiPages(api)
  for (const [name, text] of Object.entries(pages)) assert.equal(page(name), text, name)
  const found = globSync('docs/api/*', { cwd: root }).map((path) => path.replace('docs/', ''))
  assert.deepEqual(found.sort(), Object.keys(pages).sort())
})

test('every public export, and every method of a public class, is documented', () => {
  assert.deepEqual(undocumented(api), [])
})

test('the types that operations of the engine name are exported beside them', () => {
  const named = new Set(api.flatMap(({ exports }) => exports.map(({ name }) => name)))
  const operations = api.find(({ room }) => room === 'engine')!.exports.flatMap(({ members }) => members)
  assert.ok(operations.length >= 70)
  const types = operations.flatMap(({ declaration }) => declaration.match(/\b[A-Z]\w+(?=[[\]<>,;)| ?]|$)/g) ?? [])
  const known = ['Promise', 'AsyncIterable', 'Uint8Array', 'AbortSignal', 'Disposable']
  assert.deepEqual(
    [...new Set(types)].filter((name) => !named.has(name) && !known.includes(name)),
    [],
  )
})

test('every error code is thrown somewhere in src and expected by a test', () => {
  const read = (pattern: string) =>
    globSync(pattern, { cwd: root }).map((file) => ({ file, text: readFileSync(resolve(root, file), 'utf8') }))
  const all = [...read('src/**/*.ts'), ...read('test/**/*.ts')]
  const isTest = (file: string) => /\.test\.ts$|contract\.ts$/.test(file)
  const named = (files: typeof all, code: string) => files.some((one) => one.text.includes(`'${code}'`))
  const sources = all.filter((one) => !isTest(one.file) && !one.file.endsWith('error-codes.ts'))
  const tests = all.filter((one) => isTest(one.file))
  const codes = Object.keys(ERROR_CODES)
  assert.deepEqual(
    {
      notThrown: codes.filter((code) => !named(sources, code)),
      notTested: codes.filter((code) => !named(tests, code)),
    },
    { notThrown: [], notTested: [] },
  )
})

test('docs/security-cases.md has every case once, and the tests it names carry the ids', () => {
  const rows = [...page('security-cases.md').matchAll(/^\| ([TMCRBASV]\d\d) \| .+ \| (.+) \|$/gm)]
  const range = (letter: string, last: number) =>
    Array.from({ length: last }, (_, index) => letter + String(index + 1).padStart(2, '0'))
  const cases = { T: 29, M: 15, C: 12, R: 20, B: 14, A: 22, S: 4, V: 4 }
  assert.deepEqual(
    rows.map((row) => row[1]),
    Object.entries(cases).flatMap(([letter, last]) => range(letter, last)),
  )
  for (const [, id = '', shown = ''] of rows) {
    if (/^not applicable yet: \S/.test(shown)) continue
    const files = [...shown.matchAll(/`([^`]+)`/g)].map((match) => match[1]!)
    assert.ok(files.length > 0, id)
    for (const file of files) assert.match(readFileSync(resolve(root, file), 'utf8'), new RegExp(`\\b${id}\\b`), file)
  }
})

test('every verb has a summary, examples that begin with its name, and no option twice', async () => {
  for (const entry of VERBS) {
    const { verb } = await entry.load()
    assert.equal(verb.name, entry.names[0])
    assert.equal(verb.summary, entry.summary, verb.name)
    assert.ok(verb.examples.length > 0, `bale ${verb.name} has no example`)
    for (const example of verb.examples) {
      assert.ok(
        entry.names.some((name) => example.command.includes(`bale ${name}`)),
        `${verb.name}: ${example.command}`,
      )
    }
    const flags = verb.options.flatMap((option) => option.flags.match(/--?[A-Za-z0-9-]+/g) ?? [])
    assert.deepEqual(
      flags.filter((flag, index) => flags.indexOf(flag) !== index),
      [],
      `bale ${verb.name}`,
    )
  }
})
