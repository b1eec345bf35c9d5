import assert from 'node:assert/strict'
import { test } from 'node:test'
import { streamOf } from '#blob'
import { readAlpineSecdb } from './alpine-secdb.ts'
import { createTally } from './tally.ts'

async function read(document: unknown, ecosystem?: string) {
  const tally = createTally()
  const bytes = streamOf(Buffer.from(JSON.stringify(document)))
  return { advisories: await Array.fromAsync(readAlpineSecdb(bytes, { tally, ecosystem })), tally }
}

const secdb = (packages: unknown[], more = {}) => ({ distroversion: 'v3.19', reponame: 'main', packages, ...more })
const pkg = (name: string, secfixes: unknown) => ({ pkg: { name, secfixes } })

test('each vulnerability of a package is an advisory with all versions that fixed it; version 0 is none', async () => {
  const { advisories } = await read(
    secdb([
      pkg('curl', {
        '0': ['CVE-2020-1'],
        '8.1.0-r0': ['CVE-2023-1', 'CVE-2023-2 XSA-12'],
        '8.2.0-r1': ['CVE-2023-1 (+ regression fix)'],
      }),
    ]),
  )
  const fixedIn = (...versions: string[]) => versions.map((fixed) => ({ events: [{ introduced: '0' }, { fixed }] }))
  const common = { ecosystem: 'Alpine:v3.19', name: 'curl', state: 'fixed', source: 'alpine-secdb' }
  const url = 'https://security.alpinelinux.org/vuln/'
  assert.deepEqual(advisories, [
    { ...common, id: 'CVE-2023-1', aliases: [], ranges: fixedIn('8.1.0-r0', '8.2.0-r1'), url: `${url}CVE-2023-1` },
    { ...common, id: 'CVE-2023-2', aliases: ['XSA-12'], ranges: fixedIn('8.1.0-r0'), url: `${url}CVE-2023-2` },
  ])
})

test('several CVE ids in one text are several vulnerabilities; a text without an id is none', async () => {
  const { advisories } = await read(
    secdb([pkg('a', { '1-r0': ['CVE-2023-1 CVE-2023-2 GHSA-x', 'GHSA-1234-5678', 'see the notes', ''] })]),
  )
  assert.deepEqual(
    advisories.map(({ id }) => id),
    ['CVE-2023-1', 'CVE-2023-2', 'GHSA-1234-5678'],
  )
})

test('the ecosystem is of the release, edge included, or the one given for distributions without', async () => {
  const packages = [pkg('a', { '1-r0': ['CVE-2023-1'] })]
  assert.equal((await read(secdb(packages, { distroversion: 'edge' }))).advisories[0]?.ecosystem, 'Alpine:edge')
  assert.equal((await read({ packages }, 'Wolfi')).advisories[0]?.ecosystem, 'Wolfi')
  await assert.rejects(read({ packages }), { code: 'INVALID_ARCHIVE' })
  await assert.rejects(read(secdb(packages, { distroversion: '../../v3.19' })), { code: 'INVALID_ARCHIVE' })
})

test('a malformed package is skipped and counted; what is no database is refused', async () => {
  const { advisories, tally } = await read(
    secdb([
      null,
      {},
      pkg('', {}),
      pkg('a', []),
      pkg('b', { '1-r0': 'CVE-2023-1' }),
      pkg('c', { '1-r0': ['CVE-2023-1', 7] }),
    ]),
  )
  assert.deepEqual([advisories.map(({ name }) => name), tally.skipped, tally.records], [['c'], 5, 1])
  for (const document of [[], null, {}, secdb([], { packages: {} })])
    await assert.rejects(read(document), { code: 'INVALID_ARCHIVE' })
})
