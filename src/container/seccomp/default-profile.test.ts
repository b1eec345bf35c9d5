import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { defaultProfile, mobyDefaultProfile } from './default-profile.ts'
import { openComparisons } from './hardening.ts'
import type { SeccompRule } from './profile.ts'
import { seccompFilter } from './seccomp-filter.ts'

const beside = (name: string) => readFileSync(join(import.meta.dirname, name))
const target = { architecture: 'amd64', capabilities: [], kernel: '6.12.0' }

function rulesOf(name: string, rules: readonly SeccompRule[]): string[] {
  return rules
    .filter((rule) => rule.names?.includes(name))
    .map(({ action, args }) => `${action} ${(args ?? []).map(({ op, value }) => `${op} ${value}`).join()}`.trim())
}

test("docker's profile is kept as it was published, with its source and licence", () => {
  const source = JSON.parse(beside('moby-default-profile.source.json').toString()) as Record<string, string>
  const bytes = beside('moby-default-profile.json')
  assert.equal(createHash('sha256').update(bytes).digest('hex'), source['sha256'])
  assert.match(source['commit']!, /^[0-9a-f]{40}$/)
  assert.equal(source['licence'], 'Apache-2.0')
  assert.match(beside('LICENSE-moby-profile').toString(), /Apache License\s+Version 2\.0/)
})

test('R09: no comparison lets a value through whose upper half the kernel does not read', () => {
  assert.deepEqual(openComparisons(defaultProfile()), [])
  assert.deepEqual(openComparisons(defaultProfile({ multiplexer: true })), [])
  const open = { action: 'SCMP_ACT_ALLOW', names: ['socket'], args: [{ index: 0, value: 40, op: 'SCMP_CMP_GT' }] }
  assert.deepEqual(openComparisons({ defaultAction: 'SCMP_ACT_ERRNO', syscalls: [open] }), [
    'socket argument 0 SCMP_CMP_GT 40',
  ])
  assert.deepEqual(openComparisons({ defaultAction: 'SCMP_ACT_ERRNO', syscalls: [open] }, new Set(['socket:0'])), [])
})

test('R09: the calls that take a socket family have its rules only, and the 32-bit entry to them is closed', () => {
  const { syscalls } = seccompFilter(defaultProfile(), target)
  for (const name of ['socket', 'socketpair'])
    assert.deepEqual(
      rulesOf(name, syscalls),
      ['LT 38', 'EQ 39', 'EQ 41', 'EQ 42', 'EQ 43', 'EQ 44', 'EQ 45'].map((text) => `SCMP_ACT_ALLOW SCMP_CMP_${text}`),
      name,
    )
  assert.deepEqual(rulesOf('socketcall', syscalls), ['SCMP_ACT_ERRNO'])
  // Where AppArmor denies the families, programs of 32 bits keep their sockets.
  const open = seccompFilter(defaultProfile({ multiplexer: true }), target).syscalls
  assert.deepEqual(rulesOf('socketcall', open), ['SCMP_ACT_ALLOW'])
})

test('nothing else of the published profile is changed', () => {
  const names = (rules: readonly SeccompRule[] = []) =>
    new Set(rules.filter(({ action }) => action === 'SCMP_ACT_ALLOW').flatMap((rule) => rule.names ?? []))
  const before = names(mobyDefaultProfile.syscalls)
  const after = names(defaultProfile().syscalls)
  assert.deepEqual([...before].filter((name) => !after.has(name)).sort(), ['socketcall'])
  assert.deepEqual(
    [...after].filter((name) => !before.has(name)),
    [],
  )
  for (const name of ['getxattrat', 'listmount', 'statmount', 'cachestat', 'mseal']) assert.ok(after.has(name), name)
})
