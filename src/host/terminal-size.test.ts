import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { setTerminalSize } from './terminal-size.ts'

test('a process without a terminal, or that is gone, has no size to be set', async () => {
  const child = spawn('cat', { stdio: ['pipe', 'ignore', 'ignore'] })
  setTerminalSize(child.pid!, { rows: 33, columns: 101 })
  child.stdin.end()
  await once(child, 'exit')
  setTerminalSize(child.pid!, { rows: 33, columns: 101 })
})

test('a process with a terminal has the size when the call returns', async () => {
  const ask = 'read line; stty size'
  const child = spawn('script', ['-qec', `sh -c 'echo pid $$; ${ask}'`, '/dev/null'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  let shown = ''
  child.stdout.on('data', (bytes: Buffer) => {
    shown += bytes.toString()
    const pid = /pid (\d+)/.exec(shown)?.[1]
    if (!pid || shown.includes('asked')) return
    shown += 'asked'
    setTerminalSize(Number(pid), { rows: 33, columns: 101 })
    child.stdin.end('\n')
  })
  await once(child, 'close')
  assert.match(shown, /33 101/)
})
