import assert from 'node:assert/strict'
import { test } from 'node:test'
import { memoryFile } from '../../../../test/kit/memory-file.ts'
import type { Analyser } from '../analyser.ts'
import { dotnetDependencies, nugetLockfile } from './index.ts'

const analyse = async (analyser: Analyser, document: unknown) =>
  analyser.analyse(
    memoryFile('x', Buffer.from(typeof document === 'string' ? document : JSON.stringify(document))),
    () => undefined,
  )

async function listed(analyser: Analyser, document: unknown): Promise<string[]> {
  const { packages = [], gaps = [] } = await analyse(analyser, document)
  assert.ok(packages.every(({ type }) => type === 'nuget'))
  return [...packages.map(({ name, version }) => `${name} ${version}`), ...gaps.map(({ reason }) => `? ${reason}`)]
}

test('lists of dependencies and lockfiles of .NET are looked at', () => {
  const wants = (analyser: Analyser, path: string) => analyser.wants({ path, size: 1, mode: 0o644 }) !== undefined
  assert.ok(wants(dotnetDependencies, 'app/App.deps.json') && !wants(dotnetDependencies, 'app/deps.json'))
  assert.ok(wants(nugetLockfile, 'src/packages.lock.json') && !wants(nugetLockfile, 'src/my.packages.lock.json'))
  assert.equal(nugetLockfile.installsInto, '.')
})

const TARGET = '.NETCoreApp,Version=v8.0/linux-x64'
const PACKAGE = { type: 'package' }
const PUBLISHED = {
  runtimeTarget: { name: TARGET },
  targets: {
    '.NETCoreApp,Version=v8.0': { 'Compiled/1.0.0': { runtime: { 'lib/Compiled.dll': {} } } },
    [TARGET]: {
      'App/1.0.0': { runtime: { 'App.dll': {} } },
      'Managed/1.0.0': { runtime: { 'lib/Managed.dll': {} } },
      'Native/1.0.0-rc.1': { native: { 'libnative.so': {} } },
      'Portable/1.0.0': { runtimeTargets: { 'runtimes/unix/lib/Portable.dll': {} } },
      'Words/1.0.0': { resources: { 'lib/de/Words.dll': {} } },
      'Compiled/1.0.0': { compile: { 'lib/Compiled.dll': {} }, runtime: {} },
      'Grouping/1.0.0': { dependencies: { Managed: '1.0.0' } },
      'runtimepack.Microsoft.NETCore.App.Runtime.linux-x64/8.0.1': { runtime: { 'System.dll': {} } },
    },
  },
  libraries: {
    'App/1.0.0': { type: 'project' },
    'Managed/1.0.0': { type: 'Package' },
    'Native/1.0.0-rc.1': PACKAGE,
    'Portable/1.0.0': PACKAGE,
    'Words/1.0.0': PACKAGE,
    'Compiled/1.0.0': PACKAGE,
    'Grouping/1.0.0': PACKAGE,
    'Elsewhere/2.0.0': PACKAGE,
    'runtimepack.Microsoft.NETCore.App.Runtime.linux-x64/8.0.1': { type: 'runtimepack' },
  },
}

test('an application has the packages that it has files of for its target, and its own runtime', async () => {
  assert.deepEqual(await listed(dotnetDependencies, PUBLISHED), [
    ...['Managed 1.0.0', 'Native 1.0.0-rc.1', 'Portable 1.0.0', 'Words 1.0.0', 'Elsewhere 2.0.0'],
    'Microsoft.NETCore.App.Runtime.linux-x64 8.0.1',
  ])
})

test('the target can be named by text alone, as the first versions did', async () => {
  const document = { ...PUBLISHED, runtimeTarget: TARGET, libraries: { 'Compiled/1.0.0': PACKAGE } }
  assert.deepEqual(await listed(dotnetDependencies, document), [])
})

test('a target or library with the name of what every object has is not found', async () => {
  const libraries = { 'constructor/1.0.0': PACKAGE }
  const document = { runtimeTarget: { name: 'constructor' }, targets: {}, libraries }
  assert.deepEqual(await listed(dotnetDependencies, document), ['constructor 1.0.0'])
  const text = `{"runtimeTarget":{"name":"__proto__"},"targets":{"__proto__":{"A/1":{}}},"libraries":{"A/1":{"type":"package"}}}`
  assert.deepEqual(await listed(dotnetDependencies, text), [])
})

test('libraries that are no packages are missed, the others found', async () => {
  const libraries = { NoVersion: PACKAGE, '/1.0.0': PACKAGE, 'Empty/': PACKAGE, 'Wrong/1.0.0': 5, 'A/1.0.0': PACKAGE }
  assert.deepEqual(await listed(dotnetDependencies, { libraries }), [
    'A 1.0.0',
    '? a package has no usable name or version (3 times)',
  ])
})

test('the lockfile lists packages of all frameworks, not projects', async () => {
  const document = {
    version: 1,
    dependencies: {
      'net8.0': {
        Direct: { type: 'Direct', requested: '[1.0.0, )', resolved: '1.0.0' },
        Deeper: { type: 'Transitive', resolved: '2.0.0' },
        other: { type: 'Project' },
        Broken: {},
      },
      'net8.0/linux-x64': { Deeper: { type: 'Transitive', resolved: '2.0.0' }, Native: { resolved: '3.0.0' } },
      wrong: 5,
    },
  }
  assert.deepEqual(await listed(nugetLockfile, document), [
    ...['Direct 1.0.0', 'Deeper 2.0.0', 'Native 3.0.0'],
    '? a package has no usable name or version',
  ])
})

test('another document with that ending is passed over, a damaged one refused', async () => {
  assert.deepEqual(await listed(dotnetDependencies, { mode: 'compile' }), [])
  for (const text of ['{"runtimeTarget":{}}', '{"libraries":[]}', '{"libraries":{', '[]'])
    await assert.rejects(analyse(dotnetDependencies, text), { name: 'BaleError', code: 'INVALID_ARGUMENT' }, text)
  for (const text of ['{}', '{"dependencies":[]}', '{"dependencies":{'])
    await assert.rejects(analyse(nugetLockfile, text), { name: 'BaleError', code: 'INVALID_ARGUMENT' }, text)
})
