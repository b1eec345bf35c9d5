import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkLogOptions, logAttributes, logLimits } from './log-options.ts'

test('a log has a limit unless it is asked to have none', () => {
  assert.deepEqual(logLimits(undefined), { maxSize: 20_000_000, maxFiles: 5 })
  const options = { 'max-size': '10m', 'max-file': '3' }
  assert.deepEqual(logLimits({ driver: 'json-file', options }), { maxSize: 10_000_000, maxFiles: 3 })
  assert.equal(logLimits({ driver: 'local', options: { 'max-size': '-1' } }), undefined)
  assert.equal(logLimits({ driver: 'none', options: {} }), undefined)
})

test("options copied from docker's documentation are accepted; other drivers and options are refused by name", () => {
  const usual = {
    compress: 'true',
    labels: 'a,b',
    tag: '{{.Name}}',
    env: 'HOME',
    'env-regex': '^A',
    mode: 'non-blocking',
  }
  for (const driver of ['json-file', 'local']) checkLogOptions({ driver, options: usual })
  const wrong: [string, Record<string, string>, RegExp][] = [
    ['journald', {}, /log driver journald is not supported/],
    ['json-file', { foo: '1' }, /^unknown log opt 'foo' for json-file log driver$/],
    ['json-file', { 'max-file': '0' }, /^max-file cannot be less than 1$/],
    ['json-file', { 'max-file': 'x' }, /max-file/],
    ['json-file', { 'max-size': 'x' }, /^invalid size: 'x'$/],
    ['json-file', { 'max-size': '-5m' }, /^invalid size/],
    ['json-file', { 'max-file': '1', compress: 'true' }, /^compress cannot be true/],
    ['json-file', { mode: 'fast' }, /mode not recognized/],
    ['json-file', { 'env-regex': '(' }, /regexp/],
    ['none', { 'max-size': '3m' }, /^invalid logging opts for driver none$/],
  ]
  for (const [driver, options, message] of wrong)
    assert.throws(() => checkLogOptions({ driver, options }), { message }, JSON.stringify([driver, options]))
})

test('details of a log are the labels, variables and the tag that its options name', () => {
  const container = {
    labels: { a: '1', b: '2' },
    env: ['A=x=y', 'B=z'],
    id: 'c'.repeat(64),
    name: 'web',
    image: 'img:1',
  }
  const options = { labels: 'a,none', 'env-regex': '^A$', tag: '{{.ImageName}}/{{ .Name }}/{{.ID}}' }
  assert.deepEqual(logAttributes({ driver: 'json-file', options }, container), {
    a: '1',
    A: 'x=y',
    tag: `img:1/web/${'c'.repeat(12)}`,
  })
  assert.deepEqual(logAttributes(undefined, container), {})
})
