import assert from 'node:assert/strict'
import { test } from 'node:test'
import { alignColumns } from './align-columns.ts'
import { isQuiet, type ListFormat, renderList, withLabels } from './list-format.ts'

interface Row extends Record<string, unknown> {
  ID: string
  Repository: string
  Tag: string
  Digest: string
  Comment: string
}
const row = (ID: string, Repository: string, Tag: string): Row => ({
  ID,
  Repository,
  Tag,
  Digest: '<none>',
  Comment: '',
})
const rows = [row('0cc9da6ee471', 'imp', 'latest'), row('dc94d420bc86', 'localhost:5000/team/one', '1')]
const images: ListFormat<Row> = {
  headers: { ID: 'IMAGE ID', Repository: 'REPOSITORY', Tag: 'TAG', Comment: 'COMMENT' },
  table: '{{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.Comment}}',
  rowType: '*formatter.imageContext',
}

// Each was printed by docker 20.10 for such rows.
const formats: [format: string | undefined, lines: string[]][] = [
  [
    undefined,
    [
      'REPOSITORY                TAG       IMAGE ID       COMMENT',
      'imp                       latest    0cc9da6ee471   ',
      'localhost:5000/team/one   1         dc94d420bc86   ',
    ],
  ],
  [
    'table {{upper .ID}}\\t{{lower .Repository}}',
    ['IMAGE ID       REPOSITORY', '0CC9DA6EE471   imp', 'DC94D420BC86   localhost:5000/team/one'],
  ],
  [
    'table {{json .ID}}\\t{{printf "%.3s" .ID}}',
    ['IMAGE ID         IMA', '"0cc9da6ee471"   0cc', '"dc94d420bc86"   dc9'],
  ],
  [
    'table {{.Repository}}:{{.Tag}} {{.ID}}',
    ['REPOSITORY:TAG IMAGE ID', 'imp:latest 0cc9da6ee471', 'localhost:5000/team/one:1 dc94d420bc86'],
  ],
  ['{{.ID}}\\n\\t{{.Tag}}', ['0cc9da6ee471', '\tlatest', 'dc94d420bc86', '\t1']],
  ['x', ['x', 'x']],
]

test('quiet gives way to a template, not to the table; an empty format is none', () => {
  assert.equal(isQuiet({ quiet: true }), true)
  assert.equal(isQuiet({ quiet: true, format: 'table' }), true)
  assert.equal(isQuiet({ quiet: true, format: '{{.ID}}' }), false)
  assert.equal(isQuiet({ format: 'table' }), false)
  assert.equal(renderList(rows, images, ''), renderList(rows, images))
})

test('a row has the method Label, which is no member', () => {
  const labelled = withLabels({ ID: '1', Labels: 'a.b=c' }, { 'a.b': 'c' })
  const list = { headers: { ID: 'ID' }, table: '{{.ID}}', rowType: '*formatter.containerContext' }
  assert.equal(renderList([labelled], list, '{{.Label "a.b"}}|{{.Label "valueOf"}}'), 'c|\n')
  assert.equal(renderList([labelled], list, '{{if eq (.Label "a.b") "c"}}yes{{end}}'), 'yes\n')
  assert.equal(renderList([labelled], list, '{{"a.b" | .Label}}'), 'c\n')
  assert.equal(
    renderList([labelled], list, 'table {{.ID}}\\t{{.Label "x.some-name"}}'),
    'ID        some name\n1         \n',
  )
  assert.equal(renderList([labelled], list, 'json'), '{"ID":"1","Labels":"a.b=c"}\n')
  assert.throws(() => renderList([labelled], list, '{{.Label}}'), /wrong number of args for Label: want 1 got 0/)
  assert.throws(() => renderList([labelled], list, '{{.Label 1}}'), /expected string; found 1/)
})

test('lists look as docker’s, by table, by template and by JSON', () => {
  for (const [format, lines] of formats) assert.equal(renderList(rows, images, format), `${lines.join('\n')}\n`, format)
  const json = '{"Comment":"","Digest":"\\u003cnone\\u003e","ID":"0cc9da6ee471","Repository":"imp","Tag":"latest"}\n'
  assert.equal(renderList(rows.slice(0, 1), images, 'json'), json)
  assert.equal(renderList(rows.slice(0, 1), images, '{{json .}}'), json)
  assert.equal(renderList([], images), 'REPOSITORY   TAG       IMAGE ID   COMMENT\n')
  assert.equal(renderList([], images, '{{.ID}}'), '')
})

test('an unknown member of a row is named with docker’s type', () => {
  assert.throws(() => renderList(rows, images, '{{.Nope}}'), {
    code: 'INVALID_ARGUMENT',
    message:
      'template parsing error: template: :1:2: executing "" at <.Nope>: can\'t evaluate field Nope in type *formatter.imageContext',
  })
})

test('columns are runs of lines: a line without the cell ends the column', () => {
  const text = 'aaaaaaaaaaaa\tb\nc\td\nno cell\ne\tf\n'
  assert.equal(alignColumns(text), 'aaaaaaaaaaaa   b\nc              d\nno cell\ne         f\n')
  assert.equal(alignColumns('é\t1\nab\t2'), 'é         1\nab        2')
})
