/** Mounts of containers: sources that change, volumes of devices and of other containers, places below links, and what they leave. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { readTextSync } from '../../src/host/file/index.ts'
import { cannotRun, prepared } from './prepared.ts'

const options = { skip: cannotRun }

async function place() {
  const { bale, ...rest } = await prepared()
  return {
    ...rest,
    bale,
    at: (name: string) => join(bale.directory, name),
    sh: (flags: string[], script: string) =>
      bale.run(['run', '--rm', '--network', 'none', ...flags, 'busybox:1', 'sh', '-c', script]),
    [Symbol.asyncDispose]: () => bale[Symbol.asyncDispose](),
  }
}

test(
  'the source of a bind is looked up at each start: a link leads where it leads then, one removed is made',
  options,
  async () => {
    await using here = await place()
    const { bale, at } = here
    for (const name of ['v1', 'v2']) {
      mkdirSync(at(name))
      writeFileSync(join(at(name), 'f'), name)
    }
    symlinkSync('v1', at('current'))
    const flags = ['-v', `${at('current')}:/app`, '-v', `${at('later')}:/later`]
    await bale.run(['create', '--name', 'box', '--network', 'none', ...flags, 'busybox:1', 'cat', '/app/f'])
    assert.equal(existsSync(at('later')), false, 'made by a start')
    assert.equal(await bale.run(['start', '-a', 'box']), 'v1')
    rmSync(at('current'))
    symlinkSync('v2', at('current'))
    rmSync(at('later'), { recursive: true })
    assert.equal(await bale.run(['start', '-a', 'box']), 'v2')
    assert.equal(existsSync(at('later')), true)
    assert.equal(await bale.run(['inspect', '-f', '{{(index .Mounts 0).Source}}', 'box']), at('current'))
  },
)

test("a --mount whose source is missing is refused in docker's words, at its start as well", options, async () => {
  await using here = await place()
  const { bale, at } = here
  const mount = ['--mount', `type=bind,src=${at('none')},dst=/x`]
  const words = /invalid mount config for type "bind": bind source path does not exist: .*none/
  const refused = await bale.try(['run', '--rm', ...mount, 'busybox:1', 'true'])
  assert.equal(refused.code, 125)
  assert.match(refused.stderr, words)
  await here.sh(['--mount', `type=bind,src=${at('made')},dst=/x,bind-create-src`], 'touch /x/f')
  assert.deepEqual(readdirSync(at('made')), ['f'])
  mkdirSync(at('none'))
  await bale.run(['create', '--name', 'box', ...mount, 'busybox:1', 'true'])
  rmSync(at('none'), { recursive: true })
  const started = await bale.try(['start', 'box'])
  assert.notEqual(started.code, 0)
  assert.match(started.stderr, words)
})

test(
  'volumes of the local driver mount what their options say while they are used, and never lose it',
  options,
  async () => {
    await using here = await place()
    const { bale, at } = here
    mkdirSync(at('source'))
    writeFileSync(join(at('source'), 'f'), 'bound')
    await bale.run(['volume', 'create', '-o', 'type=none', '-o', 'o=bind', '-o', `device=${at('source')}`, 'bound'])
    await bale.run(['volume', 'create', '-o', 'type=tmpfs', '-o', 'device=tmpfs', '-o', 'o=size=1m,uid=7', 'memory'])
    const seen = await here.sh(
      ['-v', 'bound:/b', '-v', 'memory:/m'],
      'cat /b/f; touch /b/g; stat -c " %u" /m; grep -c " /m tmpfs" /proc/mounts',
    )
    assert.equal(seen, 'bound 7\n1')
    assert.equal(existsSync(join(at('source'), 'g')), true)
    await bale.run(['create', '--name', 'box', '-v', 'bound:/b', 'busybox:1', 'true'])
    await bale.run(['cp', 'box:/b/f', at('copied')])
    assert.equal(readFileSync(at('copied'), 'utf8'), 'bound')
    assert.equal(readTextSync('/proc/self/mountinfo').includes(`${at('root')}/volumes/`), false, 'unmounted after use')
    await bale.run(['rm', 'box'])
    await bale.run(['volume', 'rm', 'bound', 'memory'])
    assert.deepEqual(readdirSync(at('source')).sort(), ['f', 'g'], 'what was mounted is not deleted')
    const bad: [string[], RegExp][] = [
      [['-o', 'device=/x'], /missing required option: "type"/],
      [['-o', 'nonsense=1'], /invalid option: "nonsense"/],
    ]
    for (const [flags, words] of bad)
      assert.match((await bale.try(['volume', 'create', ...flags, 'bad'])).stderr, words)
    await bale.run(['volume', 'create', '-o', 'type=none', '-o', 'o=bind', '-o', 'device=/no/such', 'gone'])
    const failed = await bale.try(['run', '--rm', '--network', 'none', '-v', 'gone:/x', 'busybox:1', 'true'])
    assert.equal(failed.code, 125)
    assert.match(failed.stderr, /error while mounting volume '.*gone\/_data': failed to mount local volume/)
  },
)

test('--volumes-from gives the volumes and binds of another container, read-only when asked', options, async () => {
  await using here = await place()
  const { bale, at } = here
  mkdirSync(at('bind'))
  writeFileSync(join(at('bind'), 'f'), 'bound')
  await bale.run([
    'run',
    '--name',
    'box',
    '--network',
    'none',
    '-v',
    'data:/data',
    '-v',
    `${at('bind')}:/b`,
    '-v',
    '/anonymous',
    'busybox:1',
    'sh',
    '-c',
    'echo 1 >/data/f; echo 2 >/anonymous/f',
  ])
  assert.equal(
    await here.sh(['--volumes-from', 'box'], 'cat /data/f /anonymous/f /b/f; touch /data/new'),
    '1\n2\nbound',
  )
  assert.equal(await here.sh(['--volumes-from', 'box:ro'], 'touch /data/x 2>/dev/null || cat /data/f'), '1')
  assert.equal(
    await here.sh(['--volumes-from', 'box', '-v', 'other:/data'], 'ls /data'),
    '',
    'what is asked for goes first',
  )
  const refused = await bale.try(['run', '--rm', '--volumes-from', 'none', 'busybox:1', 'true'])
  assert.equal(refused.code, 125)
  assert.match(refused.stderr, /No such container: none/)
  await bale.run(['rm', '-v', 'box'])
  assert.deepEqual((await bale.run(['volume', 'ls', '-q'])).split('\n').sort(), ['data', 'other'])
})

test('a new volume has what the image has there, with owners and modes of the directory itself', options, async () => {
  await using here = await place()
  const { bale, at } = here
  mkdirSync(at('context'))
  writeFileSync(
    at('context/Dockerfile'),
    'FROM busybox:1\nRUN mkdir -p /app/sub && echo 1 >/app/f && chown 5:6 /app && chmod 2750 /app && ln -s /etc /app/link\n',
  )
  await bale.run(['build', '-q', '-t', 'app:1', at('context')])
  const stat = (...flags: string[]) =>
    bale.run([
      'run',
      '--rm',
      '--network',
      'none',
      ...flags,
      'app:1',
      'sh',
      '-c',
      'stat -c "%a %u:%g" /app; ls /app; readlink /app/link',
    ])
  assert.equal(await stat('-v', 'filled:/app'), '2750 5:6\nf\nlink\nsub\n/etc')
  const empty = await bale.try(['run', '--rm', '--network', 'none', '-v', 'empty:/app:nocopy', 'app:1', 'ls', '/app'])
  assert.equal(empty.stdout, '')
})

test(
  'places of mounts, also below links to nothing, are no change of the container and in no image of it',
  options,
  async () => {
    await using here = await place()
    const { bale, at } = here
    writeFileSync(at('file'), 'mounted')
    mkdirSync(at('context'))
    writeFileSync(
      at('context/Dockerfile'),
      'FROM busybox:1\nRUN mkdir -p /var /run /old/d && ln -s ../run /var/run && ln -s /nowhere/deep /dangling && echo 1 >/old/f && echo 1 >/old/d/g\n',
    )
    await bale.run(['build', '-q', '-t', 'links:1', at('context')])
    const flags = ['-v', `${at('file')}:/var/run/x.sock`, '-v', 'data:/dangling/here', '-v', `${at('file')}:/new/file`]
    const script =
      'cat /run/x.sock; test -d /nowhere/deep/here; test -e /.dockerenv && echo; rm -r /old; mkdir /old; touch /old/n'
    assert.equal(
      await bale.run(['run', '--name', 'box', '--network', 'none', ...flags, 'links:1', 'sh', '-c', script]),
      'mounted',
    )
    assert.equal(await bale.run(['diff', 'box']), 'C /old\nD /old/d\nD /old/f\nA /old/n')
    await bale.run(['export', '-o', at('tar'), 'box'])
    const names = execFileSync('tar', ['tf', at('tar')], { encoding: 'utf8' }).split('\n')
    for (const name of ['.dockerenv', 'run/x.sock', 'new/file']) assert.ok(!names.includes(name), name)
    assert.ok(names.includes('old/n') && names.includes('proc/'))
    await bale.run(['commit', 'box', 'made:1'])
    const found = await bale.run([
      'run',
      '--rm',
      '--network',
      'none',
      'made:1',
      'sh',
      '-c',
      'ls -d /nowhere /new /run/x.sock 2>/dev/null; ls /old',
    ])
    assert.equal(found, 'n')
  },
)

test(
  'what is mounted below a read-only bind is read-only too, unless that is not wanted; a file can be read-only',
  options,
  async () => {
    await using here = await place()
    const { at } = here
    mkdirSync(at('source/below'), { recursive: true })
    writeFileSync(at('source/f'), 'text')
    execFileSync('mount', ['-t', 'tmpfs', 'none', at('source/below')])
    try {
      const touch = 'touch /s/below/x 2>/dev/null && echo written || echo refused'
      const mount = `type=bind,src=${at('source')},dst=/s,readonly`
      assert.equal(await here.sh(['--mount', mount], touch), 'refused')
      assert.equal(await here.sh(['--mount', `${mount},bind-recursive=writable`], touch), 'written')
      assert.equal(
        await here.sh(['--mount', `type=bind,src=${at('source')},dst=/s,bind-recursive=disabled`], 'ls /s/below'),
        '',
      )
      const file = ['-v', `${at('source/f')}:/f:ro`]
      assert.equal(await here.sh(file, 'cat /f; (echo x >/f) 2>/dev/null || echo refused'), 'textrefused')
    } finally {
      execFileSync('umount', [at('source/below')])
    }
  },
)

test('a tmpfs is 1777 unless told, takes percents, and refuses words that mean nothing', options, async () => {
  await using here = await place()
  const { bale } = here
  const stat = (...flags: string[]) => here.sh(flags, 'stat -c "%a %u:%g" /t')
  assert.equal(await stat('--tmpfs', '/t'), '1777 0:0')
  assert.equal(await stat('--mount', 'type=tmpfs,dst=/t'), '1777 0:0')
  assert.equal(await stat('--tmpfs', '/t:size=10%,mode=755,uid=1,gid=2'), '755 1:2')
  const refused = await bale.try(['run', '--rm', '--tmpfs', '/t:nonsense', 'busybox:1', 'true'])
  assert.equal(refused.code, 125)
  assert.match(refused.stderr, /invalid tmpfs option \["nonsense"\]/)
})
