import assert from 'node:assert/strict'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { isBaleError } from '#base'
import { createCredentialStore } from './credential-store.ts'
import { normalizeKey } from './registry-key.ts'

const root = mkdtempSync(join(tmpdir(), 'bale-credentials-'))
after(() => rmSync(root, { recursive: true }))

const pair = (text: string) => ({ auth: Buffer.from(text).toString('base64') })

const written = (content: unknown) => (typeof content === 'string' ? content : JSON.stringify(content))

/** A directory of its own per test, with docker's file, podman's files and helper programs (shell scripts). */
function place(
  name: string,
  files: { docker?: unknown; podman?: unknown[]; helpers?: Record<string, string>; variable?: unknown } = {},
) {
  const directory = join(root, name)
  const bin = join(directory, 'bin')
  mkdirSync(bin, { recursive: true })
  const dockerConfigFile = join(directory, 'docker', 'config.json')
  const write = (path: string, content: unknown) => {
    mkdirSync(join(path, '..'), { recursive: true })
    writeFileSync(path, written(content))
  }
  if (files.docker !== undefined) write(dockerConfigFile, files.docker)
  const authFiles = (files.podman ?? []).map((content, index) => {
    const path = join(directory, `auth${index}.json`)
    write(path, content)
    return path
  })
  for (const [helper, script] of Object.entries(files.helpers ?? {})) {
    const path = join(bin, `docker-credential-${helper}`)
    writeFileSync(path, `#!/bin/sh\n${script}\n`)
    chmodSync(path, 0o755)
  }
  const store = createCredentialStore({
    dockerConfigFile,
    authFiles,
    helperPath: `${bin}:/usr/bin:/bin`,
    env: { DIRECTORY: directory, HOME: undefined },
    ...(files.variable === undefined ? {} : { environment: { name: 'LOGINS', text: written(files.variable) } }),
  })
  return { store, directory, dockerConfigFile, read: () => JSON.parse(readFileSync(dockerConfigFile, 'utf8')) }
}

/** Keeps what it is given in a file per call, and answers from it. */
const KEEPER = `cat > "$DIRECTORY/$1.in"
echo "$@" > "$DIRECTORY/$1.args"
case $1 in
  get) [ -f "$DIRECTORY/store.in" ] && cat "$DIRECTORY/store.in" || { echo "credentials not found in native keychain"; exit 1; } ;;
  erase) rm -f "$DIRECTORY/store.in" ;;
esac`

test('keys are understood with and without scheme and version, and under all names of Docker Hub', () => {
  for (const [key, normal] of [
    ['https://index.docker.io/v1/', 'docker.io'],
    ['index.docker.io', 'docker.io'],
    ['https://registry-1.docker.io/v2/', 'docker.io'],
    ['docker.io', 'docker.io'],
    ['docker.io/library', 'docker.io/library'],
    ['http://localhost:5000', 'localhost:5000'],
    ['https://r.example/v1/', 'r.example'],
    ['r.example/', 'r.example'],
    ['r.example/team/v2', 'r.example/team/v2'],
  ]) {
    assert.equal(normalizeKey(key!), normal, key)
  }
})

test('a login of docker’s config.json is found; a colon belongs to the password', async () => {
  const { store } = place('plain', {
    docker: {
      auths: {
        'https://index.docker.io/v1/': pair('hub:a:b'),
        'http://r.example/v1/': pair('ann:x\0\0'),
        'token.example': { ...pair('00000000:'), identitytoken: 'id' },
        'ready.example': { registrytoken: 'rt' },
        'words.example': { username: 'u', password: 'p' },
        'empty.example': {},
      },
    },
  })
  assert.deepEqual(await store.get('docker.io', 'library/debian'), {
    kind: 'password',
    username: 'hub',
    password: 'a:b',
  })
  assert.deepEqual(await store.get('r.example', 'a'), { kind: 'password', username: 'ann', password: 'x' })
  assert.deepEqual(await store.get('token.example', 'a'), { kind: 'identity-token', username: '00000000', token: 'id' })
  assert.deepEqual(await store.get('ready.example', 'a'), { kind: 'registry-token', token: 'rt' })
  assert.deepEqual(await store.get('words.example', 'a'), { kind: 'password', username: 'u', password: 'p' })
  for (const unknown of ['empty.example', 'other.example']) assert.equal(await store.get(unknown, 'a'), undefined)
})

test('podman’s keys with a path are for what is below them; the most specific wins over docker’s file', async () => {
  const { store } = place('paths', {
    docker: { auths: { 'r.example': pair('docker:1') } },
    podman: [
      { auths: { 'r.example/team/web': pair('web:2'), 'r.example/team': pair('team:3') } },
      { auths: { 'q.example': pair('q:4') } },
    ],
  })
  const user = async (registry: string, repository?: string) =>
    ((await store.get(registry, repository)) as { username: string } | undefined)?.username
  assert.equal(await user('r.example', 'team/web'), 'web')
  assert.equal(await user('r.example', 'team/website'), 'team')
  assert.equal(await user('r.example', 'other'), 'docker')
  assert.equal(await user('r.example'), 'docker')
  assert.equal(await user('q.example', 'x'), 'q')
})

test('without any file there are no credentials, and a login makes the file, for its owner only', async () => {
  const { store, dockerConfigFile, read } = place('fresh')
  assert.equal(await store.get('r.example', 'a'), undefined)
  assert.deepEqual(await store.erase('r.example'), { known: false })
  assert.equal(existsSync(dockerConfigFile), false, 'a logout without a login writes nothing')
  assert.deepEqual(await store.store('docker.io', { kind: 'password', username: 'ann', password: 'p' }), {
    kind: 'file',
    path: dockerConfigFile,
  })
  assert.deepEqual(read(), { auths: { 'https://index.docker.io/v1/': pair('ann:p') } })
  assert.equal(statSync(dockerConfigFile).mode & 0o777, 0o600)
  assert.equal(statSync(join(dockerConfigFile, '..')).mode & 0o777, 0o700)
  assert.deepEqual(readdirSync(join(dockerConfigFile, '..')), ['config.json'], 'no temporary or lock file stays')
})

test('a login keeps what it does not know, replaces other spellings, and follows a symbolic link', async () => {
  const { store, directory, dockerConfigFile, read } = place('keep', {
    docker: {
      HttpHeaders: { 'X-A': 'b' },
      auths: { 'https://r.example': pair('old:1'), 'other.example': pair('o:2') },
      psFormat: 'x',
    },
  })
  const real = join(directory, 'real.json')
  writeFileSync(real, readFileSync(dockerConfigFile))
  chmodSync(real, 0o644)
  rmSync(dockerConfigFile)
  symlinkSync(real, dockerConfigFile)
  await store.store('r.example', { kind: 'identity-token', username: 'ann', token: 't' })
  assert.deepEqual(read(), {
    HttpHeaders: { 'X-A': 'b' },
    auths: { 'other.example': pair('o:2'), 'r.example': { ...pair('ann:'), identitytoken: 't' } },
    psFormat: 'x',
  })
  assert.deepEqual(JSON.parse(readFileSync(real, 'utf8')), read(), 'the link stays a link')
  assert.equal(statSync(real).mode & 0o777, 0o600)
  assert.equal((await store.erase('r.example')).known, true)
  assert.equal((await store.erase('r.example')).known, false)
  assert.deepEqual(Object.keys(read().auths), ['other.example'])
})

test('logins at the same time do not lose each other', async () => {
  const { store, read } = place('race')
  const names = Array.from({ length: 8 }, (_, index) => `r${index}.example`)
  await Promise.all(names.map((name) => store.store(name, { kind: 'password', username: name, password: 'p' })))
  assert.deepEqual(Object.keys(read().auths).sort(), names)
})

test('a credential helper keeps, gives and forgets a login; the file holds no secret, nor do its arguments', async () => {
  const { store, directory, read } = place('helper', { docker: { credsStore: 'keeper' }, helpers: { keeper: KEEPER } })
  const login = { kind: 'password', username: 'ann', password: 's3cret' } as const
  assert.equal(await store.get('r.example', 'a'), undefined)
  assert.deepEqual(await store.store('docker.io', login), { kind: 'helper', name: 'keeper' })
  assert.deepEqual(JSON.parse(readFileSync(join(directory, 'store.in'), 'utf8')), {
    ServerURL: 'https://index.docker.io/v1/',
    Username: 'ann',
    Secret: 's3cret',
  })
  assert.equal(readFileSync(join(directory, 'store.args'), 'utf8'), 'store\n')
  assert.deepEqual(read(), { credsStore: 'keeper', auths: { 'https://index.docker.io/v1/': {} } })
  assert.deepEqual(await store.get('docker.io', 'a'), login)
  assert.equal(readFileSync(join(directory, 'get.in'), 'utf8'), 'https://index.docker.io/v1/')
  assert.deepEqual(await store.erase('docker.io'), { known: true })
  assert.equal(await store.get('docker.io', 'a'), undefined)
})

test('credHelpers for a host win over credsStore, and <token> is an identity token', async () => {
  const { store } = place('hosts', {
    docker: { credsStore: 'all', credHelpers: { 'r.example': 'one' } },
    helpers: {
      all: 'echo \'{"Username":"all","Secret":"x"}\'',
      one: 'echo \'{"ServerURL":"r.example","Username":"<token>","Secret":"t"}\'',
    },
  })
  assert.deepEqual(await store.get('r.example', 'a'), { kind: 'identity-token', token: 't' })
  assert.deepEqual(await store.get('q.example', 'a'), { kind: 'password', username: 'all', password: 'x' })
})

const broken: [string, Record<string, unknown>, Record<string, string>, RegExp][] = [
  ['that is not installed', { credsStore: 'missing' }, {}, /docker-credential-missing is not in the PATH/],
  ['that fails', { credsStore: 'bad' }, { bad: 'echo "keyring \\033[2J is locked" >&2; exit 1' }, /is locked/],
  ['that gives garbage', { credsStore: 'bad' }, { bad: 'echo "hunter2 no json"' }, /violates the protocol/],
  [
    'whose name is a path',
    { credHelpers: { 'r.example': '../bad' } },
    { bad: 'exit 0' },
    /not the name of a credential helper/,
  ],
]
for (const [name, config, helpers, message] of broken) {
  test(`C11 a credential helper ${name} is told, never a fallback to another login`, async () => {
    const { store } = place(`broken ${name}`, {
      docker: { ...config, auths: { 'r.example': pair('fallback:hunter2') } },
      podman: [{ auths: { 'r.example': pair('fallback:hunter2') } }],
      helpers,
    })
    await assert.rejects(store.get('r.example', 'a'), (error) => {
      assert.ok(isBaleError(error, 'CREDENTIALS_FAILED'))
      assert.match(error.message, message)
      assert.doesNotMatch(error.message, /hunter2|\u001b/)
      return true
    })
  })
}

test('a file that cannot be understood is named, not quoted, and not overwritten', async () => {
  for (const [name, content] of [
    ['no json', '{"auths": {"r.example": {"auth": "aHVudGVyMg=="'],
    ['a list', '[]'],
    ['auths as list', '{"auths":[]}'],
    ['no pair', JSON.stringify({ auths: { 'r.example': { auth: Buffer.from('hunter2').toString('base64') } } })],
  ]) {
    const { store, dockerConfigFile } = place(`unreadable ${name}`, { docker: content })
    await assert.rejects(store.get('r.example', 'a'), (error) => {
      assert.ok(isBaleError(error, 'CREDENTIALS_FAILED'), name)
      assert.doesNotMatch(error.message, /hunter2|aHVudGVyMg/)
      return true
    })
    if (name === 'no pair') continue
    await assert.rejects(store.store('r.example', { kind: 'registry-token', token: 't' }), {
      code: 'CREDENTIALS_FAILED',
    })
    assert.equal(readFileSync(dockerConfigFile, 'utf8'), content)
  }
})

test('logins of the environment come before those of all files and helpers; a login is kept all the same', async () => {
  const { store } = place('variable', {
    docker: { credsStore: 'missing', auths: { 'r.example': pair('file:1') } },
    podman: [{ auths: { 'r.example/team': pair('team:2'), 'q.example': pair('q:3') } }],
    variable: { auths: { 'https://r.example/v1/': pair('given:4') }, credsStore: 'also-missing' },
  })
  const given = { kind: 'password', username: 'given', password: '4' }
  assert.deepEqual(await store.get('r.example', 'team/web'), given)
  assert.deepEqual(await store.get('r.example', undefined), given)
  await assert.rejects(store.get('q.example', 'a'), { code: 'CREDENTIALS_FAILED' })
  const plain = place('variable and file', { variable: { auths: { 'r.example': pair('given:4') } } })
  await plain.store.store('r.example', { kind: 'password', username: 'kept', password: '5' })
  assert.deepEqual(plain.read(), { auths: { 'r.example': pair('kept:5') } })
  assert.deepEqual(await plain.store.get('r.example', 'a'), given)
  assert.deepEqual(await place('empty variable', { variable: ' ' }).store.get('r.example', 'a'), undefined)
})

test('logins of the environment that cannot be understood are told by the variable, and never quoted', async () => {
  const noPair = { auths: { 'r.example': { auth: Buffer.from('hunter2').toString('base64') } } }
  for (const [name, variable] of [
    ['no json', '{"auths": {"r.example": {"auth": "aHVudGVyMg=="'],
    ['auths as list', '{"auths":[]}'],
    ['no pair', noPair],
  ] as const) {
    const { store } = place(`variable with ${name}`, { variable })
    await assert.rejects(store.get('r.example', 'a'), (error) => {
      assert.ok(isBaleError(error, 'CREDENTIALS_FAILED'), name)
      assert.match(error.message, /LOGINS/)
      assert.doesNotMatch(error.message, /hunter2|aHVudGVyMg/)
      return true
    })
  }
})

for (const [name, config, helpers, message] of broken) {
  test(`a logout with a credential helper ${name} tells it, and the file's own entry goes`, async () => {
    const auths = { 'https://r.example': pair('ann:hunter2'), 'other.example': pair('o:2') }
    const { store, read } = place(`logout ${name}`, { docker: { ...config, auths }, helpers })
    const { known, failure } = await store.erase('r.example')
    assert.equal(known, true)
    assert.ok(isBaleError(failure, 'CREDENTIALS_FAILED'))
    assert.match(failure.message, message)
    assert.deepEqual(Object.keys(read().auths), ['other.example'])
  })
}

test('an entry that cannot be read does not keep a logout from removing it', async () => {
  const { store, read } = place('logout unreadable', { docker: { auths: { 'r.example': { auth: '????' } } } })
  assert.deepEqual(await store.erase('r.example'), { known: true })
  assert.deepEqual(read().auths, {})
})
