/** What other people's clients keep of a login, and what they do with it: docker, skopeo and podman as black boxes. */
import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { startRegistry, type TestRegistry } from '../../test/kit/registry-client.ts'
import { temporaryDirectory } from '../../test/kit/temporary.ts'

const execute = promisify(execFile)
const PASSWORD = 'password-of-ann'

const missing = (program: string, ...check: string[]) =>
  spawnSync(program, check.length > 0 ? check : ['--version']).status === 0
    ? false
    : `${program} is not installed or cannot run here`

async function prepared() {
  await using opened = new AsyncDisposableStack()
  const { path: directory } = opened.use(await temporaryDirectory('bale-identity'))
  const registry = opened.use(await startRegistry({ anonymous: 'none' }))
  await registry.registry.users.add('ann', PASSWORD)
  const pushed = await registry.image('ann/web', 'one', { tag: '1', login: `ann:${PASSWORD}` })
  const parts = opened.move()
  return { directory, registry, pushed, [Symbol.asyncDispose]: () => parts.disposeAsync() }
}

/** As docker writes it after a login. */
async function writeIdentity({ address, request }: TestRegistry, directory: string): Promise<string> {
  const answer = await request('GET', '/token?offline_token=true&client_id=docker', { login: `ann:${PASSWORD}` })
  const { refresh_token: identitytoken } = answer.json<{ refresh_token: string }>()
  await mkdir(directory, { recursive: true })
  const file = join(directory, 'config.json')
  const auth = Buffer.from('ann:').toString('base64')
  await writeFile(file, JSON.stringify({ auths: { [address]: { auth, identitytoken } } }))
  return file
}

test('docker login keeps an identity token and no password, and docker reads a manifest with it', {
  skip: missing('docker'),
}, async () => {
  await using under = await prepared()
  const { address, registry } = under.registry
  const config = join(under.directory, 'docker')
  const env = { ...process.env, DOCKER_CONFIG: config, DOCKER_HOST: 'unix:///nowhere/docker.sock' }
  const docker = (...args: string[]) => execute('docker', args, { env })
  const login = docker('login', '-u', 'ann', '--password-stdin', address)
  login.child.stdin!.end(`${PASSWORD}\n`)
  await login
  const kept = JSON.parse(await readFile(join(config, 'config.json'), 'utf8')).auths[address]
  assert.match(kept.identitytoken, /^bale_r_/)
  assert.doesNotMatch(Buffer.from(kept.auth, 'base64').toString(), /password/)
  const inspect = () => docker('manifest', 'inspect', '--insecure', `${address}/ann/web:1`)
  assert.equal(JSON.parse((await inspect()).stdout).config.digest, under.pushed.config)
  await registry.users.logOut('ann')
  await assert.rejects(inspect(), /unauthorized|authentication|denied|no such manifest/i)
})

test('skopeo pulls and pushes with the identity token that docker keeps, until the password changes', {
  skip: missing('skopeo'),
}, async () => {
  await using under = await prepared()
  const file = await writeIdentity(under.registry, join(under.directory, 'docker'))
  const name = `docker://${under.registry.address}/ann/web`
  const skopeo = async (...args: string[]) => (await execute('skopeo', args)).stdout
  const copy = (from: string, to: string) =>
    skopeo('copy', '--authfile', file, '--src-tls-verify=false', '--dest-tls-verify=false', from, to)
  await copy(`${name}:1`, `${name}:2`)
  const tags = await skopeo('list-tags', '--authfile', file, '--tls-verify=false', name)
  assert.deepEqual(JSON.parse(tags).Tags, ['1', '2'])
  await under.registry.registry.users.setPassword('ann', 'another password')
  await assert.rejects(copy(`${name}:1`, `${name}:3`), /unauthorized|authentication|invalid/i)
})

test('podman lists tags with the identity token that docker keeps', { skip: missing('podman', 'info') }, async () => {
  await using under = await prepared()
  const file = await writeIdentity(under.registry, join(under.directory, 'docker'))
  const places = ['--root', join(under.directory, 'store'), '--runroot', join(under.directory, 'run')]
  const ask = ['search', '--list-tags', '--authfile', file, '--tls-verify=false', '--format', '{{.Tag}}']
  const list = () =>
    execute('podman', [...places, '--storage-driver', 'vfs', ...ask, `${under.registry.address}/ann/web`])
  assert.match((await list()).stdout, /ann\/web +1$/m)
  await under.registry.registry.users.logOut('ann')
  await assert.rejects(list(), /unauthorized|authentication|invalid/i)
})
