import assert from 'node:assert/strict'
import { test } from 'node:test'
import { memoryFile } from '../../../../test/kit/memory-file.ts'
import { gemspec } from './index.ts'

const PATH = 'usr/lib/ruby/gems/3.1.0/specifications/rake-13.0.6.gemspec'

const analyse = async (text: string) => gemspec.analyse(memoryFile(PATH, Buffer.from(text)), () => undefined)

test('specifications of installed gems are looked at, also of those that come with Ruby, and no sources', () => {
  const wants = (path: string) => gemspec.wants({ path, size: 100, mode: 0o644 }) !== undefined
  assert.ok(wants(PATH) && wants('specifications/a.gemspec') && wants('x/specifications/default/json-2.6.1.gemspec'))
  assert.ok(!wants('x/bundler/gems/a-c0ffee/a.gemspec') && !wants('x/specifications/a.rb') && !wants('a.gemspec'))
})

const cases: [name: string, text: string, expected: { name: string; version: string; licences?: string[] }][] = [
  [
    'as RubyGems writes them',
    `# -*- encoding: utf-8 -*-
# stub: rake 13.0.6 ruby lib

Gem::Specification.new do |s|
  s.name = "rake".freeze
  s.version = "13.0.6"

  s.required_rubygems_version = Gem::Requirement.new(">= 1.3.2".freeze) if s.respond_to? :required_rubygems_version=
  s.metadata = { "name" => "other", "changelog_uri" => "https://example.org" } if s.respond_to? :metadata=
  s.licenses = ["MIT".freeze, "Ruby".freeze]
  s.rubygems_version = "3.3.5".freeze
end
`,
    { name: 'rake', version: '13.0.6', licences: ['MIT', 'Ruby'] },
  ],
  [
    'with a version that is made, and one licence',
    'spec.name="a"\nspec.version = Gem::Version.new("1.2.3.rc1")\nspec.license = "MIT".freeze',
    { name: 'a', version: '1.2.3.rc1', licences: ['MIT'] },
  ],
  ['before RubyGems 1.9', '  s.name = %q{a}\n  s.version = "0.8.7"', { name: 'a', version: '0.8.7' }],
  ['with escapes', 's.name = "a\\-b"\ns.version = "1"\ns.licenses = []', { name: 'a-b', version: '1' }],
  ['the first of two assignments', 's.name = "a"\ns.name = "b"\ns.version = "1"', { name: 'a', version: '1' }],
]

for (const [name, text, expected] of cases) {
  test(`a specification of a gem ${name}`, async () => {
    const { packages, gaps } = await analyse(text)
    assert.deepEqual([packages, gaps], [[{ type: 'gem', ...expected }], undefined])
  })
}

test('a specification that computes its name or version is refused, since nothing is evaluated', async () => {
  for (const text of [
    '',
    's.name = "a"',
    's.name = NAME\ns.version = VERSION',
    's.name == "a"\ns.version == "1"',
    '# s.name = "a"\n# s.version = "1"',
    's.name = `touch /tmp/x`\ns.version = File.read("VERSION")'.replace('"VERSION"', 'VERSION'),
  ])
    await assert.rejects(analyse(text), { code: 'INVALID_ARGUMENT', message: /as RubyGems writes them/ }, text)
})

test('a line of a megabyte of quotes or spaces costs less than a second', async () => {
  const began = process.cpuUsage()
  for (const [head, piece] of [
    ['s.name = ', '"\\"\\'],
    ['', ' '],
    ['s.name = %q{', '%q{'],
    ['', 's.name = "\\"\\\n'],
  ] as const)
    await assert.rejects(analyse(head + piece.repeat((1 << 20) / piece.length)), { code: 'INVALID_ARGUMENT' })
  assert.ok(process.cpuUsage(began).user < 1_000_000)
})
