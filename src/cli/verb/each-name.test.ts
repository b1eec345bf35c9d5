import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { BaleError } from '#base'
import type { Terminal } from '../terminal/terminal.ts'
import { eachName } from './each-name.ts'

function recorder(): { io: Terminal; lines: string[] } {
  const lines: string[] = []
  const streams = { stdin: new PassThrough(), stdout: new PassThrough(), stderr: new PassThrough() }
  const io: Terminal = {
    ...streams,
    environment: {},
    write: async (data) => void lines.push(String(data)),
    print: async (line) => void lines.push(line),
    warn: (line) => void lines.push(`warned: ${line}`),
  }
  return { io, lines }
}

test('many names are handled at once, reported in their order, and a failure of one does not stop the others', async () => {
  const { io, lines } = recorder()
  const under: string[] = []
  const all = Promise.withResolvers<void>()
  const act = async (name: string) => {
    under.push(name)
    // Nobody goes on before all have begun.
    if (under.length === 3) all.resolve()
    await all.promise
    if (name === 'b') throw new BaleError('CONFLICT', 'b will not')
    return name === 'c' ? '7' : undefined
  }
  assert.equal(await eachName(io, ['a', 'b', 'c'], act, { together: true }), 1)
  assert.deepEqual(
    lines.map((line) => line.split('\n')[0]),
    ['a', 'warned: bale: b will not', '7'],
  )
})

test('without that, one begins when the one before it has ended', async () => {
  const { io, lines } = recorder()
  let running = 0
  const act = async () => {
    assert.equal(++running, 1)
    await new Promise((resolve) => setImmediate(resolve))
    running--
  }
  assert.equal(await eachName(io, ['a', 'b', 'c'], act), 0)
  assert.deepEqual(lines, ['a', 'b', 'c'])
})
