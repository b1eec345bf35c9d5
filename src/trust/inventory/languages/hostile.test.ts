import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isBaleError } from '#base'
import { memoryFile } from '../../../../test/kit/memory-file.ts'
import type { Analyser } from '../analyser.ts'
import type { FoundInFile } from '../model.ts'
import * as door from './index.ts'

/** A file of each kind, to be damaged. */
const samples: Readonly<Record<keyof typeof door, readonly (readonly [path: string, text: string])[]>> = {
  npmManifest: [['node_modules/a/package.json', '{"name":"a","version":"1","licenses":[{"type":"MIT"}]}']],
  npmLockfile: [
    ['package-lock.json', '{"lockfileVersion":3,"packages":{"node_modules/a":{"version":"1"}}}'],
    [
      'package-lock.json',
      '{"lockfileVersion":1,"dependencies":{"a":{"version":"1","dependencies":{"b":{"version":"2"}}}}}',
    ],
  ],
  yarnLockfile: [
    ['yarn.lock', '# yarn lockfile v1\n\n"@s/a@^1", a@^2:\n  version "1.0.0"\n'],
    ['yarn.lock', '__metadata:\n  version: 8\n\n"a@npm:^1":\n  version: 1.0.0\n  resolution: "a@npm:1.0.0"\n'],
  ],
  pnpmLockfile: [
    ['pnpm-lock.yaml', 'lockfileVersion: 5.4\npackages:\n\n  /@s/a/1.0.0_b@1:\n    dev: true\n'],
    [
      'pnpm-lock.yaml',
      "lockfileVersion: '9.0'\nimporters:\n  .:\n    dependencies:\n      a:\n        version: 1(b@1)\npackages:\n  a@1:\n    x: y\nsnapshots:\n  a@1(b@1):\n    dependencies:\n      b: 1\n",
    ],
  ],
  pythonMetadata: [
    ['a.dist-info/METADATA', 'Name: a\nVersion: 1\nLicense: x\n  y\nClassifier: License :: OSI Approved :: MIT\n\nx'],
    ['a.egg', 'PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0'],
  ],
  gemspec: [
    ['specifications/a.gemspec', 's.name = "a".freeze\ns.version = Gem::Version.new("1")\ns.licenses = ["MIT"]'],
  ],
  composerInstalled: [['composer/installed.json', '{"packages":[{"name":"a/b","version":"1","license":["MIT"]}]}']],
  composerLockfile: [['composer.lock', '{"packages":[{"name":"a/b","version":"1"}],"packages-dev":[]}']],
  dotnetDependencies: [
    [
      'a.deps.json',
      '{"runtimeTarget":{"name":"t"},"targets":{"t":{"A/1":{"runtime":{"a":{}}}}},"libraries":{"A/1":{"type":"package"}}}',
    ],
  ],
  nugetLockfile: [['packages.lock.json', '{"dependencies":{"net8.0":{"A":{"type":"Direct","resolved":"1"}}}}']],
  sbom: [
    [
      'a.cdx.json',
      '{"bomFormat":"CycloneDX","components":[{"type":"library","purl":"pkg:npm/a@1?x=y","licenses":[{"license":{"id":"MIT"}}]}]}',
    ],
    [
      'a.spdx',
      '{"spdxVersion":"SPDX-2.3","packages":[{"externalRefs":[{"referenceType":"purl","referenceLocator":"pkg:npm/a@1"}]}]}',
    ],
    ['a.spdx', 'SPDXVersion: SPDX-2.3\nPackageName: a\nExternalRef: PACKAGE-MANAGER purl pkg:npm/a@1\n'],
  ],
}

const analysers = new Map(
  Object.entries(door).map(([name, analyser]) => [name as keyof typeof door, analyser as Analyser]),
)

/** What an analyser says within a second of work, and in no other way than by a BaleError without the path that it refuses. */
async function bounded(analyser: Analyser, path: string, bytes: Buffer): Promise<FoundInFile> {
  const began = process.cpuUsage()
  try {
    return await analyser.analyse(memoryFile(path, bytes), () => undefined)
  } catch (error) {
    assert.ok(isBaleError(error, 'INVALID_ARGUMENT') || isBaleError(error, 'LIMIT_EXCEEDED'), String(error))
    assert.ok(!error.message.includes(path), error.message)
    return {}
  } finally {
    assert.ok(process.cpuUsage(began).user < 1_000_000)
  }
}

test('each analyser is one of languages, wants its samples, and finds a package in them or nothing to say', async () => {
  for (const [name, analyser] of analysers) {
    assert.equal(analyser.language, true, name)
    for (const [path, text] of samples[name]) {
      assert.ok(analyser.wants({ path, size: text.length, mode: 0o644 }), path)
      const { packages, gaps } = await bounded(analyser, path, Buffer.from(text))
      assert.equal(gaps, undefined, path)
      assert.equal(path === 'a.egg' || text.includes('dev: true') || packages!.length > 0, true, path)
    }
  }
})

const PIECES = [
  '{',
  '[',
  '"',
  '\\',
  '\n',
  ' ',
  ':',
  ',',
  '__proto__',
  'null',
  '1',
  '@',
  '/',
  '\xff',
  '\0',
  '\u202e',
  '%',
  '<text>',
]

for (const [name, analyser] of analysers) {
  test(`property: random bytes are refused or read, never more than that: ${name}`, async () => {
    const content = fc.oneof(
      fc.uint8Array({ maxLength: 4096 }).map((bytes) => Buffer.from(bytes)),
      fc.array(fc.constantFrom(...PIECES), { maxLength: 400 }).map((pieces) => Buffer.from(pieces.join(''))),
    )
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...samples[name]), content, async ([path], bytes) => {
        await bounded(analyser, path, bytes)
      }),
    )
  })

  test(`property: a damaged file gives packages with a name and a version, or none: ${name}`, async () => {
    const damage = fc.record({ at: fc.nat(600), remove: fc.nat(20), insert: fc.constantFrom('', ...PIECES) })
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...samples[name]),
        fc.array(damage, { maxLength: 4 }),
        async ([path, text], all) => {
          let bytes = Buffer.from(text)
          for (const { at, remove, insert } of all)
            bytes = Buffer.concat([bytes.subarray(0, at), Buffer.from(insert, 'latin1'), bytes.subarray(at + remove)])
          const { packages = [] } = await bounded(analyser, path, bytes)
          for (const one of packages)
            assert.match(`${one.name} ${one.version}`, /^[^\s\p{Cc}\p{Cf}]+ [^\s\p{Cc}\p{Cf}]+$/u)
        },
      ),
      { numRuns: 300 },
    )
  })
}
