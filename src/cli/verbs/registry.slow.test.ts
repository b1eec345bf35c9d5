/** `bale registry …` as it is typed. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { chmod, readdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { connect } from 'node:tls'
import { readTextSync } from '#host/file'
import { type TestBale, testBale } from '../../../test/kit/bale.ts'
import { hookReceiver, signatureOf } from '../../../test/kit/hook-receiver.ts'
import { clientOf } from '../../../test/kit/registry-client.ts'
import { selfSigned } from '../../../test/kit/self-signed.ts'
import { until } from '../../../test/kit/until.ts'

const program = resolve(import.meta.dirname, '../../../bin/bale')

/** The name in the certificate that a server shows. */
async function nameShownAt(address: string): Promise<string> {
  const [host, port] = address.split(':')
  const socket = connect({ host: host!, port: Number(port), rejectUnauthorized: false })
  await once(socket, 'secureConnect')
  const { CN } = socket.getPeerCertificate().subject
  socket.destroy()
  return String(CN)
}

/** Starts `bale registry serve` and waits for its first line. */
const serve = (bale: TestBale, ...args: string[]) => startServing(bale, ['--listen', '127.0.0.1:0', ...args])

const serveConfigured = (bale: TestBale, config: string) => startServing(bale, ['--config', config])

async function startServing(bale: TestBale, args: string[]) {
  const child = spawn(program, ['registry', 'serve', ...args], {
    env: bale.environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let warned = ''
  child.stderr.on('data', (chunk) => {
    warned += chunk
  })
  let said = ''
  child.stdout.on('data', (chunk) => {
    said += chunk
  })
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  return {
    pid: child.pid!,
    line: line.toString().trim(),
    address: /\/\/(\S+)/.exec(line.toString())![1]!,
    said: () => said,
    warned: () => warned,
    hangUp: () => child.kill('SIGHUP'),
    ended: once(child, 'exit').then(([code]) => code as number | null),
    async stop(): Promise<number | null> {
      child.kill('SIGTERM')
      const [code] = await once(child, 'exit')
      return code
    },
  }
}

test('users are added, listed, granted, changed and removed, while the registry is served', async () => {
  await using bale = await testBale()
  const root = ['--root', join(bale.directory, 'images')]
  assert.equal(
    await bale.run(['registry', 'user', 'add', ...root, '--password-stdin', 'ann'], { input: 'word of ann\n' }),
    'ann',
  )
  const served = await serve(bale, ...root)
  try {
    assert.match(served.line, new RegExp(`^Serving ${root[1]} at http://127\\.0\\.0\\.1:\\d+$`))
    const client = clientOf(served.address)
    const status = async (login: string, path = '/v2/') => (await client.request('GET', path, { login })).status
    assert.deepEqual([await status('ann:word of ann'), await status('ann:wrong')], [200, 401])
    assert.equal(await status('ann:word of ann', '/v2/team/web/tags/list'), 403)
    await bale.run(['registry', 'grant', ...root, 'ann', 'team/*', 'read'])
    assert.equal(await status('ann:word of ann', '/v2/team/web/tags/list'), 404)
    await bale.run(['registry', 'user', 'add', ...root, '--admin', '--password-stdin', 'root'], {
      input: 'word of root',
    })
    assert.equal(
      await bale.run(['registry', 'user', 'ls', ...root]),
      'NAME      DIRECTORY   ADMIN     GRANTS\nann                   no        team/*=read\nroot                  yes',
    )
    await bale.run(['registry', 'user', 'passwd', ...root, '--password-stdin', 'ann'], { input: 'new word of ann' })
    assert.deepEqual([await status('ann:word of ann'), await status('ann:new word of ann')], [401, 200])
    await bale.run(['registry', 'revoke', ...root, 'ann', 'team/*'])
    assert.equal(await status('ann:new word of ann', '/v2/team/web/tags/list'), 403)
    await bale.run(['registry', 'user', 'rm', ...root, 'ann'])
    assert.equal(await status('ann:new word of ann'), 401)
    assert.match(await bale.run(['registry', 'gc', ...root, '--untagged-older-than', '24']), /^Files deleted: 0$/m)
    const second = await bale.try(['registry', 'serve', ...root, '--listen', '127.0.0.1:0'])
    assert.deepEqual([second.code, second.stderr.includes('another process serves')], [1, true])
  } finally {
    assert.equal(await served.stop(), 0)
  }
})

test('an organisation, its team, a robot, a token and a public repository, from the shell, while it is served', async () => {
  await using bale = await testBale()
  const root = ['--root', join(bale.directory, 'images')]
  const run = (line: string, ...more: string[]) => bale.run(['registry', ...line.split(' '), ...root, ...more])
  for (const name of ['ann', 'bob']) {
    await bale.run(['registry', 'user', 'add', ...root, '--password-stdin', name], { input: `word of ${name}\n` })
  }
  const served = await serve(bale, ...root)
  try {
    const client = clientOf(served.address)
    const status = async (login: string | undefined, path: string) =>
      (await client.request('GET', path, { login })).status
    assert.equal(await run('org add --owner ann acme'), 'acme')
    assert.equal(await run('team add acme/web'), 'acme/web')
    assert.equal(await run('member add acme bob'), 'bob')
    assert.equal(await run('member add acme/web bob'), 'bob')
    assert.equal(await run('grant acme/web acme/web read'), 'acme/web acme/web read')
    const secret = await run('robot add --grant acme/**=read --expires-in 30d acme+ci')
    assert.equal(await run('org ls'), 'NAME      MEMBERS    GRANTS\nacme      ann* bob')
    assert.equal(await run('team ls acme'), 'NAME       MEMBERS   GRANTS\nacme/web   bob       acme/web=read')
    assert.equal(await run('robot ls'), 'NAME      GRANTS\nacme+ci   acme/**=read')
    const today = new Date().toISOString().slice(0, 10)
    const end = new Date(Date.now() + 30 * 86_400_000).toISOString().slice(0, 10)
    const lines = (await run('token ls acme+ci')).split('\n').map((line) => line.trim().split(/ +/))
    assert.deepEqual(lines[1], ['first', 'admin', '**', today, end, 'never'])
    const tags = '/v2/acme/web/tags/list'
    assert.deepEqual(
      [await status('bob:word of bob', tags), await status(`acme+ci:${secret}`, tags), await status(undefined, tags)],
      [404, 404, 401],
    )
    assert.equal(await run('repo publish acme/web'), 'acme/web')
    assert.equal(await status(undefined, tags), 404)
    assert.equal(await run('repo ls --patterns'), 'acme/web')
    assert.equal(await run('repo ls'), 'NAME      VISIBILITY')
    assert.equal(await run('repo hide acme/web'), 'acme/web')
    const short = await run('token add --role read --repositories bob/* bob laptop')
    assert.equal(await status(`bob:${short}`, tags), 403)
    assert.equal(await status(`bob:${short}`, '/v2/bob/x/tags/list'), 404)
    assert.equal(await run('token rm bob laptop'), 'laptop')
    assert.equal(await status(`bob:${short}`, '/v2/bob/x/tags/list'), 401)
    assert.equal(await run('member rm acme bob'), 'bob')
    assert.equal(await status('bob:word of bob', tags), 403)
    assert.equal(await run('robot rm acme+ci'), 'acme+ci')
    assert.equal(await run('team rm acme/web'), 'acme/web')
    assert.equal(await run('org rm acme'), 'acme')
    for (const [exit, line, words] of [
      [1, 'robot add --expires-in soon acme+ci', '--expires-in takes a period, not soon'],
      [1, 'robot add --grant acme acme+ci', 'not a pattern and a role: acme'],
      [1, 'robot add acme+ci', 'acme'],
      [125, 'token add --role owner bob x', 'must be one of read, write, delete, admin'],
    ] as const) {
      const { code, stderr } = await bale.try(['registry', ...line.split(' '), ...root])
      assert.deepEqual([code, stderr.includes(words)], [exit, true], `${line}: ${stderr}`)
    }
  } finally {
    assert.equal(await served.stop(), 0)
  }
})

test('a registry is checked, repaired by the next push, cleaned at once and backed up, while it is served', async () => {
  await using bale = await testBale()
  const directory = join(bale.directory, 'images')
  const root = ['--root', directory]
  await bale.run(['registry', 'user', 'add', ...root, '--admin', '--password-stdin', 'root'], { input: 'word of root' })
  const served = await serve(bale, ...root)
  try {
    const login = 'root:word of root'
    const client = clientOf(served.address)
    const image = await client.image('team/web', 'content', { tag: '1', login })
    const check = (...flags: string[]) => bale.try(['registry', 'check', ...root, ...flags])
    assert.match((await check()).stdout, /^Blobs checked: 2 \(\d+ bytes\)\nDamaged: 0\nFiles that nothing knows: 0 /)
    const objects = await readdir(join(directory, 'objects'), { recursive: true, withFileTypes: true })
    const layer = 'layer of content'
    for (const { parentPath, name } of objects.filter((entry) => entry.isFile())) {
      const path = join(parentPath, name)
      if ((await readFile(path, 'utf8')) === layer) await writeFile(path, layer.toUpperCase())
    }
    assert.deepEqual([(await check('--quick')).code, (await check()).code], [0, 1])
    const repaired = await check('--repair')
    assert.ok(repaired.stdout.startsWith(`${image.layer}: wrong content\n  needed by team/web@${image.digest}\n`))
    await client.blob('team/web', layer, { login })
    assert.equal((await check()).code, 0)
    const copy = join(bale.directory, 'copy')
    assert.match(await bale.run(['registry', 'backup', ...root, copy]), /^Blobs: 2 \(\d+ bytes\), 2 of them new$/)
    assert.match(await bale.run(['registry', 'backup', ...root, copy]), /, 0 of them new$/)
    assert.match(await bale.run(['registry', 'check', '--root', copy]), /^Damaged: 0$/m)
    await client.request('POST', '/v2/team/web/blobs/uploads/', { login })
    const cleaned = await bale.run(['registry', 'gc', ...root, '--uploads-older-than', '0', '--grace', '0'])
    assert.match(cleaned, /^Uploads that were never finished: 1$/m)
    assert.match(cleaned, /^Files deleted: 2$/m, 'the damaged one, and the one that was never begun')
    const team = ['registry', 'user', 'add', ...root, '--password-stdin', 'team']
    const refused = await bale.try(team, { input: 'word of team' })
    assert.deepEqual([refused.code, /admin of team\/web.*\n.*--adopt/.test(refused.stderr)], [1, true])
    await bale.run([...team, '--adopt'], { input: 'word of team' })
    assert.equal((await client.request('GET', '/v2/team/web/tags/list', { login: 'team:word of team' })).status, 200)
  } finally {
    await served.stop()
  }
})

test('policies are made, listed, tried and removed, and tags are set back, while the registry is served', async () => {
  await using bale = await testBale()
  const root = ['--root', join(bale.directory, 'images')]
  await bale.run(['registry', 'user', 'add', ...root, '--admin', '--password-stdin', 'root'], { input: 'word of root' })
  const served = await serve(bale, ...root)
  try {
    const login = 'root:word of root'
    const client = clientOf(served.address)
    const registry = (...args: string[]) => bale.run(['registry', args[0]!, args[1]!, ...root, ...args.slice(2)])
    const push = async (content: string, tag: string) => await client.image('team/web', content, { tag, login })
    const except = ['--except', 'v*-rc', '--except', 'v0']
    assert.equal(await registry('policy', 'immutable', 'team/*', 'v*', ...except), '1')
    const one = await push('one', 'v1')
    assert.equal((await push('two', 'v1')).answer.status, 412)
    const two = await push('two', 'latest')
    await push('three', 'latest')
    const old = await push('old', 'old')
    const history = await registry('tag', 'history', 'team/web:latest')
    assert.match(history, /^TIME +DIGEST +BY +THERE\n\S+ +sha256:\S+ +user:root +yes\n\S+ +sha256:\S+ +user:root +yes$/)
    assert.equal((await registry('tag', 'history', '--limit', '1', 'team/web:latest')).split('\n').length, 2)
    const restored = await registry('tag', 'restore', 'team/web:latest', two.digest)
    assert.equal(restored, `team/web:latest ${two.digest}`)
    const head = await client.request('HEAD', '/v2/team/web/manifests/latest', { login })
    assert.equal(head.headers['docker-content-digest'], two.digest)
    assert.match(await registry('tag', 'history', 'team/web:latest'), / operator +yes\n/)
    await client.request('DELETE', `/v2/team/web/manifests/${two.digest}`, { login })
    assert.match(
      await registry('tag', 'history', 'team/web:latest'),
      /\n\S+ +deleted +user:root +\n\S+ +sha256:\S+ +operator +no\n/,
    )
    assert.equal(await registry('policy', 'keep', 'team/*', '--last', '10', '--within', '30d', '--tags', 'latest'), '2')
    assert.equal(
      await registry('policy', 'ls'),
      [
        'ID        KIND        REPOSITORIES   RULE',
        '1         immutable   team/*         v* except v*-rc, v0',
        '2         keep        team/*         the last 10, pushed within 30d, latest',
      ].join('\n'),
    )
    assert.match(await registry('policy', 'try'), /^TAG +DIGEST +PLACE +PUSHED +KEPT$/)
    assert.equal(await registry('policy', 'rm', '2'), '2')
    assert.equal(await registry('policy', 'keep', 'team/*', '--tags', 'latest'), '3')
    assert.match(
      await registry('policy', 'try'),
      new RegExp(`\nteam/web:old +${old.digest} +1 +.* ago +latest \\(policy 3\\)$`),
    )
    assert.equal((await client.request('HEAD', '/v2/team/web/manifests/old', { login })).status, 200)
    assert.match(
      await bale.run(['registry', 'gc', ...root, '--untagged-older-than', '0']),
      /^Tags that no policy keeps: 1$/m,
    )
    assert.equal((await client.request('HEAD', '/v2/team/web/manifests/old', { login })).status, 404)
    assert.equal((await client.request('HEAD', '/v2/team/web/manifests/v1', { login })).status, 200)
    await registry('tag', 'restore', 'team/web:old', old.digest)
    await client.request('DELETE', '/v2/team/web/manifests/old', { login })
    const cleaned = ['registry', 'gc', ...root, '--untagged-older-than', '0', '--restorable-for', '0']
    assert.match(await bale.run(cleaned), /^Untagged manifests removed: 2$/m, 'three and old')
    const gone = await bale.try(['registry', 'tag', 'restore', ...root, 'team/web:old', old.digest])
    assert.deepEqual([gone.code, /was deleted/.test(gone.stderr)], [1, true])
    assert.equal((await client.request('HEAD', `/v2/team/web/manifests/${one.digest}`, { login })).status, 200)
  } finally {
    await served.stop()
  }
})

test('a registry without users says how to add one; anonymous pull is on only when asked for', async () => {
  await using bale = await testBale()
  const closed = await serve(bale)
  assert.equal((await clientOf(closed.address).request('GET', '/token')).status, 401)
  await closed.stop()
  assert.match(closed.warned(), /bale registry user add --admin NAME --root .*root-registry/)
  const open = await serve(bale, '--anonymous-pull')
  assert.equal((await clientOf(open.address).request('GET', '/token')).status, 200)
  await open.stop()
})

test('SIGHUP has a served registry read its certificate again; one without files to read ends by it', async () => {
  await using bale = await testBale()
  const [cert, key] = [join(bale.directory, 'cert'), join(bale.directory, 'key')]
  const place = async (pair: { cert: string; key: string }) => {
    await writeFile(cert, pair.cert)
    await writeFile(key, pair.key, { mode: 0o600 })
  }
  await place(selfSigned('one.example'))
  const served = await serve(bale, '--tls-cert', cert, '--tls-key', key)
  try {
    assert.equal(await nameShownAt(served.address), 'one.example')
    await place(selfSigned('two.example'))
    served.hangUp()
    await until('the new certificate is shown', async () => (await nameShownAt(served.address)) === 'two.example')
    await writeFile(key, 'nothing')
    served.hangUp()
    await until('the operator is told', () => /reading the TLS files again failed: --tls-key: /.test(served.warned()))
    assert.equal(await nameShownAt(served.address), 'two.example')
  } finally {
    assert.equal(await served.stop(), 0)
  }
  const plain = await serve(bale)
  plain.hangUp()
  assert.equal(await plain.ended, 0)
})

test('requests are logged to standard output or to a file that SIGHUP opens anew, and metrics have an address of their own', async () => {
  await using bale = await testBale()
  const log = join(bale.directory, 'requests.log')
  const linesOf = async (path: string) => (await readFile(path, 'utf8')).trim().split('\n')
  const served = await serve(bale, '--request-log', log, '--metrics', '127.0.0.1:0')
  try {
    const url = await until('the address is said', () => /^Serving metrics at (\S+)$/m.exec(served.said())?.[1])
    await clientOf(served.address).request('GET', '/livez')
    await until('the request is logged', async () => (await linesOf(log))[0] !== '')
    assert.match(
      await (await fetch(url)).text(),
      /^bale_registry_requests_total\{method="GET",route="live",status="2xx"\} 1$/m,
    )
    await rename(log, `${log}.1`)
    served.hangUp()
    await until('the file is opened anew', () => existsSync(log))
    await clientOf(served.address).request('GET', '/v2/')
  } finally {
    assert.equal(await served.stop(), 0)
  }
  const paths = async (path: string) => (await linesOf(path)).map((line) => JSON.parse(line).path)
  assert.deepEqual([await paths(`${log}.1`), await paths(log)], [['/livez'], ['/v2/']])
  const plain = await serve(bale, '--request-log', 'stdout')
  await clientOf(plain.address).request('GET', '/livez')
  await until('the request is logged', () => /^\{"time":.*"path":"\/livez","status":200,/m.test(plain.said()))
  await plain.stop()
})

test('a hook is added, tried, told, looked at, told again, paused and removed from the shell, while it is served', async () => {
  await using bale = await testBale()
  await using receiver = await hookReceiver()
  const config = join(bale.directory, 'registry.yaml')
  const content = { listen: { address: '127.0.0.1:0' }, directory: 'images', anonymous: 'push' }
  await writeFile(config, JSON.stringify({ ...content, hooks: { 'allow-addresses': ['127.0.0.1'] } }))
  const place = ['--config', config]
  const run = (line: string, ...more: string[]) => bale.run(['registry', 'hook', ...line.split(' '), ...place, ...more])
  const secret = await run(`add --repositories team/* --event tag.* ci ${receiver.url}`)
  assert.match(secret, /^whsec_[A-Za-z0-9+/]{43}=$/)
  const own = `whsec_${Buffer.alloc(24, 1).toString('base64')}`
  const add = ['registry', 'hook', 'add', ...place, '--secret-stdin', 'own', 'https://own.example/']
  assert.equal(await bale.run(add, { input: `${own}\n` }), 'own')
  const table = (text: string) => text.split('\n').map((line) => line.trim().split(/ {2,}/))
  assert.deepEqual(table(await run('ls')), [
    ['NAME', 'ACTIVE', 'REPOSITORIES', 'EVENTS', 'URL'],
    ['ci', 'yes', 'team/*', 'tag.*', receiver.url],
    ['own', 'yes', '**', 'tag.* manifest.*', 'https://own.example/'],
  ])
  assert.equal(await run('rm own'), 'own')
  assert.match(await run('test ci'), /^delivered: 204 in \d+ ms$/)
  receiver.reply = () => ({ status: 500, body: 'oops' })
  const failed = await bale.try(['registry', 'hook', 'test', ...place, 'ci'])
  assert.deepEqual([failed.code, failed.stdout], [1, 'failed: the answer is 500: oops\n'])
  const closed = await bale.try(['registry', 'hook', 'test', '--root', join(bale.directory, 'images'), 'ci'])
  assert.deepEqual([closed.code, closed.stdout], [1, 'failed: connections to 127.0.0.1 are not allowed\n'])
  receiver.reply = () => ({ status: 204 })
  const served = await serveConfigured(bale, config)
  try {
    await clientOf(served.address).image('team/web', 'one', { tag: '1' })
    await until('it is told', () => receiver.messages.length === 3)
    assert.equal(receiver.messages[2]!.headers['webhook-signature'], signatureOf(secret, receiver.messages[2]!))
    const [, line] = await until('it is on record', async () => {
      const rows = table(await run('deliveries --state delivered --limit 1 ci'))
      return rows[1]?.[2] === 'tag.set' && rows
    })
    assert.deepEqual([line![1], line![3], ...line!.slice(5)], ['ci', 'team/web:1', 'delivered', '1', '204'])
    assert.equal(await run(`redeliver ${line![0]}`), line![0])
    await until('it is told again', () => receiver.messages.length === 4)
    assert.equal(receiver.messages[3]!.body, receiver.messages[2]!.body)
    assert.equal(await run('disable ci'), 'ci')
    assert.equal(table(await run('ls'))[1]![1], 'no')
    assert.equal(await run('enable ci'), 'ci')
    assert.equal(await run('rm ci'), 'ci')
    assert.equal(table(await run('deliveries')).length, 1)
  } finally {
    assert.equal(await served.stop(), 0)
  }
})

test('several processes serve a registry as the flags say, are stopped with it, and log to one standard output', async () => {
  await using bale = await testBale()
  const root = join(bale.directory, 'images')
  const served = await serve(bale, '--root', root, '--workers', '2', '--anonymous-pull', '--request-log', 'stdout')
  const children = readTextSync(`/proc/${served.pid}/task/${served.pid}/children`).trim().split(' ')
  assert.equal(children.length, 2)
  assert.equal((await clientOf(served.address).request('GET', '/livez')).status, 200)
  await until('the request is logged', () => served.said().includes('"path":"/livez"'))
  assert.match(served.warned(), /There are no users yet/)
  assert.equal(await served.stop(), 0)
  for (const pid of children) assert.equal(existsSync(`/proc/${pid}/exe`), false)
  for (const [flags, message] of [
    [['--workers', '0'], /--workers takes a whole number from 1 to 256, not 0/],
    [['--workers', '2', '--max-connections', '3'], /--max-connections: expects a whole number from 4/],
    [['--workers', '2', '--listen', 'nowhere'], /--listen: /],
  ] as const) {
    const { code, stderr } = await bale.try(['registry', 'serve', '--root', root, ...flags])
    assert.equal(code, 1)
    assert.match(stderr, message)
  }
})

test('a registry is moved only to a place that its file says, and the way back is asked for', async () => {
  await using bale = await testBale()
  const root = join(bale.directory, 'images')
  const move = (...flags: string[]) => bale.try(['registry', 'move', '--root', root, ...flags])
  assert.match((await move()).stderr, /give either --to or --undo/)
  assert.match((await move('--undo')).stderr, /there is no registry in/)
  await bale.run(['registry', 'user', 'add', '--root', root, '--password-stdin', 'ann'], { input: 'password-of-ann' })
  const file = join(bale.directory, 'registry.yaml')
  await writeFile(file, 'directory: /elsewhere\n')
  assert.match((await move('--to', file)).stderr, /to a database and an object store, not to a directory/)
  assert.match((await move('--undo')).stdout, /Changes are taken again/)
})

test('invalid addresses, certificates, roles, passwords and names are reported by name', async () => {
  await using bale = await testBale()
  const root = ['--root', join(bale.directory, 'images')]
  await bale.run(['registry', 'user', 'add', ...root, '--password-stdin', 'ann'], { input: 'word of ann' })
  const key = join(bale.directory, 'key.pem')
  const made = spawnSync('openssl', [
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-subj',
    '/CN=x',
    '-keyout',
    key,
    '-out',
    `${key}.cert`,
  ])
  assert.equal(made.status, 0, 'openssl makes a certificate')
  await chmod(key, 0o644)
  const cases: [string[], RegExp, string?][] = [
    [['serve', '--listen', '5000'], /not an address to listen on: 5000/],
    [['serve', '--listen', '127.0.0.1:99999'], /not an address to listen on/],
    [['serve', '--min-free', '51'], /--min-free takes a whole number from 0 to 50, not 51/],
    [['serve', '--max-connections', 'many'], /--max-connections takes a whole number/],
    [['gc', '--uploads-older-than', '-1'], /not a number of hours: -1/],
    [['backup', join(bale.directory, 'images', 'x')], /would be within the registry/],
    [['serve', '--listen', '0.0.0.0:0'], /plain text.*\n.*--tls-cert/],
    [['serve', '--tls-key', key], /--tls-cert and --tls-key belong together/],
    [
      ['serve', '--tls-cert', `${key}.cert`, '--tls-key', key],
      /--tls-key: everybody on this machine can use .*key.pem; expects a mode such as 0600/,
    ],
    [['serve', '--metrics', '9090'], /not an address to listen on: 9090/],
    [
      ['serve', '--listen', '127.0.0.1:5999', '--metrics', '127.0.0.1:5999'],
      /metrics need an address of their own: clients use 127.0.0.1:5999/,
    ],
    [['serve', '--request-log', '/nowhere/log'], /\/nowhere\/log: no such file or directory/],
    [['serve', '--tls-client-authorities', key], /--tls-client-authorities needs both/],
    [
      ['serve', '--tls-cert', key, '--tls-key', `${key}.gone`],
      /--tls-cert: .* does not begin with .*\n.*--tls-key: cannot read/,
    ],
    [['grant', 'ann', 'team/*', 'owner'], /not a role: owner/],
    [['grant', 'bob', 'team/*', 'read'], /there is no user bob/],
    [['user', 'add', '--password-stdin', 'ann'], /user ann already exists/, 'word of ann'],
    [['user', 'add', '--password-stdin', 'Bob'], /not the name of a user: Bob/, 'word of bob'],
    [['user', 'add', '--password-stdin', 'bob'], /a password has 8 to 512 characters/, 'short'],
    [['user', 'add', 'bob'], /--password-stdin/, ''],
    [['user', 'rm', 'bob'], /there is no user bob/],
    [['gc', '--untagged-older-than', 'x'], /not a number of hours: x/],
    [['policy', 'immutable', 'Team', 'v*'], /not a pattern of repositories: Team/],
    [['policy', 'immutable', 'team', 'v[1]'], /not a pattern of tags: v\[1\]/],
    [['policy', 'keep', 'team'], /would keep no tags at all/],
    [['policy', 'keep', 'team', '--last', '0'], /--last takes a number of tags from 1 on, not 0/],
    [['policy', 'keep', 'team', '--within', '30'], /--within takes a period, not 30/],
    [['policy', 'rm', 'x'], /not the ID of a policy: x/],
    [['policy', 'rm', '9'], /there is no policy 9.*\n.*policy ls/],
    [['hook', 'add', 'CI', 'https://x.example'], /not the name of a hook: CI/],
    [['hook', 'add', 'ci', 'x.example'], /not the URL of a hook: x.example/],
    [['hook', 'add', '--event', 'tag.psuh', 'ci', 'https://x.example'], /tag.psuh.*\n.*such as tag.set, tag.delete/],
    [['hook', 'add', '--secret-stdin', 'ci', 'https://x.example'], /not a secret of a hook/, 'my-own-word'],
    [['hook', 'rm', 'ci'], /there is no hook ci.*\n.*hook ls/],
    [['hook', 'test', 'ci'], /there is no hook ci/],
    [['hook', 'deliveries', '--limit', '0'], /--limit takes a number from 1 to 99999, not 0/],
    [['hook', 'redeliver', 'x'], /not the ID of a delivery: x/],
    [['hook', 'redeliver', '7'], /there is no delivery 7.*\n.*hook deliveries/],
    [['tag', 'history', 'team/web'], /not a tag of a repository: team\/web/],
    [['tag', 'history', 'team/web:1'], /no history of team\/web:1/],
    [['tag', 'history', '--limit', '0', 'team/web:1'], /--limit takes a number/],
    [['tag', 'restore', 'team/web:1', 'sha256:x'], /digest/],
    [['tag', 'restore', 'team/web:1', `sha256:${'0'.repeat(64)}`], /never pointed to.*\n.*tag history team\/web:1/],
  ]
  for (const [args, words, input] of cases) {
    const [verb, rest] = ['user', 'policy', 'tag', 'hook'].includes(args[0]!)
      ? [args.slice(0, 2), args.slice(2)]
      : [args.slice(0, 1), args.slice(1)]
    const outcome = await bale.try(['registry', ...verb, ...root, ...rest], { input: input ?? '' })
    assert.equal(outcome.code, 1, args.join(' '))
    assert.match(outcome.stderr, words)
  }
})
