import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { isBaleError } from '#base'
import { temporaryDirectory } from '../../../../test/kit/temporary.ts'
import { generateKeys } from '../key/index.ts'
import { readSignaturePolicy, type SignaturePolicy } from './index.ts'
import { parseSignaturePolicy } from './read-policy.ts'

const { publicKey, privateKey } = await generateKeys('ed25519')

function parse(text: string | Uint8Array): Promise<SignaturePolicy> {
  const files: Record<string, string> = { 'release.pub': publicKey, 'release.key': privateKey, 'text.txt': 'hello' }
  return parseSignaturePolicy(Buffer.from(text), 'policy.yaml', async (path) => {
    const content = files[path]
    if (content === undefined) throw Object.assign(new Error('no'), { code: 'ENOENT' })
    return Buffer.from(content)
  })
}

/** The lines of a refusal. */
async function mistakes(text: string | Uint8Array): Promise<string[]> {
  try {
    await parse(text)
  } catch (error) {
    assert.ok(isBaleError(error, 'INVALID_ARGUMENT'), String(error))
    return error.message.split('\n')
  }
  return assert.fail('it was taken')
}

test('a policy with all that it may have is read', async () => {
  const policy = await parse(`
version: 1
default:
  level: warn
  require: []
rules:
  - name: releases
    images: [registry.example/team/*, 'localhost:5000/**', '**/debug']
    level: enforce
    children: true
    repository: named
    not-older-than: 90d
    require:
      - key: release.pub
      - any:
          - key: |
${publicKey.replace(/^/gm, '              ')}
          - key: release.pub
`)
  const [rule] = policy.rules
  assert.equal(policy.fallback.level, 'warn')
  assert.deepEqual(policy.fallback.require, [])
  assert.deepEqual([rule!.name, rule!.level, rule!.children, rule!.repository], ['releases', 'enforce', true, 'named'])
  assert.deepEqual(rule!.notOlderThan, { days: 90 })
  assert.ok(rule!.require !== 'refuse')
  assert.deepEqual(
    rule!.require.map((group) => group.map(({ kind }) => kind)),
    [['key'], ['key', 'key']],
  )
  assert.equal(rule!.require[0]![0]!.name, 'release.pub')
  assert.match(rule!.require[1]![0]!.name, /^SHA256:/)
})

test('a policy may be JSON, and names files by paths from its own directory', async () => {
  await using directory = await temporaryDirectory()
  await writeFile(join(directory.path, 'release.pub'), publicKey)
  const text = JSON.stringify({
    version: 1,
    default: 'refuse',
    rules: [{ images: ['**'], require: [{ key: 'release.pub' }] }],
  })
  const path = join(directory.path, 'policy.json')
  await writeFile(path, text)
  const policy = await readSignaturePolicy(path)
  assert.equal(policy.fallback.require, 'refuse')
  assert.equal(policy.rules[0]!.place, `${path}:1:42`)
  await writeFile(path, text.replace('release.pub', 'other.pub'))
  await assert.rejects(readSignaturePolicy(path), {
    code: 'INVALID_ARGUMENT',
    message: `${path}:1:77: rules[0].require[0].key: cannot read other.pub: no such file`,
  })
})

test('all mistakes of a policy are told at once, each with its place', async () => {
  assert.deepEqual(
    await mistakes(`
version: 2
default: perhaps
rules:
  - images: [debian, 'registry.example/Team/*', 'registry.example/**x']
    require: [{ kye: release.pub }]
    levle: enforce
  - require:
      - { key: release.pub, any: [] }
      - {}
      - any: [{ any: [{ key: release.pub }] }]
      - identity: { subject: ann@team.example }
      - certificate: { authorities: ca.pem, subject: Example }
    images: []
    children: 'yes'
    repository: some
    not-older-than: yesterday
`),
    [
      'policy.yaml:2:10: version: expects 1',
      'policy.yaml:3:10: default: expects allow, refuse, or a group with require, for images that no rule names',
      'policy.yaml:5:14: rules[0].images[0]: expects a name that begins with its registry: docker.io/library/debian, not debian',
      'policy.yaml:5:22: rules[0].images[1]: expects a pattern of full names such as registry.example/team/*, registry.example/team/** or **',
      'policy.yaml:5:49: rules[0].images[2]: ** stands for whole parts of a name only',
      'policy.yaml:6:17: rules[0].require[0].kye: unknown member; did you mean key?',
      'policy.yaml:7:5: rules[0].levle: unknown member; did you mean level?',
      'policy.yaml:9:34: rules[1].require[0].any: expects at least one signer',
      'policy.yaml:10:9: rules[1].require[1]: expects one of key, identity, certificate and any',
      'policy.yaml:11:17: rules[1].require[2].any[0].any: has no place here',
      'policy.yaml:12:19: rules[1].require[3].identity.issuer: is missing',
      'policy.yaml:12:19: rules[1].require[3].identity.trust-root: is missing',
      'policy.yaml:13:54: rules[1].require[4].certificate.subject: expects a group such as O: Example',
      'policy.yaml:14:13: rules[1].images: expects at least one pattern',
      'policy.yaml:15:15: rules[1].children: expects true or false',
      'policy.yaml:16:17: rules[1].repository: expects match, named or any',
      'policy.yaml:17:21: rules[1].not-older-than: expects a time such as 2026-01-31 or 2026-01-31T12:00:00Z, or a number of days such as 90d',
    ],
  )
})

test('a default is required, so that nobody is surprised by what no rule names', async () => {
  assert.deepEqual(await mistakes('version: 1\nrules: []'), ['policy.yaml:1:1: default: is missing'])
})

test('files that a policy names are looked at, and what is wrong with them is told with the place', async () => {
  const lines = await mistakes(`
version: 1
default: refuse
rules:
  - images: ['**']
    require:
      - key: missing.pub
      - key: release.key
      - any:
          - key: text.txt
      - certificate: { authorities: release.pub }
      - identity: { subject: '*', issuer: https://login.example, trust-root: text.txt }
      - key: "-----BEGIN PUBLIC KEY-----"
`)
  assert.deepEqual(lines, [
    'policy.yaml:7:14: rules[0].require[0].key: cannot read missing.pub: no such file',
    'policy.yaml:8:14: rules[0].require[1].key: release.key is a private key; signatures are checked with the public key',
    'policy.yaml:10:18: rules[0].require[2].any[0].key: text.txt is not a PEM file',
    'policy.yaml:11:22: rules[0].require[3].certificate: release.pub holds something other than certificates: PUBLIC KEY',
    lines[4]!,
    'policy.yaml:13:14: rules[0].require[5].key: the key is cut short: a PEM block has no end',
  ])
  assert.match(
    lines[4]!,
    /^policy\.yaml:12:19: rules\[0\]\.require\[4\]\.identity: text\.txt is not valid: it is not JSON/,
  )
})

test('mistakes of notation, duplicates, aliases and foreign bytes are refused', async () => {
  assert.match((await mistakes('version: 1\ndefault: [allow'))[0]!, /^policy\.yaml:2:\d+: /)
  assert.match((await mistakes('version: 1\nversion: 1\ndefault: allow'))[0]!, /^policy\.yaml:2:1: .*unique/)
  assert.match((await mistakes('version: 1\ndefault: &a allow\nrules: [*a]'))[0]!, /^policy\.yaml: .*alias/i)
  assert.deepEqual(await mistakes(Buffer.from([0xff])), ['policy.yaml:1:1: the file is not UTF-8'])
  assert.deepEqual(await mistakes(''), ['policy.yaml:1:1: expects a group with version, default and rules'])
  assert.match((await mistakes('[]'))[0]!, /^policy\.yaml:1:1: /)
  assert.deepEqual(await mistakes('text'), ['policy.yaml:1:1: expects a group with version, default and rules'])
  assert.match((await mistakes(`version: 1\ndefault: allow\nrules: ${'['.repeat(20_000)}`))[0]!, /^policy\.yaml:/)
  assert.equal((await mistakes(`version: 1\ndefault: allow\nrules:\n${'  - {}\n'.repeat(200)}`)).length, 101)
})

test('a file that several signers name is read once', async () => {
  const read: string[] = []
  const signers = ['key: a.pub', 'key: a.pub', 'identity: { subject: x, issuer: y, trust-root: root.json }']
  const requirements = [...signers, ...signers].map((one) => `{ ${one} }`).join(', ')
  const text = `version: 1\ndefault: { require: [${requirements}] }`
  const refused = parseSignaturePolicy(Buffer.from(text), 'policy.yaml', async (path) => {
    read.push(path)
    return Buffer.from(path === 'a.pub' ? publicKey : 'hello')
  })
  await assert.rejects(
    refused,
    /require\[2\]\.identity: root\.json is not valid.*\n.*require\[5\]\.identity: root\.json/,
  )
  assert.deepEqual(read, ['a.pub', 'root.json'])
})

test('members named as those of every object are unknown members like others', async () => {
  assert.deepEqual(await mistakes('version: 1\ndefault: allow\n__proto__: { x: 1 }'), [
    'policy.yaml:3:1: __proto__: unknown member',
  ])
  assert.deepEqual(await mistakes('version: 1\ndefault: allow\nconstructor: x'), [
    'policy.yaml:3:1: constructor: unknown member',
  ])
  assert.equal(({} as { x?: number }).x, undefined)
})
