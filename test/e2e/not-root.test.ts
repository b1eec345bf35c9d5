import assert from 'node:assert/strict'
import { chmodSync, chownSync, cpSync, existsSync, mkdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { execute, type Outcome, type RunOptions, testBale } from '../kit/bale.ts'
import { busyboxMissing, busyboxTar } from '../kit/busybox.ts'
import { baleRegistry } from '../kit/registry.ts'

const UID = 54_321
const skip =
  process.getuid?.() !== 0
    ? 'needs root, to become another user'
    : (busyboxMissing() ?? (existsSync('/usr/bin/setpriv') ? false : 'setpriv (util-linux) is not installed'))

/** A home of an ordinary user, and bale as that user, with the store in the XDG directories. */
async function ordinaryUser() {
  const bale = await testBale()
  const home = join(bale.directory, 'home')
  mkdirSync(home)
  chownSync(home, UID, UID)
  chmodSync(bale.directory, 0o755)
  const env = { HOME: home, PATH: bale.environment['PATH']!, XDG_RUNTIME_DIR: '', XDG_DATA_HOME: join(home, 'data') }
  const attempt = (args: readonly string[], options: RunOptions = {}): Promise<Outcome> =>
    execute(
      'setpriv',
      [`--reuid=${UID}`, `--regid=${UID}`, '--clear-groups', join(process.cwd(), 'bin/bale'), ...args],
      { ...options, env: { ...env, ...options.env } },
    )
  return {
    bale,
    home,
    attempt,
    async run(args: readonly string[], options?: RunOptions) {
      const outcome = await attempt(args, options)
      assert.equal(outcome.code, 0, `bale ${args.join(' ')}: ${outcome.stderr}`)
      return outcome.stdout.trim()
    },
    [Symbol.asyncDispose]: () => bale[Symbol.asyncDispose](),
  }
}

test('who is not root imports, lists, saves, loads, tags, pulls, pushes and removes images in a store of his own', {
  skip,
}, async () => {
  await using user = await ordinaryUser()
  const { bale, home, run } = user
  const tar = busyboxTar(bale.directory)
  const id = await run(['import', '-c', 'CMD ["sh"]', tar, 'busybox:1'])
  const root = join(home, 'data/bale')
  assert.deepEqual([statSync(root).uid, statSync(root).mode & 0o777], [UID, 0o700])
  assert.equal(await run(['images', '--no-trunc', '-q']), id)
  assert.equal(await run(['image', 'inspect', '--format', '{{.Id}}', 'busybox:1']), id)
  assert.match(await run(['history', 'busybox:1']), /Imported from/)
  const saved = join(home, 'saved.tar')
  await run(['save', '-o', saved, 'busybox:1'])
  await run(['rmi', 'busybox:1'])
  assert.match(await run(['load', '-i', saved]), /Loaded image: busybox:1/)

  await using registry = await baleRegistry(bale)
  const name = `${registry.host}/team/busybox:1`
  await run(['login', '-u', 'ann', '--password-stdin', registry.host], { input: 'correct-horse-battery' })
  assert.equal(statSync(join(home, '.docker/config.json')).uid, UID)
  await run(['tag', 'busybox:1', name])
  assert.match(await run(['push', name]), /digest: sha256:/)
  await run(['rmi', 'busybox:1', name])
  assert.equal(await run(['images', '-aq']), '')
  assert.match(await run(['pull', name]), /Downloaded newer image/)
  assert.match(await run(['manifest', 'inspect', name]), /"layers"/)
  assert.equal(await run(['image', 'inspect', '--format', '{{.Id}}', name]), id)
  await run(['logout', registry.host])

  assert.equal(await run(['ps', '-a', '-q']), '')
  assert.match(await run(['info']), /Layer Format: erofs/)
  assert.match(await run(['system', 'df']), /Images +1 /)
  assert.match(await run(['system', 'check']), /no damage/i)
  await run(['system', 'prune', '-af'])
  assert.equal(await run(['images', '-aq']), '')

  // Root can use what the user made.
  await run(['load', '-i', saved])
  const copy = join(bale.directory, 'copy')
  cpSync(root, copy, { recursive: true })
  const ran = await bale.run(['--root', copy, 'run', '--rm', '--network', 'none', 'busybox:1', 'echo', 'by root'])
  assert.equal(ran, 'by root')
})

test('what needs root says so, with what works without it', { skip }, async () => {
  await using user = await ordinaryUser()
  const { home, attempt } = user
  for (const [words, code] of [
    [['run', '--rm', 'busybox:1', 'true'], 125],
    [['create', 'busybox:1'], 1],
    [['start', 'web'], 1],
    [['exec', 'web', 'true'], 1],
    [['commit', 'web', 'x:1'], 1],
    [['cp', 'web:/x', home], 1],
    [['export', 'web'], 1],
    [['diff', 'web'], 1],
    [['logs', 'web'], 1],
    [['stop', 'web'], 1],
    [['rm', '-f', 'web'], 1],
    [['build', home], 1],
  ] as const) {
    const outcome = await attempt(words)
    assert.equal(outcome.code, code, `${words.join(' ')}: ${outcome.stderr}`)
    assert.match(
      outcome.stderr,
      /^bale: (?:containers|builds) need root, and you are not root\nhint: .*sudo/m,
      words[0],
    )
  }
  const extract = await attempt(['--snapshotter', 'extract', 'images'])
  assert.match(extract.stderr, /^bale: only root can extract layers/)
})

test('a store of root, or a place where nothing can be written, is refused with a way out', {
  skip,
}, async () => {
  await using user = await ordinaryUser()
  const { bale, attempt } = user
  await bale.run(['images'])
  const database = join(bale.directory, 'root/bale.db')
  const before = readFileSync(database)
  const foreign = await attempt(['--root', join(bale.directory, 'root'), 'images'])
  assert.equal(foreign.code, 1)
  assert.match(foreign.stderr, /^bale: the directory .*\/root belongs to another user \(uid 0\)\nhint: .*--root/)
  assert.ok(readFileSync(database).equals(before))
  const locked = await attempt(['--root', join(bale.directory, 'new'), 'images'])
  assert.equal(locked.code, 1)
  assert.match(locked.stderr, /^bale: the directory .*\/new cannot be created: EACCES.*\nhint: .*--root/)
})
