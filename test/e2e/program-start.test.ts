/** What `bin/bale` takes for a part of itself: nothing that another user of the machine may have put there. */
import assert from 'node:assert/strict'
import { chmodSync, copyFileSync, existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { test } from 'node:test'
import { execute } from '../kit/bale.ts'
import { temporaryDirectory } from '../kit/temporary.ts'

const project = resolve(import.meta.dirname, '../..')
const environment = { PATH: `${dirname(process.execPath)}:/usr/bin:/bin` }

function program(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, `#!/bin/sh\n${text}\n`)
  chmodSync(path, 0o755)
}

/** A copy of what starts bale, in `parent`/bale; without sources it ends there with an error. */
function copied(parent: string): string {
  mkdirSync(join(parent, 'bale/bin'), { recursive: true })
  for (const name of ['bale', 'start.js']) copyFileSync(join(project, 'bin', name), join(parent, 'bale/bin', name))
  return join(parent, 'bale/bin/bale')
}

test('a directory beside the package is taken for Node only when npm put both into node_modules', async () => {
  await using place = await temporaryDirectory('bale-start')
  for (const [parent, taken] of [
    ['work', false],
    ['not_node_modules', false],
    ['app/node_modules', true],
  ] as const) {
    const bale = copied(join(place.path, parent))
    program(join(place.path, parent, 'node/bin/node'), 'echo beside')
    assert.equal((await execute(bale, ['version'], { env: environment })).stdout === 'beside\n', taken, parent)
  }
  const linked = join(place.path, 'linked')
  symlinkSync(join(place.path, 'app/node_modules/bale/bin/bale'), linked)
  assert.equal((await execute(linked, ['version'], { env: environment })).stdout, 'beside\n', 'through a link')
})

test('compiled code comes from a directory of the user alone', async () => {
  await using place = await temporaryDirectory('bale-start')
  const start = async (tmp: string) => {
    const env = { ...environment, TMPDIR: tmp, HOME: place.path }
    return (await execute(join(project, 'bin/bale'), ['--version'], { env })).stdout
  }
  const uid = process.geteuid!()
  const own = join(place.path, `bale-compile-cache-${uid}`)
  assert.match(await start(place.path), /^bale version/)
  assert.notEqual(readdirSync(own).length, 0)
  assert.equal(existsSync(join(place.path, 'node-compile-cache')), false)
  // Somebody else was there first: a directory that all may write, a link to one.
  const open = join(place.path, 'open')
  mkdirSync(join(open, `bale-compile-cache-${uid}`), { recursive: true })
  chmodSync(join(open, `bale-compile-cache-${uid}`), 0o777)
  assert.match(await start(open), /^bale version/)
  assert.deepEqual(readdirSync(join(open, `bale-compile-cache-${uid}`)), [])
  const links = join(place.path, 'links')
  mkdirSync(join(links, 'target'), { recursive: true })
  symlinkSync('target', join(links, `bale-compile-cache-${uid}`))
  assert.match(await start(links), /^bale version/)
  assert.deepEqual(readdirSync(join(links, 'target')), [])
})
