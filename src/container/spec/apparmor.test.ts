import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryDirectory } from '../../../test/kit/temporary.ts'
import { ensureApparmorProfile } from '../runtime/apparmor.ts'
import {
  type AppArmor,
  type AppArmorPlaces,
  apparmorLabel,
  apparmorProfile,
  apparmorText,
  loadedProfiles,
  NO_APPARMOR,
  readAppArmor,
} from './apparmor.ts'
import { parseSecurityOptions } from './security-options.ts'

const there: AppArmor = { enabled: true, mediatesSockets: true }

/** A machine whose kernel files are those given; apparmor_parser notes how it was called. */
async function machine(files: Record<string, string>, parser = 'cat > "$0.input"; echo "$@" >> "$0.calls"') {
  const directory = await temporaryDirectory('bale-apparmor')
  const places: AppArmorPlaces = {
    kernel: join(directory.path, 'kernel'),
    module: join(directory.path, 'module'),
    programs: join(directory.path, 'bin'),
    macros: join(directory.path, 'macros'),
  }
  for (const name of ['kernel/features/network_v8', 'module', 'bin', 'macros/tunables', 'run'])
    mkdirSync(join(directory.path, name), { recursive: true })
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory.path, name), text)
  const program = join(places.programs, 'apparmor_parser')
  if (parser !== '') {
    writeFileSync(program, `#!/bin/sh\n${parser}\n`)
    chmodSync(program, 0o755)
  }
  const run = join(directory.path, 'run')
  const programs = { need: () => program, searchPath: '/usr/bin:/bin' }
  return {
    places,
    program,
    loader: { places, run, programs },
    [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose](),
  }
}

const ENABLED = { 'module/enabled': 'Y\n', 'kernel/profiles': 'one (enforce)\nwith (two) words (complain)\n' }

test('AppArmor counts when the kernel enforces it and the program that loads profiles is installed', async () => {
  const cases: [Record<string, string>, string | undefined, AppArmor][] = [
    [{}, undefined, NO_APPARMOR],
    [{ 'module/enabled': 'N\n' }, undefined, NO_APPARMOR],
    [
      { 'module/enabled': 'Y\n' },
      undefined,
      { ...NO_APPARMOR, missing: 'securityfs is not mounted at /sys/kernel/security' },
    ],
    [ENABLED, '', { ...NO_APPARMOR, missing: 'apparmor_parser is not installed' }],
    [ENABLED, undefined, { enabled: true, mediatesSockets: false }],
    [{ ...ENABLED, 'kernel/features/network_v8/af_mask': 'unix inet alg vsock \n' }, undefined, there],
  ]
  for (const [files, parser, expected] of cases) {
    await using place = await machine(files, parser)
    assert.deepEqual(readAppArmor(place.places), expected, JSON.stringify(files))
  }
  await using place = await machine(ENABLED)
  assert.deepEqual(loadedProfiles(place.places), ['one', 'with (two) words'])
  assert.deepEqual(['unconfined\n', 'x', 'a (enforce)'].map(apparmorLabel), ['unconfined', 'x', 'a'])
})

test('R18: which profile a container gets: the default, the one asked for, none; or a refusal', () => {
  const of = (asked?: string, apparmor = there, privileged = false) => apparmorProfile(asked, { apparmor, privileged })
  assert.deepEqual(
    [of(), of('docker-default'), of('own'), of('unconfined')],
    ['bale-default', 'bale-default', 'own', undefined],
  )
  assert.deepEqual([of(undefined, there, true), of('own', there, true)], [undefined, 'own'])
  assert.deepEqual([of(undefined, NO_APPARMOR), of('unconfined', NO_APPARMOR)], [undefined, undefined])
  for (const [asked, apparmor] of [
    ['own', NO_APPARMOR],
    ['docker-default', NO_APPARMOR],
    ['', there],
    ['a b', there],
  ] as const)
    assert.throws(() => of(asked, apparmor), { code: 'INVALID_ARGUMENT' }, asked)
})

test('32-bit programs keep their socket calls where the profile denies the families, and only there', () => {
  const socketcall = (options: string[], apparmor: AppArmor) =>
    parseSecurityOptions(options, { apparmor }).seccomp?.syscalls?.find((rule) => rule.names?.includes('socketcall'))
      ?.action
  assert.equal(socketcall([], there), 'SCMP_ACT_ALLOW')
  for (const [options, apparmor] of [
    [[], NO_APPARMOR],
    [[], { enabled: true, mediatesSockets: false }],
    [['apparmor=unconfined'], there],
    [['apparmor=own'], there],
  ] as [string[], AppArmor][])
    assert.equal(socketcall(options, apparmor), 'SCMP_ACT_ERRNO', options.join())
})

test("the default profile is docker's, loaded once for each boot and version; others must be there", async () => {
  await using place = await machine({ ...ENABLED, 'macros/tunables/global': '' })
  await ensureApparmorProfile('bale-default', place.loader)
  const text = readFileSync(`${place.program}.input`, 'utf8')
  assert.match(text, /^#include <tunables\/global>$/m)
  for (const line of [
    'deny network alg,',
    'deny network vsock,',
    'deny mount,',
    'deny @{PROC}/kcore rwklx,',
    'profile "bale-default" ',
  ])
    assert.ok(text.includes(line), line)
  writeFileSync(join(place.places.kernel, 'profiles'), 'bale-default (enforce)\n')
  await ensureApparmorProfile('bale-default', place.loader)
  assert.equal(readFileSync(`${place.program}.calls`, 'utf8'), '-Kr\n')
  // Not noted any more, or gone from the kernel: loaded again.
  writeFileSync(join(place.places.kernel, 'profiles'), '')
  await ensureApparmorProfile('bale-default', place.loader)
  assert.equal(readFileSync(`${place.program}.calls`, 'utf8'), '-Kr\n-Kr\n')
  await assert.rejects(ensureApparmorProfile('own', place.loader), { code: 'INVALID_ARGUMENT' })
  assert.match(apparmorText({ name: 'a"b', hasMacro: () => false }), /^@\{PROC\}=\/proc\/\n\nprofile "a\\"b" /m)
})

test('R18: a profile that cannot be loaded is a container that does not start', async () => {
  await using place = await machine(ENABLED, 'echo "syntax error" >&2; exit 1')
  await assert.rejects(
    ensureApparmorProfile('bale-default', place.loader),
    /cannot load the AppArmor profile .*syntax error/,
  )
})
