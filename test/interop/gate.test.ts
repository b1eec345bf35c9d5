/** What people see who pull an image that a gate of bale's registry blocks: by docker, podman, skopeo and bale. Needs root. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { execute, type TestBale, testBale } from '../kit/bale.ts'
import { startRegistry, type TestRegistry } from '../kit/registry-client.ts'
import { storeScans } from '../kit/stored-scans.ts'
import { DOCKER_CLIENT, startDockerd } from './dockerd.ts'
import { PODMAN, testPodman, writePolicy } from './podman.ts'

const SKOPEO = '/usr/bin/skopeo'
const isRoot = process.getuid?.() === 0
const without = (...programs: string[]): string | false => {
  const missing = programs.filter((program) => !existsSync(program))
  if (!isRoot) return 'needs root'
  return missing.length > 0 ? `needs ${missing.join(' and ')}` : false
}

let bale: TestBale
let registry: TestRegistry

before(async () => {
  if (!isRoot) return
  bale = await testBale()
  registry = await startRegistry()
  await registry.image('acme/web', 'bad', { tag: '1' })
  await storeScans(registry.directory)
  await registry.registry.policies.gate('acme/**', { severity: 'high' })
})

after(async () => {
  await registry?.[Symbol.asyncDispose]()
  await bale?.[Symbol.asyncDispose]()
})

/** All on one line, without prefixes of logs. */
function assertTold(said: string): void {
  assert.match(said, /denied/i)
  assert.match(
    said,
    /policy \d+ of acme\/\*\* blocks acme\/web@sha256:[0-9a-f]{64}: 1 critical, 1 high: CVE-2024-1, CVE-2024-2; report: http:\/\//,
  )
}

test('skopeo shows why', { skip: without(SKOPEO) }, async () => {
  const target = `dir:${join(bale.directory, 'copied')}`
  const { code, stderr } = await execute(SKOPEO, [
    ...[
      'copy',
      '--policy',
      writePolicy(bale.directory),
      '--src-tls-verify=false',
      `docker://${registry.address}/acme/web:1`,
      target,
    ],
  ])
  assert.equal(code, 1)
  assertTold(stderr)
})

test('podman shows why', { skip: without(PODMAN) }, async () => {
  const podman = testPodman(join(bale.directory, 'podman'))
  const { code, stderr } = await execute(PODMAN, ['pull', '--tls-verify=false', `${registry.address}/acme/web:1`], {
    env: podman.environment,
  })
  assert.notEqual(code, 0)
  assertTold(stderr)
})

test('docker shows why', { skip: without(DOCKER_CLIENT, '/usr/sbin/dockerd'), timeout: 180_000 }, async () => {
  // Without a network of its own: it pulls from the registry of this process, and touches no rule of the machine.
  const plain = ['--bridge=none', '--iptables=false', '--ip6tables=false', '--ip-forward=false', '--ip-masq=false']
  await using dockerd = await startDockerd(join(bale.directory, 'docker'), ['unshare', '-m', '--'], plain)
  const { code, stderr } = await execute(DOCKER_CLIENT, [
    '-H',
    `unix://${dockerd.socket}`,
    'pull',
    `${registry.address}/acme/web:1`,
  ])
  assert.notEqual(code, 0)
  assertTold(stderr)
})

test('bale shows why', { skip: without() }, async () => {
  const { code, stderr } = await bale.try(['pull', `${registry.address}/acme/web:1`])
  assert.equal(code, 1)
  assertTold(stderr)
})
