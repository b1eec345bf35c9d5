import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { resolve } from 'node:path'
import { test } from 'node:test'
import { execute } from '../kit/bale.ts'
import { cannotRun, prepared } from './prepared.ts'

/** Deeper than a path may be long (4,095 bytes), and than a process may have files open below. */
const DEPTH = 300
const NAME = 'directory-of-twenty-x'
const MAKE = `const fs = require('fs')
for (let n = 0; n < ${DEPTH}; n++) { fs.mkdirSync('${NAME}'); process.chdir('${NAME}') }
fs.writeFileSync('leaf', 'x')`
const program = resolve(import.meta.dirname, '../../bin/bale')

/** No shell gets so deep: its working directory would have no name. */
async function makeDeep(directory: string): Promise<void> {
  mkdirSync(directory, { recursive: true })
  const made = await execute(process.execPath, ['-e', MAKE], { cwd: directory })
  assert.equal(made.code, 0, made.stderr)
}

test('a tree deeper than any path is measured, compared, exported, copied and removed (T29)', {
  skip: cannotRun,
}, async () => {
  await using place = await prepared()
  const { bale } = place
  const id = await bale.run(['create', '--name', 'deep', '-v', 'vol-deep:/v', 'busybox:1', 'true'])
  await makeDeep(`${bale.directory}/root/containers/${id}/upper/tmp`)
  await makeDeep(`${bale.directory}/root/volumes/vol-deep/_data`)
  // With few descriptors: none is held for each level.
  const few = async (script: string) => {
    const env = { ...bale.environment, BALE: program }
    const done = await execute('sh', ['-c', `ulimit -n 256; ${script}`], { env })
    assert.equal(done.stderr, '', script)
    return done.stdout.trim()
  }
  assert.match(await bale.run(['ps', '-a', '-s', '--format', '{{.Names}} {{.Size}}']), /^deep 1B/)
  await bale.run(['system', 'df', '-v'])
  await bale.run(['system', 'prune', '-f', '--filter', 'until=1h'])
  assert.ok(Number(await few('"$BALE" diff deep | wc -l')) > DEPTH)
  assert.ok(Number(await few('"$BALE" export deep | wc -c')) > DEPTH * 512)
  assert.ok(Number(await few('"$BALE" cp deep:/tmp - | wc -c')) > DEPTH * 512)
  // No other program could unpack such a layer: refused in words.
  const committed = await bale.try(['commit', 'deep', 'deep:1'])
  assert.notEqual(committed.code, 0)
  assert.match(committed.stderr, /has a path of \d+ bytes/)
  const out = await bale.try(['cp', 'deep:/tmp', `${bale.directory}/out`])
  assert.doesNotMatch(out.stderr, /unexpected failure/)
  await bale.run(['rm', '-v', 'deep'])
  await bale.run(['volume', 'rm', 'vol-deep'])
})
