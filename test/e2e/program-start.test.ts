/** What `bin/bale` takes for a part of itself: nothing that another user of the machine may have put there. */
import assert from 'node:assert/strict'
import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
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
  for (const name of ['bale', 'start.js', 'package.json'])
    copyFileSync(join(project, 'bin', name), join(parent, 'bale/bin', name))
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

test('a clone runs its bundle, and its sources when one is newer or there is no bundle', async () => {
  await using place = await temporaryDirectory('bale-start')
  const clone = join(place.path, 'clone')
  for (const name of ['bin', 'src', 'scripts', 'package.json', 'tsconfig.json'])
    cpSync(join(project, name), join(clone, name), { recursive: true })
  symlinkSync(join(project, 'node_modules'), join(clone, 'node_modules'))
  const say = async () => (await execute(join(clone, 'bin/bale'), ['--version'], { env: environment })).stdout
  const make = async () => {
    const made = await execute(process.execPath, [join(clone, 'scripts/bundle.ts')], { env: environment })
    assert.equal(made.code, 0, made.stderr)
    appendFileSync(join(clone, 'dist/cli/main.cjs'), '\nconsole.log("of the bundle")\n')
  }
  assert.doesNotMatch(await say(), /bundle/, 'there is none')
  await make()
  assert.match(await say(), /bundle/)
  appendFileSync(join(clone, 'src/spec/index.ts'), '\n')
  assert.doesNotMatch(await say(), /bundle/, 'an edit')
  await make()
  writeFileSync(join(clone, 'src/spec/more.ts'), '')
  assert.doesNotMatch(await say(), /bundle/, 'one more')
  await make()
  rmSync(join(clone, 'src/spec/more.ts'))
  assert.doesNotMatch(await say(), /bundle/, 'one removed')
  await make()
  assert.match(await say(), /bundle/)
  // What a monitor was told when its container started: no look at the sources, but still something to run.
  rmSync(join(clone, 'dist'), { recursive: true })
  const told = ['--disable-warning=ExperimentalWarning', join(clone, 'bin/start.js'), '--version']
  assert.deepEqual(
    { code: 0, stderr: '' },
    await execute(process.execPath, told, { env: environment }).then(({ code, stderr }) => ({ code, stderr })),
  )
})

test('a short command loads what it uses alone', async () => {
  await using place = await temporaryDirectory('bale-start')
  const tell = join(place.path, 'tell.cjs')
  writeFileSync(
    tell,
    `process.on('exit', () => require('node:fs').writeSync(2, JSON.stringify({
      files: Object.keys(require.cache), modules: process.moduleLoadList })))`,
  )
  const env = { ...environment, BALE_ROOT: join(place.path, 'root'), BALE_RUN: join(place.path, 'run') }
  const loaded = async (verb: string) => {
    const args = ['--require', tell, join(project, 'bin/start.js'), verb]
    const { code, stderr } = await execute(process.execPath, args, { env })
    assert.equal(code, 0, stderr)
    return JSON.parse(stderr) as { files: string[]; modules: string[] }
  }
  const has = ({ modules }: { modules: string[] }, name: string) => modules.includes(`NativeModule ${name}`)
  const version = await loaded('--version')
  assert.ok(version.files.length < 10, version.files.join('\n'))
  for (const name of ['stream', 'net', 'crypto']) assert.ok(!has(version, name), name)
  await loaded('ps')
  const ps = await loaded('ps')
  assert.ok(ps.files.length < 60, ps.files.join('\n'))
  for (const name of ['net', 'worker_threads', 'perf_hooks', 'http']) assert.ok(!has(ps, name), name)
})

test('packages of the bundle have the default that an import has', async () => {
  await using place = await temporaryDirectory('bale-start')
  const severity = [{ type: 'CVSS_V3', score: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H' }]
  const ranges = [{ type: 'SEMVER', events: [{ introduced: '0' }, { fixed: '1.0.0' }] }]
  const dates = { modified: '2024-01-01T00:00:00Z', published: '2024-01-01T00:00:00Z' }
  const affected = [{ package: { ecosystem: 'npm', name: 'x' }, ranges }]
  mkdirSync(join(place.path, 'osv'))
  // Its severity is read by a package that says that it was an ES module.
  writeFileSync(
    join(place.path, 'osv/A.json'),
    JSON.stringify({ schema_version: '1.6.0', id: 'CVE-2024-0001', ...dates, severity, affected }),
  )
  const env = {
    ...environment,
    HOME: place.path,
    BALE_ROOT: join(place.path, 'root'),
    BALE_RUN: join(place.path, 'run'),
  }
  const args = ['advisories', 'build', '-q', '--from', 'osv=osv', '-o', 'a.sqlite']
  const made = await execute(join(project, 'bin/bale'), args, { cwd: place.path, env })
  assert.deepEqual([made.code, made.stderr], [0, ''])
})
