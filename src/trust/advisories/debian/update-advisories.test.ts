import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compareVersions, inRange } from '#trust/versions'
import type { ChangelogEntry } from './changelog/index.ts'
import { adviseUpdate, type SourceUpdate } from './update-advisories.ts'

const ENTRIES: readonly ChangelogEntry[] = [
  { version: '4-1', ids: ['CVE-4'] },
  { version: '3-1', ids: [] },
  { version: '2-1', ids: ['CVE-2', 'CVE-1'] },
  { version: '1-1', ids: ['CVE-1', 'CVE-0'] },
]

const compare = (a: string, b: string) => compareVersions('deb', a, b)

/** Ids of what affects an installed version. */
function affecting(version: string, update: Partial<SourceUpdate>, entries?: readonly ChangelogEntry[]): string[] {
  const whole = { ecosystem: 'Debian:12', source: 'x', newest: '4-1', ...update }
  return adviseUpdate(whole, entries && { entries })
    .filter(({ ranges }) => ranges.some(({ events }) => inRange(compare, version, events) === 'affected'))
    .map(({ id }) => id)
}

test('an installed version is affected by the ids of all entries above it', () => {
  const update = { security: '4-1' }
  assert.deepEqual(affecting('0-1', update, ENTRIES), ['CVE-4', 'CVE-2', 'CVE-1', 'CVE-0'])
  assert.deepEqual(affecting('1-1', update, ENTRIES), ['CVE-4', 'CVE-2', 'CVE-1'])
  assert.deepEqual(affecting('2-1', update, ENTRIES), ['CVE-4'])
  assert.deepEqual(affecting('4-1', update, ENTRIES), [])
})

test('a security update that names no id above what is installed is an advisory by itself', () => {
  const update = { security: '3-1', newest: '3-1' }
  assert.deepEqual(affecting('2-1', update, ENTRIES.slice(1)), ['DEBIAN-UPDATE-x-3-1'])
  assert.deepEqual(affecting('1-1', update, ENTRIES.slice(1)), ['CVE-2', 'CVE-1'])
  assert.deepEqual(affecting('1-1', update, []), ['DEBIAN-UPDATE-x-3-1'])
  assert.deepEqual(affecting('1-1', update), ['DEBIAN-UPDATE-x-3-1'])
  assert.deepEqual(affecting('3-1', update), [])
})

test('an update by a point release counts for the ids that it names, and not without', () => {
  const update = { security: '2-1', newest: '4-1' }
  assert.deepEqual(affecting('2-1', update, ENTRIES), ['CVE-4'])
  assert.deepEqual(affecting('1-1', update, ENTRIES), ['CVE-4', 'CVE-2', 'CVE-1'])
  assert.deepEqual(affecting('2-1', { newest: '3-1' }, ENTRIES.slice(1)), [])
  assert.deepEqual(affecting('2-1', { newest: '4-1' }), [])
  const remarks = adviseUpdate({ ecosystem: 'e', source: 'x', ...update }, { entries: ENTRIES }).map(
    ({ id, remark }) => `${id} ${remark}`,
  )
  assert.deepEqual(remarks.slice(0, 2), [
    'CVE-4 named in the changelog of an update by a point release',
    'CVE-2 named in the changelog of the update',
  ])
})

test('an entry of a branch with higher numbers is fixed in the newest version', () => {
  const entries = [
    { version: '1-2', ids: [] },
    { version: '2~exp', ids: ['CVE-9'] },
    { version: '1-1', ids: [] },
  ]
  assert.deepEqual(affecting('1-1', { security: '1-2', newest: '1-2' }, entries), ['CVE-9'])
  assert.deepEqual(affecting('1-2', { security: '1-2', newest: '1-2' }, entries), [])
})
