import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import { isBaleError } from '#base'
import { compileTemplate } from './compile-template.ts'

interface Recorded {
  image: Record<string, unknown>
  cases: { template: string; text?: string; error?: string }[]
}
const recorded = JSON.parse(readFileSync(new URL('./testdata/templates.json', import.meta.url), 'utf8')) as Recorded
const run = (template: string, data: unknown = recorded.image) => compileTemplate(template)(data)

interface RecordedObjects {
  documents: { document: Record<string, unknown>; cases: Recorded['cases'] }[]
}

test('templates print what docker printed for the same container, volume and network', () => {
  const file = new URL('./testdata/object-templates.json', import.meta.url)
  const { documents } = JSON.parse(readFileSync(file, 'utf8')) as RecordedObjects
  assert.equal(documents.length, 3)
  for (const { document, cases } of documents) {
    for (const { template, text, error } of cases) {
      if (error === undefined) assert.equal(run(template, document), text, template)
      else assert.throws(() => run(template, document), { message: error }, template)
    }
  }
})

test('templates print what docker printed for the same image, mistakes included', () => {
  assert.ok(recorded.cases.length > 180)
  for (const { template, text, error } of recorded.cases) {
    if (error === undefined) assert.equal(run(template), text, template)
    else
      assert.throws(
        () => run(template),
        (thrown) => isBaleError(thrown, 'INVALID_ARGUMENT') && thrown.message === error,
        template,
      )
  }
})

test('a compiled template may be used on many documents', () => {
  const template = compileTemplate('{{$x := .a}}{{range .b}}{{$x}}{{.}} {{end}}')
  assert.equal(template({ a: 1, b: [2, 3] }), '12 13 ')
  assert.equal(template({ a: 'q', b: [] }), '')
})

test('a missing label is <no value>, a missing member a mistake; ports that are not there index as nothing', () => {
  const container = {
    Config: { Labels: {} },
    NetworkSettings: { Ports: { '80/tcp': [{ HostIp: '', HostPort: '8080' }] } },
  }
  assert.equal(run('{{.Config.Labels.none}}', container), '<no value>')
  assert.equal(run('{{(index (index .NetworkSettings.Ports "80/tcp") 0).HostPort}}', container), '8080')
  assert.equal(run('{{len (index .NetworkSettings.Ports "9/tcp")}}', container), '0')
  assert.throws(
    () => run('{{(index (index .NetworkSettings.Ports "9/tcp") 0).HostPort}}', container),
    /index out of range: 0/,
  )
  assert.equal(
    run('{{range $p, $c := .NetworkSettings.Ports}}{{$p}}->{{(index $c 0).HostPort}}{{end}}', container),
    '80/tcp->8080',
  )
})

test('inherited members of JavaScript objects are not there', () => {
  for (const name of ['constructor', 'toString', '__proto__']) {
    assert.throws(() => run(`{{.${name}}}`), /map has no entry/)
    assert.throws(() => run(`{{${name} .}}`), /not defined/)
  }
  assert.equal(run('{{index .Config.Labels "constructor"}}'), '')
})

test('a mistake in the second line is reported with line and column', () => {
  assert.throws(() => run('a\n é{{.Nope}}'), /template: :2:5: executing/)
  assert.throws(() => run('a\n{{if}}'), /template: :2: missing value for if/)
})

test('a template that calls itself forever, or asks for endless padding, ends', () => {
  assert.throws(() => run('{{define "x"}}{{template "x"}}{{end}}{{template "x"}}'), /maximum template depth/)
  assert.ok(run('{{printf "%999999999d" 1}}').length <= 10_000)
  assert.throws(() => run('{{pad "x" 999999999 0}}'), /negative Repeat count/)
})

test('property: any text compiles and runs, or is refused with INVALID_ARGUMENT', () => {
  const piece = fc.constantFrom(
    '{{',
    '}}',
    '{{-',
    ' -}}',
    '.Os',
    '.Config',
    '.Env',
    '.',
    '$x',
    ':=',
    '=',
    '|',
    '(',
    ')',
    ' ',
    'if ',
    'range ',
    'end',
    'else',
    'with ',
    'json',
    'index',
    'eq',
    '"a"',
    '`b`',
    '1',
    '-2.5',
    'nil',
    'true',
    ',',
    'define "t"',
    'template "t"',
    'break',
    '/* c */',
    'x',
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 16 }), (pieces) => {
      try {
        assert.equal(typeof run(pieces.join('')), 'string')
      } catch (error) {
        assert.ok(isBaleError(error, 'INVALID_ARGUMENT'), `${pieces.join('')}: ${(error as Error).stack}`)
      }
    }),
    { numRuns: 3000 },
  )
})
