/** The programs of examples/ do what their first comment says. They run from the sources, as `node --conditions=source`. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, test } from 'node:test'
import { execute, type TestBale } from '../kit/bale.ts'
import { cannotRun, type Prepared, prepared } from './prepared.ts'

const examples = resolve(import.meta.dirname, '../../examples')
const words = (name: string, args: readonly string[]) => [
  '--conditions=source',
  '--disable-warning=ExperimentalWarning',
  join(examples, `${name}.ts`),
  ...args,
]

let place: Prepared
let bale: TestBale
let host: string
let server: ReturnType<typeof spawn>
const tried = new Set<string>()
const PASSWORD = 'correct-horse-battery'

/** Runs an example to its end and returns what it printed. */
async function run(name: string, args: readonly string[], env: Record<string, string> = {}): Promise<string> {
  tried.add(name)
  const done = await execute(process.execPath, words(name, args), { env: { ...bale.environment, ...env } })
  assert.equal(done.code, 0, `${name}: ${done.stderr}`)
  return done.stdout.trim()
}

const options = { skip: cannotRun }

before(async () => {
  if (cannotRun) return
  place = await prepared()
  bale = place.bale
  tried.add('serve-registry')
  server = spawn(process.execPath, words('serve-registry', [join(bale.directory, 'registry'), '0']), {
    env: { ...bale.environment, PASSWORD },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [url] = (await once(createInterface({ input: server.stdout! }), 'line')) as [string]
  host = new URL(url).host
  await bale.run(['login', '-u', 'ann', '--password-stdin', host], { input: PASSWORD })
  for (const tag of ['1', '2']) {
    await bale.run(['tag', 'busybox:1', `${host}/team/app:${tag}`])
    await bale.run(['push', `${host}/team/app:${tag}`])
  }
})

after(async () => {
  if (!place) return
  if (server.exitCode === null && server.kill('SIGTERM')) await once(server, 'exit')
  await place[Symbol.asyncDispose]()
})

test('a registry is served, and images are pulled from it, inspected and watched', options, async () => {
  await bale.run(['rmi', '-f', 'busybox:1', `${host}/team/app:1`, `${host}/team/app:2`])
  assert.match(
    await run('watch-progress', [`${host}/team/app:1`]),
    /^[0-9a-f]{12} planned\n[\s\S]*^[0-9a-f]{12} done$/m,
  )
  const printed = await run('pull-and-inspect', [`${host}/team/app:1`])
  assert.match(printed, /is sha256:[0-9a-f]{64}\narchitecture \w+, command \["sh"\]\nlayer sha256:[0-9a-f]{64}$/)
  await bale.run(['tag', `${host}/team/app:1`, 'busybox:1'])
})

test('tags are listed with a login, and refused without one', options, async () => {
  const login = { USERNAME: 'ann', PASSWORD }
  assert.equal(await run('list-tags', [`${host}/team/app`], login), '1\n2')
  const refused = await execute(process.execPath, words('list-tags', [`${host}/team/app`]), { env: bale.environment })
  assert.notEqual(refused.code, 0)
  assert.match(refused.stderr, /UNAUTHORIZED/)
})

test('an image is copied between repositories, and nothing is sent the second time', options, async () => {
  const names = [`${host}/team/app:1`, `${host}/team/copy:1`]
  assert.match(await run('copy-between-registries', names), /^sha256:[0-9a-f]{64}: \d+ bytes were copied$/)
  assert.match(await run('copy-between-registries', names), /: 0 bytes were copied$/)
})

test('an image is built from a text and run', options, async () => {
  assert.match(await run('build-from-string', ['busybox:1', 'greeting:1']), /^greeting:1 is sha256:/)
  const { code, stdout, stderr } = JSON.parse(await run('run-and-collect', ['greeting:1', 'cat', '/greeting']))
  assert.deepEqual({ code, stdout, stderr }, { code: 0, stdout: 'hello\n', stderr: '' })
  const compared = await run('diff-layers', ['busybox:1', 'greeting:1'])
  assert.match(compared, /^= sha256:[0-9a-f]{64}\n\+ sha256:[0-9a-f]{64}$/)
  assert.equal(await bale.run(['ps', '-aq']), '')
})

test('an image is made of the files of a directory', options, async () => {
  const directory = join(bale.directory, 'files')
  mkdirSync(join(directory, 'etc'), { recursive: true })
  writeFileSync(join(directory, 'etc/app.conf'), 'a = 1\n')
  symlinkSync('app.conf', join(directory, 'etc/link'))
  await run('image-from-directory', [directory, 'files:1'])
  const id = await bale.run(['create', 'files:1', 'none'])
  assert.match(await bale.run(['cp', `${id}:/etc/link`, '-']), /app\.conf/)
  await bale.run(['rm', id])
})

test('an image is saved as an archive that loads', options, async () => {
  const file = join(bale.directory, 'saved.tar')
  const anonymous = await execute(process.execPath, words('save-oci-archive', [`${host}/team/app:1`, file]), {
    env: bale.environment,
  })
  assert.match(anonymous.stderr, /UNAUTHORIZED/)
  await run('save-oci-archive', [`${host}/team/app:1`, file], { USERNAME: 'ann', PASSWORD })
  assert.match(await bale.run(['load', '-i', file]), /^Loaded image: .*team\/app:1$/)
})

test('every example is tried here', options, () => {
  assert.deepEqual(
    [...tried].map((name) => `${name}.ts`).sort(),
    readdirSync(examples)
      .filter((name) => name.endsWith('.ts'))
      .sort(),
  )
})
