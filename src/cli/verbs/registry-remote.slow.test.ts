/** `bale registry … --server`: the same verbs over the network, on a registry and on its twin whose data is here. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { type Outcome, type TestBale, testBale } from '../../../test/kit/bale.ts'
import { clientOf } from '../../../test/kit/registry-client.ts'
import { selfSigned } from '../../../test/kit/self-signed.ts'
import { until } from '../../../test/kit/until.ts'
import { runLineHere } from '../../../test/kit/verb-runner.ts'
import { createEngine, readConfig } from '../../engine/index.ts'
import { VERBS } from '../verb-table.ts'

const program = resolve(import.meta.dirname, '../../../bin/bale')
const PASSWORD = 'word of root'

/** A served registry with the administrator root. */
async function serve(bale: TestBale, root: string, ...flags: string[]) {
  const add = ['registry', 'user', 'add', '--root', root, '--admin', '--password-stdin', 'root']
  await bale.run(add, { input: PASSWORD })
  const child = spawn(program, ['registry', 'serve', '--root', root, '--listen', '127.0.0.1:0', ...flags], {
    env: bale.environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      said += chunk.toString()
    })
  }
  const address = await until('the registry is served', () => {
    if (child.exitCode !== null) throw new Error(`the registry ended: ${said}`)
    return / at https?:\/\/(\S+)\n/.exec(said)?.[1]
  })
  return {
    address,
    async [Symbol.asyncDispose]() {
      const ended = once(child, 'exit')
      child.kill('SIGTERM')
      await ended
    },
  }
}

const login = (bale: TestBale, address: string, name = 'root', password = PASSWORD) =>
  bale.run(['login', '-u', name, '--password-stdin', address], { input: password })

const TIME = /\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)/g

/** What differs between twins: secrets, times, and who did it from where. */
const twin = ({ code, stdout, stderr }: Outcome) => ({
  code,
  stderr: stderr.replaceAll(TIME, 'TIME'),
  stdout: stdout
    .replaceAll(/bale_[\w-]{43}|whsec_[\w+/=]{44}/g, 'SECRET')
    .replaceAll(TIME, 'TIME')
    // A login is a line of the log, too.
    .replaceAll(/"id":\d+/g, '"id":0')
    .replaceAll(/operator|user:root(?: \(127\.0\.0\.1\))?/g, 'ACTOR')
    .replaceAll('"address":"127.0.0.1",', '')
    .replaceAll(/ +/g, ' '),
})

const NOTHING = `sha256:${'0'.repeat(64)}`

/** In this order, on both: what is done, and what is refused in words. */
const LINES: [string, string?][] = [
  ['user add --password-stdin ann', 'word of ann'],
  ['user add --password-stdin bob', 'word of bob'],
  ['user add --password-stdin bob', 'word of bob'],
  ['user add --password-stdin eve', 'short'],
  ['user add --password-stdin Eve', 'word of eve'],
  ['user add --password-stdin team', 'word of team'],
  ['user add --password-stdin --adopt team', 'word of team'],
  ['user passwd --password-stdin bob', 'new word of bob'],
  ['user passwd --password-stdin nobody', 'new word of nobody'],
  ['user admin ann'],
  ['user ls'],
  ['user admin --take ann'],
  ['user admin nobody'],
  ['org add --owner ann acme'],
  ['org add acme'],
  ['org add --owner nobody other'],
  ['team add acme/web'],
  ['team add nobody/web'],
  ['member add acme bob'],
  ['member add acme/web bob'],
  ['member add --owner acme/web bob'],
  ['member add acme nobody'],
  ['org ls'],
  ['team ls acme'],
  ['team ls'],
  ['grant acme/web acme/web/** write'],
  ['grant bob team/* read'],
  ['grant bob team/* owner'],
  ['grant nobody team/* read'],
  ['grant acme/web other/* read'],
  ['revoke bob team/*'],
  ['revoke bob team/*'],
  ['robot add --grant acme/**=write --expires-in 30d acme+ci'],
  ['robot add acme+ci'],
  ['robot ls'],
  ['robot ls acme'],
  ['token add --role read --repositories bob/* --expires-in 90d bob laptop'],
  ['token add bob laptop'],
  ['token ls bob'],
  ['token ls nobody'],
  ['token rm bob laptop'],
  ['token rm bob laptop'],
  ['repo publish acme/public/**'],
  ['repo publish Acme'],
  ['repo ls --patterns'],
  ['repo ls'],
  ['repo hide acme/public/**'],
  ['repo hide acme/public/**'],
  ['policy immutable team/* v* --except v*-rc --except v0'],
  ['policy immutable team v[1]'],
  ['policy keep team/* --tags latest'],
  ['policy keep team/* --last 10 --within 30d'],
  ['policy keep team'],
  ['policy ls'],
  ['policy rm 3'],
  ['policy rm 9'],
  ['policy types team/* --allow application/vnd.oci.image.* --block *.zip'],
  ['policy types team'],
  ['policy base team/* --allow team/web:latest'],
  ['policy base team/* --block team/web:none'],
  ['policy ls'],
  ['policy try'],
  ['policy try other/**'],
  ['policy try Team'],
  ['policy gate team/* --severity high --only-fixable --grace 7d --unscanned wait=30s --exempt user:ann'],
  ['policy gate team/* --unscanned wait=1h'],
  ['policy gate team/* --unscanned later'],
  ['policy gate team/* --stale-data block'],
  ['policy gate team/* --exempt ann'],
  ['policy gate team/* --signer /nowhere/release.pem'],
  ['policy ls'],
  ['policy rm 6'],
  ['exception add CVE-2024-3094 --repositories team/** --package deb/libssl3 --expires 90d --reason unused'],
  ['exception add CVE-2024-3094 --repositories team/** --expires 2y --reason unused'],
  ['exception add CVE-2024-3094 --repositories team/** --expires 500d --reason unused'],
  ['exception add CVE-2024-3094 --repositories team/** --expires 2020-01-31 --reason unused'],
  ['exception add CVE-2024-3094 --repositories team/** --expires 2020-02-31 --reason unused'],
  ['exception add CVE-2024-3094 --repositories team/** --expires 90d'],
  ['exception add openssl --repositories team/** --expires 90d --reason unused'],
  ['exception add CVE-2024-3094 --repositories team/** --package openssl --expires 90d --reason unused'],
  ['exception ls'],
  ['exception rm 1'],
  ['exception rm 1'],
  ['exception rm one'],
  ['scan team/web:latest'],
  ['scan team/web:none'],
  ['scan team/web'],
  ['report team/web:latest'],
  ['report team/web@ONE'],
  ['report team/web:none'],
  ['report --format json team/web:latest'],
  ['quarantine --reason unsafe team/web:v1'],
  ['quarantine team/web:v1'],
  ['quarantine --reason unsafe team/web:none'],
  ['report team/web:v1'],
  ['quarantine --end --reason safe team/web:v1'],
  ['release --reason needed team/web:v1'],
  ['report team/web:v1'],
  ['release --end --reason safe team/web:v1'],
  ['tag history team/web:latest'],
  ['tag history --limit 1 team/web:latest'],
  ['tag history team/web:none'],
  [`tag restore team/web:latest ${NOTHING}`],
  ['tag restore team/web:latest ONE'],
  ['tag restore team/web:v1 ONE'],
  ['quota set --bytes 20m --tags 2 team/**'],
  ['quota set team/*'],
  ['quota set --tags 1 team/*'],
  ['quota ls'],
  ['quota rm team/**'],
  ['quota rm team/**'],
  ['hook add --repositories team/** --event tag.* scanner https://127.0.0.1:1/bale'],
  ['hook add scanner https://127.0.0.1:1/'],
  ['hook add Scanner https://127.0.0.1:1/'],
  ['hook add --event nothing.* other https://127.0.0.1:1/'],
  ['hook add --secret-stdin given https://127.0.0.1:1/', `whsec_${Buffer.alloc(32, 1).toString('base64')}`],
  ['hook add --secret-stdin none https://127.0.0.1:1/', 'whsec_short'],
  ['hook ls'],
  ['hook test scanner'],
  ['hook test none'],
  ['hook deliveries scanner'],
  ['hook deliveries --state pending --limit 1'],
  ['hook disable scanner'],
  ['hook redeliver 1'],
  ['hook redeliver 99'],
  ['hook redeliver x'],
  ['hook deliveries --limit 20000'],
  ['hook enable none'],
  ['hook enable given'],
  ['hook rm given'],
  ['hook rm given'],
  ['promote team/web:latest prod/web'],
  ['promote team/web:latest prod/web'],
  ['promote --dry-run team/*:v* prod/*'],
  ['promote --referrers team/**:* prod/**'],
  ['promote team/web@ONE prod/web:one'],
  ['promote team/web:none prod/web'],
  ['promote team/**:v1 team/all/**'],
  ['promote team/web prod/web'],
  ['repo rename --redirect 30d team/web team/site'],
  ['repo rename team/none team/other'],
  ['repo rename team/site team/site'],
  ['repo rename team/site Team'],
  ['repo rename team/site acme/web'],
  ['repo redirects'],
  ['repo redirects --end team/web'],
  ['repo redirects --end team/web'],
  ['repo rename acme/web team/web'],
  ['replication ls'],
  ['replication tasks'],
  ['replication tasks --state failed --limit 1 site'],
  ['replication run site'],
  ['replication run --watch site'],
  ['replication retry site'],
  ['replication retry --task 1'],
  ['replication retry --task one'],
  ['audit --actor user:nobody'],
  ['audit --action hook.*'],
  ['audit --action grant.*'],
  ['audit --format json -n 1 --action robot.*'],
  ['gc --untagged-older-than 24 --grace 1 --uploads-older-than 24 --restorable-for 1'],
  ['team rm acme/web'],
  ['member rm acme bob'],
  ['member rm acme bob'],
  ['robot rm acme+ci'],
  ['robot rm acme+ci'],
  ['org rm acme'],
  ['org rm acme'],
  ['user logout bob'],
  ['user logout nobody'],
  ['user rm bob'],
  ['user rm bob'],
]

test('every verb does and says over the network what it does and says beside the data', async () => {
  await using bale = await testBale()
  const [there, here] = [join(bale.directory, 'there'), join(bale.directory, 'here')]
  await using served = await serve(bale, there)
  await using beside = await serve(bale, here)
  await login(bale, served.address)
  let first = ''
  for (const { address } of [served, beside]) {
    const { image } = clientOf(address)
    const push = (content: string, tag: string) => image('team/web', content, { tag, login: `root:${PASSWORD}` })
    first = (await push('one', 'latest')).digest
    await push('two', 'latest')
    await push('three', 'v1')
  }
  // In this process: some hundred starts of a program take longer than all that these verbs do.
  const kept = process.env['DOCKER_CONFIG']
  process.env['DOCKER_CONFIG'] = bale.environment['DOCKER_CONFIG']
  await using engine = createEngine({ config: readConfig({ root: bale.environment['BALE_ROOT']! }) })
  if (kept === undefined) delete process.env['DOCKER_CONFIG']
  else process.env['DOCKER_CONFIG'] = kept
  for (const [line, input = ''] of LINES) {
    const words = line.replace('ONE', first).split(' ')
    const place = /^(?:gc|audit|grant|revoke|promote|scan|report|quarantine|release)\b/.test(line) ? 1 : 2
    const run = (...flags: string[]) =>
      runLineHere(['registry', ...words.slice(0, place), ...flags, ...words.slice(place)], {
        ...{ engine, input, environment: bale.environment, stacks: false },
      })
    const [remote, local] = [await run('--server', served.address), await run('--root', here)]
    assert.deepEqual(twin(remote), twin(local), line)
  }
  const tried = new Set(LINES.map(([line]) => line))
  const verbs = VERBS.map(({ names }) => names[0]!.replace(/^registry /, '')).filter((name) => names(name))
  assert.deepEqual(
    verbs.filter((name) => ![...tried].some((line) => line === name || line.startsWith(`${name} `))),
    [],
    'each verb is among them',
  )
})

const LOCAL = ['backup', 'check', 'import-from', 'move', 'serve', 'config check', 'config schema']
const names = (name: string) => VERBS.some(({ names }) => names[0] === `registry ${name}`) && !LOCAL.includes(name)

test('what cannot be done over the network, and from where a login would be seen, is refused by name', async () => {
  await using bale = await testBale()
  const server = ['--server', 'registry.example']
  for (const [args, words] of [
    [['check', ...server], /--server.*works on the data of the registry itself/],
    [['backup', ...server, '/nowhere'], /--server.*works on the data/],
    [['import-from', ...server, '/nowhere'], /--server.*works on the data/],
    [['move', ...server, '--undo'], /--server.*works on the data/],
    [['gc', ...server, '--root', '/nowhere'], /--server and --root exclude each other/],
    [['gc', ...server, '--config', '/nowhere'], /--server and --config exclude each other/],
    [['gc', '--server', 'https://registry.example/v2/'], /not the URL of a registry/],
    [['gc', '--server', 'https://ann:secret@registry.example'], /not the URL of a registry/],
    [['gc', '--server', 'ftp://registry.example'], /not the URL of a registry/],
    [['gc', ...server], /there is no login for registry\.example\n.*bale login registry\.example/],
  ] as const) {
    const { code, stderr } = await bale.try(['registry', ...args])
    assert.notEqual(code, 0, args.join(' '))
    assert.match(stderr, words)
    assert.doesNotMatch(stderr, /secret/)
  }
  await mkdir(bale.environment['DOCKER_CONFIG']!, { recursive: true })
  const auth = { auth: Buffer.from('root:secret').toString('base64') }
  await writeFile(
    join(bale.environment['DOCKER_CONFIG']!, 'config.json'),
    JSON.stringify({ auths: { 'registry.example': auth } }),
  )
  const plain = await bale.try(['registry', 'gc', '--server', 'http://registry.example'])
  assert.match(plain.stderr, /passwords would go over the network in plain text to http:\/\/registry\.example\//)
})

test('over the network rights are those of the login, its certificate is checked, and a password is changed with the old one', async () => {
  await using bale = await testBale()
  const root = join(bale.directory, 'images')
  const pair = selfSigned('localhost')
  const [cert, key] = [join(bale.directory, 'cert.pem'), join(bale.directory, 'key.pem')]
  await writeFile(cert, pair.cert)
  await writeFile(key, pair.key, { mode: 0o600 })
  await using served = await serve(bale, root, '--tls-cert', cert, '--tls-key', key)
  const address = served.address.replace('127.0.0.1', 'localhost')
  const untrusted = await bale.try(['login', '-u', 'root', '--password-stdin', address], { input: PASSWORD })
  assert.notEqual(untrusted.code, 0, 'the certificate is from nobody known')
  const env = { SSL_CERT_FILE: cert }
  const remote = (line: string, input = '') => {
    const words = line.split(' ')
    return bale.try(['registry', ...words.slice(0, 2), '--server', `https://${address}`, ...words.slice(2)], {
      env,
      input,
    })
  }
  const logIn = (name: string, password: string) =>
    bale.run(['login', '-u', name, '--password-stdin', address], { env, input: password })
  await logIn('root', PASSWORD)
  for (const name of ['ann', 'bob']) await remote(`user add --password-stdin ${name}`, `word of ${name}`)
  await remote('org add --owner ann acme')
  await logIn('ann', 'word of ann')
  assert.equal((await remote('team add acme/web')).stdout, 'acme/web\n')
  assert.equal((await remote('org ls')).code, 0)
  const refused = await remote('user ls')
  assert.deepEqual(
    [refused.code, /ann may not do this: users\.list is for administrators/.test(refused.stderr)],
    [1, true],
  )
  const wrong = await remote('user passwd --password-stdin ann', 'wrong word\nnew word of ann')
  assert.match(wrong.stderr, /the old password is not right/)
  assert.match(
    (await remote('user passwd --password-stdin ann', 'new word of ann')).stderr,
    /old password on its first line/,
  )
  assert.match((await remote('user passwd --password-stdin bob', 'word of ann\nnew word')).stderr, /may not do this/)
  assert.equal((await remote('user passwd --password-stdin ann', 'word of ann\nnew word of ann')).stdout, 'ann\n')
  assert.match((await remote('org ls')).stderr, /incorrect username or password/, 'the login is over with its password')
  await logIn('ann', 'new word of ann')
  assert.match((await remote('org ls')).stdout, /^acme +ann\*/m)
})
