import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ProgressEvent } from '#base'
import type { Terminal } from '../terminal/terminal.ts'
import { createBuildProgress } from './build-progress.ts'

/** What the events look like, with the seconds of output lines blanked. */
function shown(events: ProgressEvent[], options?: { quiet: boolean }): string {
  const parts: string[] = []
  const io = { stderr: { write: (part: string | Buffer) => parts.push(part.toString()) > 0 } } as unknown as Terminal
  const progress = createBuildProgress(io, options)
  for (const event of events) progress.report(event)
  progress.finish()
  return parts.join('').replace(/^(#\d+) \d+\.\d{3} /gm, '$1 T ')
}

const output = (id: string, text: string): ProgressEvent => ({
  kind: 'output',
  id,
  stream: 'stdout',
  bytes: Buffer.from(text),
})

test('steps are numbered as they come, output is shown by lines, a blank line stands between speakers', () => {
  assert.equal(
    shown([
      { kind: 'step', id: '0.1', name: '[1/3] FROM base', state: 'cached' },
      { kind: 'step', id: '0.2', name: '[2/3] RUN a', state: 'start' },
      output('0.2', 'one\ntw'),
      { kind: 'step', id: '1.1', name: '[b 1/1] RUN b', state: 'start' },
      output('0.2', 'o\nlast'),
      { kind: 'step', id: '0.2', name: '[2/3] RUN a', state: 'done', seconds: 1.23 },
      { kind: 'warning', text: 'careful' },
      { kind: 'step', id: '1.1', name: '[b 1/1] RUN b', state: 'failed' },
    ]),
    '#1 [1/3] FROM base\n#1 CACHED\n\n#2 [2/3] RUN a\n#2 T one\n\n#3 [b 1/1] RUN b\n\n#2 T two\n#2 T last\n#2 DONE 1.2s\n' +
      '\nWARNING: careful\n#3 ERROR\n',
  )
})

test('bytes are shown as they are, also of a character that comes in two pieces or is none', () => {
  const pieces: Buffer[] = []
  const io = { stderr: { write: (part: string | Buffer) => pieces.push(Buffer.from(part)) > 0 } } as unknown as Terminal
  const progress = createBuildProgress(io)
  const bytes = [
    Buffer.from('caf\xc3', 'latin1'),
    Buffer.from('\xa9 \xe9t\xe9\n', 'latin1'),
    Buffer.from('\xf0\x9f', 'latin1'),
  ]
  for (const one of bytes) progress.report({ kind: 'output', id: '1', stream: 'stdout', bytes: one })
  progress.report({ kind: 'step', id: '1', name: 'x', state: 'done', seconds: 0 })
  const shownBytes = Buffer.concat(pieces)
    .toString('latin1')
    .replace(/-?\d+\.\d{3} /g, '')
  assert.equal(shownBytes, '#1 caf\xc3\xa9 \xe9t\xe9\n#1 \xf0\x9f\n#1 DONE 0.0s\n')
})

test('quiet shows nothing', () => {
  assert.equal(shown([{ kind: 'step', id: '1', name: 'x', state: 'cached' }], { quiet: true }), '')
})
