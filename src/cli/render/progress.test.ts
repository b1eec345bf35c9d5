import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Terminal } from '../verb.ts'
import { createProgressView } from './progress.ts'

/** A terminal that remembers what was written to it. */
function screen(more: { columns?: number; rows?: number; isTTY?: boolean; term?: string } = {}) {
  const { columns = 80, rows = 24, isTTY = true, term = 'xterm' } = more
  const stdout = {
    columns,
    rows,
    isTTY,
    written: '',
    write(text: string) {
      stdout.written += text
      return true
    },
  }
  const warnings: string[] = []
  const warn = (line: string) => warnings.push(line)
  return { stdout, warnings, io: { stdout, stderr: stdout, warn, environment: { TERM: term } } as unknown as Terminal }
}

const layer = (number: number) => `layer${number}`
const half = { kind: 'advance', status: 'Downloading', current: 3_000_000, total: 6_000_000 } as const

test('a bar takes the room there is, and gives way to its numbers', () => {
  for (const [columns, expected] of [
    [120, `layer1: Downloading [${'='.repeat(20)}>${' '.repeat(20)}]  3MB/6MB\n`],
    [50, `layer1: Downloading [${'='.repeat(8)}>${' '.repeat(9)}]  3MB/6MB\n`],
    [32, 'layer1: Downloading 3MB/6MB\n'],
  ] as const) {
    const { io, stdout } = screen({ columns })
    {
      using view = createProgressView(io)
      view.report({ ...half, id: layer(1) })
    }
    assert.equal(stdout.written, expected)
    assert.ok(stdout.written.length <= columns)
  }
})

test('more things than rows: the last ones move, all stand there at the end', () => {
  const { io, stdout } = screen({ rows: 6 })
  {
    using view = createProgressView(io)
    for (let number = 1; number <= 10; number++) view.report({ kind: 'status', id: layer(number), status: 'Waiting' })
    // A warning draws at once.
    view.report({ kind: 'warning', text: 'slow' })
    assert.deepEqual(stdout.written.match(/layer\d+/g), [6, 7, 8, 9, 10].map(layer))
    stdout.written = ''
  }
  assert.ok(stdout.written.startsWith('\x1b[5A\x1b[J'))
  assert.equal(stdout.written.match(/layer\d+/g)?.length, 10)
})

test('lines that a narrower window has folded are moved over whole', () => {
  const { io, stdout } = screen({ columns: 80 })
  using view = createProgressView(io)
  view.report({ ...half, id: layer(1) })
  view.report({ kind: 'warning', text: 'slow' })
  stdout.columns = 30
  stdout.written = ''
  view.report({ kind: 'warning', text: 'slower' })
  // 72 characters are three lines of thirty.
  assert.ok(stdout.written.startsWith('\x1b[3A\x1b[J'), JSON.stringify(stdout.written))
})

test('without a terminal that moves there are plain lines, one for each change; quiet leaves the warnings', () => {
  for (const plain of [{ isTTY: false }, { term: 'dumb' }]) {
    const { io, stdout } = screen(plain)
    using view = createProgressView(io)
    view.report({ kind: 'status', id: layer(1), status: 'Waiting' })
    view.report({ ...half, id: layer(1) })
    view.report({ kind: 'status', id: layer(1), status: 'Waiting' })
    view.report({ kind: 'status', id: layer(1), status: 'Done' })
    assert.equal(stdout.written, 'layer1: Waiting\nlayer1: Done\n')
  }
  const { io, stdout, warnings } = screen()
  using view = createProgressView(io, { quiet: true })
  view.report({ kind: 'status', id: layer(1), status: 'Waiting' })
  view.report({ kind: 'warning', text: 'slow' })
  assert.equal(stdout.written, '')
  assert.deepEqual(warnings, ['WARNING: slow'])
})
