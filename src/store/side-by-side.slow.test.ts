import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { temporaryDirectory } from '#host/file'

const execute = promisify(execFile)

test('200 loads of two layers side by side all end well', async () => {
  // In memory: what is tried are the threads, not the disk.
  await using directory = await temporaryDirectory(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'bale-loads-')
  const script = fileURLToPath(new URL('../../test/kit/side-by-side-loads.ts', import.meta.url))
  const flags = ['--expose-gc', '--conditions=source', '--disable-warning=ExperimentalWarning']
  // With the cache each of the hundred threads starts in a third of the time.
  const options = { env: { NODE_COMPILE_CACHE: `${directory.path}/cache` } }
  const { stdout, stderr } = await execute(process.execPath, [...flags, script, directory.path, '200'], options)
  assert.equal(stderr, '')
  assert.equal(stdout, 'done 400\n')
})
