import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryDirectory } from '#host/file'
import { replaceNames } from './name-server.ts'

test('a program that has got the number of a name server that is gone is left alone', async () => {
  await using directory = await temporaryDirectory(tmpdir(), 'names-')
  const servers = join(directory.path, 'aardvark-dns')
  mkdirSync(servers)
  // It would end by the signal that tells a name server to read its files again.
  const other = spawn('sh', ['-c', 'echo ready; read line; echo $line'], { stdio: ['pipe', 'pipe', 'inherit'] })
  try {
    await once(other.stdout, 'data')
    writeFileSync(join(servers, 'aardvark.pid'), String(other.pid))
    writeFileSync(join(servers, 'net'), '10.0.0.1\nowner 10.0.0.2  old')
    await replaceNames(directory.path, 'net', 'owner', ['new'])
    assert.match(readFileSync(join(servers, 'net'), 'utf8'), /owner 10\.0\.0\.2 {2}new/)
    const ended = once(other, 'exit')
    other.stdin.end('alive\n')
    assert.deepEqual(await ended, [0, null])
  } finally {
    other.kill('SIGKILL')
  }
})
