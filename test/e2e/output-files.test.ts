/** Where results go: devices, fifos, links, full disks, readers that go away, and files of earlier runs. */
import assert from 'node:assert/strict'
import { execFile, execFileSync } from 'node:child_process'
import { existsSync, lstatSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { cannotRun, prepared } from './prepared.ts'

const options = { skip: cannotRun }
const program = resolve(import.meta.dirname, '../../bin/bale')

test('export, save, cp and build write into a device or a fifo, and through a link', options, async () => {
  await using place = await prepared()
  const { bale } = place
  const at = (name: string) => join(bale.directory, name)
  writeFileSync(at('Dockerfile'), 'FROM scratch\nCOPY Dockerfile /\n')
  await bale.run(['create', '--name', 'box', 'busybox:1', 'true'])
  execFileSync('mknod', [at('null'), 'c', '1', '3'])
  const verbs = (path: string) => [
    ['export', '-o', path, 'box'],
    ['save', '-o', path, 'busybox:1'],
    ['cp', 'box:/etc/passwd', path],
    ['build', '-q', '-o', `type=tar,dest=${path}`, bale.directory],
  ]
  for (const args of verbs(at('null'))) {
    await bale.run(args)
    assert.equal(lstatSync(at('null')).isCharacterDevice(), true, args[0])
  }
  execFileSync('mkfifo', [at('fifo')])
  writeFileSync(at('target'), 'old')
  symlinkSync('target', at('link'))
  for (const args of verbs(at('fifo'))) {
    const reading = promisify(execFile)('cat', [at('fifo')], { encoding: 'buffer', maxBuffer: 1 << 28 })
    await bale.run(args)
    const { stdout } = await reading
    assert.ok(stdout.length > 0, args[0])
    await bale.run(args.map((word) => word.replace(at('fifo'), at('link'))))
    assert.equal(lstatSync(at('link')).isSymbolicLink(), true, args[0])
    assert.equal(readFileSync(at('target')).equals(stdout), true, args[0])
  }
  const directory = await bale.try(['cp', 'box:/etc', at('null')])
  assert.match(directory.stderr, /cannot copy a directory onto/)
})

test(
  'a reader that goes away before the end is a failure as by SIGPIPE; output to a full device too',
  options,
  async () => {
    await using place = await prepared()
    const { bale } = place
    await bale.run(['create', '--name', 'box', 'busybox:1', 'true'])
    for (const args of ['save busybox:1', 'export box', 'cp box:/bin -']) {
      const script = `{ ${program} ${args}; echo $? >rc; } | head -c 1000 >/dev/null`
      await promisify(execFile)('sh', ['-c', script], { cwd: bale.directory, env: bale.environment })
      assert.equal(readFileSync(join(bale.directory, 'rc'), 'utf8'), '141\n', args)
      const full = await promisify(execFile)('sh', ['-c', `${program} ${args} >/dev/full`], {
        env: bale.environment,
      }).catch((error: { code: number; stderr: string }) => error)
      assert.equal((full as { code?: number }).code, 1, args)
      assert.match(full.stderr, /no space left/, args)
    }
  },
)

test(
  'a result file is from this run or absent; one in a missing directory is refused before the work',
  options,
  async () => {
    await using place = await prepared()
    const { bale } = place
    const at = (name: string) => join(bale.directory, name)
    const build = (dockerfile: string, ...flags: string[]) =>
      bale.try(['build', '-q', ...flags, '-'], { input: dockerfile })
    const files = ['--iidfile', at('iid'), '--metadata-file', at('meta')]
    const built = await build('FROM busybox:1\nLABEL a=b\n', ...files)
    assert.equal(built.code, 0, built.stderr)
    assert.equal(readFileSync(at('iid'), 'utf8'), built.stdout.trim())
    assert.ok(existsSync(at('meta')))
    assert.notEqual((await build('FROM busybox:1\nRUN false\n', ...files)).code, 0)
    assert.deepEqual([existsSync(at('iid')), existsSync(at('meta'))], [false, false])
    for (const flag of ['--iidfile', '--metadata-file']) {
      const refused = await build('FROM busybox:1\nRUN touch /reached\n', flag, at('none/x'))
      assert.equal(refused.code, 1)
      assert.match(refused.stderr, /invalid output path: directory ".*none" does not exist/)
    }
  },
)

test(
  'a cidfile that is there stops before anything is made; else it has the ID, unless nothing was made',
  options,
  async () => {
    await using place = await prepared()
    const { bale } = place
    const cid = join(bale.directory, 'cid')
    writeFileSync(cid, 'another')
    for (const verb of ['run', 'create']) {
      const refused = await bale.try([verb, '--name', 'box', '--cidfile', cid, 'busybox:1', 'true'])
      assert.notEqual(refused.code, 0)
      assert.match(refused.stderr, /Container ID file found, make sure/)
      assert.equal(readFileSync(cid, 'utf8'), 'another')
    }
    assert.equal(await bale.run(['ps', '-aq']), '')
    const missing = await bale.try([
      'run',
      '--pull',
      'never',
      '--cidfile',
      join(bale.directory, 'cid2'),
      'none:1',
      'true',
    ])
    assert.equal(missing.code, 125)
    assert.equal(existsSync(join(bale.directory, 'cid2')), false)
    const path = join(bale.directory, 'cid3')
    await bale.try(['run', '--name', 'box', '--network', 'none', '--cidfile', path, 'busybox:1', '/no/such/program'])
    assert.equal(readFileSync(path, 'utf8'), await bale.run(['inspect', '-f', '{{.Id}}', 'box']))
    mkdirSync(join(bale.directory, 'd'))
    const directory = await bale.try(['create', '--cidfile', join(bale.directory, 'd'), 'busybox:1', 'true'])
    assert.match(directory.stderr, /is a directory/)
  },
)
