import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import fc from 'fast-check'
import { comparatorOf, inRange } from '#trust/versions'
import { createTally } from '../tally.ts'
import { rangesOutside } from './gem-ranges.ts'
import { isRubySecFile, readRubySec } from './read-rubysec.ts'

async function read(...texts: string[]) {
  const tally = createTally()
  const files = texts.map((text, index) => ({ name: `gems/a/${index}.yml`, bytes: Buffer.from(text) }))
  return { advisories: await Array.fromAsync(readRubySec(files, { tally })), tally }
}

test('an advisory of a gem has the ranges outside of what is patched or was never affected', async () => {
  const { advisories, tally } = await read(`---
gem: rack
cve: 2022-30122
ghsa: hxqx-xwvh-44m2
url: https://example.org/rack
title: Denial of service in multipart parsing
date: 2022-05-27
description: |
  Long text
cvss_v2: 5.0
cvss_v3: 7.5
unaffected_versions:
  - "< 1.2"
patched_versions:
  - "~> 2.0.9, >= 2.0.9.1"
  - "~> 2.1.4, >= 2.1.4.1"
  - ">= 2.2.3.1"
`)
  assert.deepEqual(tally.reasons, [])
  assert.deepEqual(advisories, [
    {
      id: 'CVE-2022-30122',
      aliases: ['GHSA-hxqx-xwvh-44m2'],
      ecosystem: 'RubyGems',
      name: 'rack',
      ranges: [
        { events: [{ introduced: '1.2' }, { fixed: '2.0.9.1' }] },
        { events: [{ introduced: '2.1.a' }, { fixed: '2.1.4.1' }] },
        { events: [{ introduced: '2.2.a' }, { fixed: '2.2.3.1' }] },
      ],
      state: 'fixed',
      severity: { level: 'high', by: 'rubysec', score: 7.5 },
      summary: 'Denial of service in multipart parsing',
      url: 'https://example.org/rack',
      published: '2022-05-27T00:00:00Z',
      source: 'rubysec',
    },
  ])
})

test('an advisory without a patch is about all versions', async () => {
  for (const patched of ['', 'patched_versions: []\n', 'patched_versions:\n']) {
    const { advisories } = await read(`gem: a\nosvdb: 89026\n${patched}`)
    assert.deepEqual(
      advisories.map(({ id, state, ranges }) => [id, state, ranges]),
      [['OSVDB-89026', 'not fixed', [{ events: [{ introduced: '0' }] }]]],
    )
  }
})

test('a malformed file is skipped and counted: aliases that grow, deep nesting, wrong types, a long file', async () => {
  const laughs = `a: &a [x,x,x]\nb: &b [*a,*a,*a]\nc: [*b,*b,*b]\ngem: a\ncve: 2024-1\n`
  const { advisories, tally } = await read(
    laughs,
    '['.repeat(20_000),
    '- a',
    'gem: [a]\ncve: 1',
    'gem: a',
    'gem: a\ncve: 2024-1\npatched_versions: 7',
    'gem: a\ncve: 2024-1\npatched_versions: ["~> x"]',
    `gem: a\ncve: 2024-1\n# ${'x'.repeat(600_000)}`,
    'gem: b\ncve: 2024-2',
  )
  assert.deepEqual([advisories.map(({ name }) => name), tally.skipped], [['b'], 8])
})

test('nothing that a file says is written to the terminal as a warning', async () => {
  const warnings: unknown[] = []
  const note = (warning: unknown) => warnings.push(warning)
  process.on('warning', note)
  const { advisories } = await read('gem: !odd b\ncve: 2024-1')
  await setImmediate()
  process.off('warning', note)
  assert.deepEqual([advisories.length, warnings], [1, []])
})

test('advisories of gems are told from other files of the database', () => {
  const names = [
    'gems/rack/CVE-2022-30122.yml',
    'ruby-advisory-db-master/gems/a/GHSA-1.yaml',
    'rubies/ruby/CVE-2024-1.yml',
    'gems/README.md',
    'spec/gems/a.yml',
  ]
  assert.deepEqual(names.map(isRubySecFile), [true, true, false, false, false])
})

const compare = comparatorOf('gem')

/** What a requirement allows, by its own words. */
function allows(requirement: string, version: string): boolean {
  return requirement.split(', ').every((part) => {
    const [operator, wanted] = part.split(' ') as [string, string]
    const order = compare(version, wanted)!
    if (operator === '~>') {
      const kept = wanted.split('.').slice(0, -1).length > 0 ? wanted.split('.').slice(0, -1) : [wanted]
      const next = [...kept.slice(0, -1), String(Number(kept.at(-1)) + 1)].join('.')
      return order >= 0 && compare(version, next)! < 0
    }
    return { '=': order === 0, '>': order > 0, '>=': order >= 0, '<': order < 0, '<=': order <= 0 }[operator]!
  })
}

test('a version is in a range exactly when no requirement allows it', () => {
  // Version 0 itself stands for all versions in ranges.
  const number = fc
    .tuple(fc.integer({ min: 1, max: 4 }), fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 2 }))
    .map(([first, others]) => [first, ...others].join('.'))
  const part = fc.tuple(fc.constantFrom('=', '>', '>=', '<', '<=', '~>'), number).map((words) => words.join(' '))
  const requirement = fc.array(part, { minLength: 1, maxLength: 2 }).map((parts) => parts.join(', '))
  fc.assert(
    fc.property(fc.array(requirement, { maxLength: 4 }), number, (requirements, version) => {
      const isAffected = rangesOutside(requirements).some(
        ({ events }) => inRange(compare, version, events) === 'affected',
      )
      assert.equal(
        isAffected,
        !requirements.some((one) => allows(one, version)),
        `${JSON.stringify(requirements)} ${version}`,
      )
    }),
    { numRuns: 2000 },
  )
})
