import assert from 'node:assert/strict'
import { test } from 'node:test'
import { memoryFile } from '../../../../../test/kit/memory-file.ts'
import { zipOf } from '../../../../../test/kit/zip.ts'
import { pythonMetadata } from './index.ts'

const METADATA = 'usr/lib/python3/site-packages/a-1.0.dist-info/METADATA'

const analyse = async (content: string | Buffer, path = METADATA) =>
  pythonMetadata.analyse(memoryFile(path, Buffer.from(content)), () => undefined)

const wants = (path: string) => pythonMetadata.wants({ path, size: 100, mode: 0o644 })

test('the metadata of wheels, of eggs and of what setuptools installed is looked at', () => {
  for (const path of [METADATA, 'x/a.egg-info/PKG-INFO', 'x/a-1-py3.egg/EGG-INFO/PKG-INFO', 'x/a-1.0.egg-info'])
    assert.deepEqual(wants(path)?.magic, undefined, path)
  assert.deepEqual(wants('x/a-1-py3.egg')?.magic, ['PK\x03\x04'])
  for (const path of [
    'x/a.dist-info/RECORD',
    'x/METADATA',
    'x/PKG-INFO',
    'requirements.txt',
    'x/a.egg-info/top_level.txt',
  ])
    assert.equal(wants(path), undefined, path)
})

const cases: [name: string, header: string, expected: { name: string; version: string; licences?: string[] }][] = [
  [
    'the name as it is written',
    'Name: Zope.Interface\nVersion: 1.0.post1',
    { name: 'Zope.Interface', version: '1.0.post1' },
  ],
  [
    'an expression before all else',
    'Name: a\nVersion: 1\nLicense-Expression: MIT OR Apache-2.0\nLicense: BSD\nClassifier: License :: OSI Approved :: GPL',
    { name: 'a', version: '1', licences: ['MIT OR Apache-2.0'] },
  ],
  [
    'a licence by name',
    'Name: a\nVersion: 1\nLicense: BSD-3-Clause',
    { name: 'a', version: '1', licences: ['BSD-3-Clause'] },
  ],
  [
    'the text of a licence, for which the classifiers stand in',
    `Name: a
Version: 1
License: Copyright

        Permission is hereby granted
Classifier: License :: OSI Approved :: MIT License`.replace('\n\n', '\n        \n'),
    { name: 'a', version: '1', licences: ['MIT License'] },
  ],
  [
    'an unknown licence',
    'Name: a\nVersion: 1\nLicense: UNKNOWN\nClassifier: Programming Language :: Python\nClassifier: License :: OSI Approved',
    { name: 'a', version: '1' },
  ],
  [
    'other letters and Windows lines',
    'METADATA-VERSION: 2.1\r\nname:a\r\nVERSION:\t1\r\n\r\nName: b',
    { name: 'a', version: '1' },
  ],
  ['the first of two', 'Name: a\nName: b\nVersion: 1\nVersion: 2', { name: 'a', version: '1' }],
  ['lines that are no fields', '<<<<\n: x\n\tfolded\nName: a\n=====\n  more\nVersion: 1', { name: 'a', version: '1' }],
  ['a description that looks like a header', 'Name: a\nVersion: 1\n\nName: b\nVersion: 2', { name: 'a', version: '1' }],
]

for (const [name, header, expected] of cases) {
  test(`metadata of a Python package: ${name}`, async () => {
    const { packages, gaps } = await analyse(header)
    assert.deepEqual([packages, gaps], [[{ type: 'pypi', ...expected }], undefined])
  })
}

test('metadata without name and version is refused', async () => {
  for (const text of ['', 'Name: a', 'Version: 1', '\n\nName: a\nVersion: 1', 'Name:\nVersion: 1', '\xff\xfe'])
    await assert.rejects(analyse(text), { code: 'INVALID_ARGUMENT', message: /does not say the name and the version/ })
})

test('a name that cannot be one is missed', async () => {
  const { packages, gaps } = await analyse(Buffer.from('Name: a\xff\nVersion: 1', 'latin1'))
  assert.equal(packages, undefined)
  assert.deepEqual(gaps, [{ where: METADATA, reason: 'a package has no usable name or version' }])
})

test('a header of millions of short lines costs no more than its length', async () => {
  const began = process.cpuUsage()
  await assert.rejects(analyse(Buffer.alloc(2 << 20, ' a\n')), { code: 'INVALID_ARGUMENT' })
  await assert.rejects(analyse(Buffer.alloc(2 << 20, 'A:\n')), { code: 'INVALID_ARGUMENT' })
  assert.ok(process.cpuUsage(began).user < 1_000_000)
})

const EGG = 'usr/lib/python2.7/site-packages/a-1.0-py2.7.egg'

const egg = (data: string, size?: number) => zipOf([{ name: 'EGG-INFO/PKG-INFO', data, says: { size } }])

test('an archive that Python imports from is a package when it has metadata', async () => {
  const { packages } = await analyse(egg('Name: a\nVersion: 1.0\n'), EGG)
  assert.deepEqual(packages, [{ type: 'pypi', name: 'a', version: '1.0' }])
  assert.deepEqual(await analyse(zipOf([{ name: 'a.py', data: '' }]), EGG), {})
})

test('an archive with names that lead out of it is read all the same, since nothing is written', async () => {
  const archive = zipOf([
    { name: '../../etc/passwd', data: 'x' },
    { name: 'EGG-INFO/PKG-INFO', data: 'Name: a\nVersion: 1.0\n' },
  ])
  assert.equal((await analyse(archive, EGG)).packages?.length, 1)
})

test('an archive that is damaged, or larger inside than it may be, is refused', async () => {
  const good = egg('Name: a\nVersion: 1.0\n')
  for (const bytes of [good.subarray(0, -10), good.subarray(40), Buffer.from('PK\x03\x04'), Buffer.alloc(0)])
    await assert.rejects(analyse(bytes, EGG), { code: 'INVALID_ARGUMENT', message: 'the archive cannot be read' })
  const large = egg('Name: a\n'.repeat((1 << 20) + 1))
  await assert.rejects(analyse(large, EGG), { code: 'LIMIT_EXCEEDED', message: /EGG-INFO\/PKG-INFO is larger than/ })
  const lying = egg('Name: a\n'.repeat((1 << 20) + 1), 100)
  await assert.rejects(analyse(lying, EGG), { code: 'INVALID_ARGUMENT' })
})
