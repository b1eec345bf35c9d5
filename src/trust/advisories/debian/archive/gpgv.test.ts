import assert from 'node:assert/strict'
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryDirectory } from '../../../../../test/kit/temporary.ts'
import { runGpgv } from './gpgv.ts'

const SIGNED = { file: Buffer.from('x'), detached: Buffer.from('y') }

async function runWith(script: string | undefined, mode = 0o755) {
  await using directory = await temporaryDirectory('bale-gpgv')
  const program = join(directory.path, 'gpgv')
  if (script !== undefined) {
    writeFileSync(program, `#!/bin/sh\n${script}\n`)
    chmodSync(program, mode)
  }
  return await runGpgv(program, SIGNED, [], undefined)
}

test('what gpgv says is read whatever its exit code; without gpgv there is no answer', async () => {
  const answer = await runWith('echo "[GNUPG:] NEWSIG"; echo "[GNUPG:] BADSIG 1 x"; exit 2')
  assert.deepEqual(answer?.signatures, [[['NEWSIG'], ['BADSIG', '1', 'x']]])
  assert.equal(await runWith(undefined), undefined)
})

for (const [title, script, mode, reason] of [
  ['cannot be run', '', 0o644, /EACCES/],
  ['is killed', 'kill -9 $$', 0o755, /SIGKILL/],
  ['writes without end', 'while :; do echo "[GNUPG:] NEWSIG"; done', 0o755, /more than 1048576 bytes/],
] as const) {
  test(`a gpgv that ${title} says nothing of signatures`, async () => {
    await assert.rejects(runWith(script, mode), { code: 'UNSUPPORTED_HOST', message: reason })
  })
}
