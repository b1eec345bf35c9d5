import assert from 'node:assert/strict'
import { test } from 'node:test'
import { memoryFile } from '../../../../test/kit/memory-file.ts'
import type { Analyser } from '../analyser.ts'
import { composerInstalled, composerLockfile } from './index.ts'

const analyse = async (analyser: Analyser, text: string) =>
  analyser.analyse(memoryFile('x', Buffer.from(text)), () => undefined)

const ONE = '{"name":"symfony/yaml","version":"v5.4.0","version_normalized":"5.4.0.0","license":["MIT","BSD-3-Clause"]}'
const FOUND = { type: 'composer', name: 'symfony/yaml', version: 'v5.4.0', licences: ['MIT', 'BSD-3-Clause'] }

test("composer's list and lockfile are looked at; not lockfiles of installed packages", () => {
  const wants = (analyser: Analyser, path: string) => analyser.wants({ path, size: 1, mode: 0o644 }) !== undefined
  assert.ok(wants(composerInstalled, 'app/vendor/composer/installed.json'))
  assert.ok(wants(composerInstalled, 'app/lib/composer/installed.json'))
  assert.ok(!wants(composerInstalled, 'app/installed.json') && !wants(composerInstalled, 'mycomposer/installed.json'))
  assert.ok(wants(composerLockfile, 'app/composer.lock') && !wants(composerLockfile, 'app/vendor/a/b/composer.lock'))
  assert.equal(composerLockfile.installsInto, 'vendor')
})

const cases: [name: string, analyser: Analyser, text: string, expected: object[]][] = [
  ['version 1, a list', composerInstalled, `[${ONE}]`, [FOUND]],
  [
    'version 2, also what is for development, since it is there',
    composerInstalled,
    `{"packages":[${ONE},{"name":"a/dev","version":"dev-main","license":"MIT"}],"dev":true,"dev-package-names":["a/dev"]}`,
    [FOUND, { type: 'composer', name: 'a/dev', version: 'dev-main', licences: ['MIT'] }],
  ],
  [
    'a lockfile, without what is for development',
    composerLockfile,
    `{"packages":[${ONE}],"packages-dev":[{"name":"a/dev","version":"1.0"}]}`,
    [FOUND],
  ],
  ['none', composerInstalled, '{"packages":[]}', []],
]

for (const [name, analyser, text, expected] of cases) {
  test(`composer's packages: ${name}`, async () => {
    const { packages, gaps } = await analyse(analyser, text)
    assert.deepEqual([packages ?? [], gaps], [expected, undefined])
  })
}

test('entries that are no packages are missed, the others found', async () => {
  const { packages, gaps } = await analyse(composerInstalled, `[null,5,{"name":"a/b"},{"version":"1"},${ONE}]`)
  assert.deepEqual(packages, [FOUND])
  assert.deepEqual(gaps, [{ where: 'x', reason: 'a package has no usable name or version (4 times)' }])
})

test('a document without a list of packages is refused', async () => {
  for (const analyser of [composerInstalled, composerLockfile])
    for (const text of ['{}', '{"packages":{}}', '{"packages":', '5', '{"__proto__":{"packages":[]}}'])
      await assert.rejects(analyse(analyser, text), { name: 'BaleError', code: 'INVALID_ARGUMENT' }, text)
})
