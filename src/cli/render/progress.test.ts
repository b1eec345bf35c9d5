import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Terminal } from '../terminal/terminal.ts'
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

const digestOf = (id: string) => `sha256:${id}${'0'.repeat(64 - id.length)}`
/** The ID of a layer, as it is shown. */
const layer = (number: number) => `abcdef${String(number).padStart(6, '0')}`
const half = { kind: 'layer', phase: 'moving', act: 'pull', current: 3_000_000, total: 6_000_000 } as const
const waiting = (number: number) => ({ kind: 'layer', digest: digestOf(layer(number)), phase: 'waiting' }) as const

test('a bar takes the room there is, and gives way to its numbers', () => {
  for (const [columns, expected] of [
    [120, `${layer(1)}: Downloading [${'='.repeat(20)}>${' '.repeat(20)}]  3MB/6MB\n`],
    [56, `${layer(1)}: Downloading [${'='.repeat(8)}>${' '.repeat(9)}]  3MB/6MB\n`],
    [38, `${layer(1)}: Downloading 3MB/6MB\n`],
  ] as const) {
    const { io, stdout } = screen({ columns })
    {
      using view = createProgressView(io)
      view.report({ ...half, digest: digestOf(layer(1)) })
    }
    assert.equal(stdout.written, expected)
    assert.ok(stdout.written.length <= columns)
  }
})

test('more things than rows: the last ones move, all stand there at the end', () => {
  const { io, stdout } = screen({ rows: 6 })
  {
    using view = createProgressView(io)
    for (let number = 1; number <= 10; number++) view.report(waiting(number))
    // A warning draws at once.
    view.report({ kind: 'warning', text: 'slow' })
    assert.deepEqual(stdout.written.match(/abcdef\d+/g), [6, 7, 8, 9, 10].map(layer))
    stdout.written = ''
  }
  assert.ok(stdout.written.startsWith('\x1b[5A\x1b[J'))
  assert.equal(stdout.written.match(/abcdef\d+/g)?.length, 10)
})

test('lines that a narrower window has folded are moved over whole', () => {
  const { io, stdout } = screen({ columns: 80 })
  using view = createProgressView(io)
  view.report({ ...half, digest: digestOf(layer(1)) })
  view.report({ kind: 'warning', text: 'slow' })
  stdout.columns = 30
  stdout.written = ''
  view.report({ kind: 'warning', text: 'slower' })
  // 78 characters are three lines of thirty.
  assert.ok(stdout.written.startsWith('\x1b[3A\x1b[J'), JSON.stringify(stdout.written))
})

test('without a terminal that moves there are plain lines, one for each change; quiet leaves the warnings', () => {
  for (const plain of [{ isTTY: false }, { term: 'dumb' }]) {
    const { io, stdout } = screen(plain)
    using view = createProgressView(io)
    view.report(waiting(1))
    view.report({ ...half, digest: digestOf(layer(1)) })
    view.report(waiting(1))
    view.report({ kind: 'layer', digest: digestOf(layer(1)), phase: 'done', act: 'pull' })
    assert.equal(stdout.written, `${layer(1)}: Waiting\n${layer(1)}: Pull complete\n`)
  }
  const { io, stdout, warnings } = screen()
  using view = createProgressView(io, { quiet: true })
  view.report(waiting(1))
  view.report({ kind: 'warning', text: 'slow' })
  assert.equal(stdout.written, '')
  assert.deepEqual(warnings, ['WARNING: slow'])
})
