import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { MediaType, parseDigest, parseReference } from '#spec'
import { type ProvenanceFacts, type ProvenanceOptions, provenance } from './provenance.ts'

const digest = (digit: string) => parseDigest(`sha256:${digit.repeat(64)}`)
const platform = { os: 'linux', architecture: 'amd64' }
const layer = (digit: string) => ({ mediaType: MediaType.ociLayerGzip, digest: digest(digit), size: 7 })
const source = { Op: { source: { identifier: 'docker-image://docker.io/library/debian:12' } } }
const exec = { Op: { exec: { meta: { args: ['make'], env: ['TOKEN=t0k'], cwd: '/' } } } }

const FACTS: ProvenanceFacts = {
  source: { path: 'Dockerfile' },
  request: {
    args: { 'build-arg:TOKEN': 't0k', 'label:owner': 'ann', target: 'web', 'context:lib': 'local:lib' },
    secrets: [
      { id: 'npm', optional: true },
      { id: 'key', optional: false },
    ],
    ssh: [{ id: 'default', optional: true }],
    locals: ['context', 'dockerfile'],
  },
  materials: [
    { kind: 'image', image: parseReference('debian:12'), platform, digest: digest('a') },
    { kind: 'local-image', name: 'base', version: '1', platform, digest: digest('b') },
    { kind: 'url', url: 'https://example.com/a.tar', digest: digest('c') },
  ],
  definition: {
    dockerfile: { name: 'Dockerfile', text: 'FROM debian:12 AS web\nARG TOKEN\nRUN make\n' },
    steps: [
      { inputs: [], operation: source, layers: [layer('1')] },
      { inputs: [0], operation: exec, lines: { first: 3, last: 3 }, layers: [layer('1'), layer('2')] },
    ],
  },
  network: true,
  platform,
  started: Date.UTC(2026, 0, 2),
  finished: Date.UTC(2026, 0, 2, 0, 0, 1, 500),
  invocation: 'once',
}

const min: ProvenanceOptions = { mode: 'min', version: 'v0.2' }
const max: ProvenanceOptions = { mode: 'max', version: 'v0.2' }

/** A member by its path, of a document whose form is what the test is about. */
function at(document: unknown, ...path: string[]): unknown {
  return path.reduce((value, name) => (value as Record<string, unknown> | undefined)?.[name], document)
}

for (const [name, options] of Object.entries({
  'min-v0.2': min,
  'max-v0.2': { ...max, builderId: 'https://ci.example/runs/1', reproducible: true },
  'min-v1': { ...min, version: 'v1' },
  'max-v1': { ...max, version: 'v1' },
} satisfies Record<string, ProvenanceOptions>)) {
  test(`provenance ${name} is that of the golden file`, () => {
    const place = new URL(`../../../test/golden/attestation/${name}.json`, import.meta.url)
    const written = JSON.stringify(provenance(FACTS, options), undefined, 2)
    if (process.env['UPDATE_GOLDEN']) writeFileSync(place, written)
    // Written again, since the file in the repository is formatted as all are.
    assert.equal(written, JSON.stringify(JSON.parse(readFileSync(place, 'utf8')), undefined, 2))
  })
}

describe('the mode min', () => {
  test('has no value of a build argument, no label, no secret, no step and no source, in neither version', () => {
    for (const version of ['v0.2', 'v1'] as const) {
      const text = JSON.stringify(provenance(FACTS, { mode: 'min', version }))
      for (const word of ['TOKEN', 't0k', 'ann', 'npm', 'key', 'llbDefinition', 'make', 'infos'])
        assert.ok(!text.includes(word), `${version}: ${word}`)
      assert.ok(text.includes('"target":"web"'))
    }
  })

  test('is complete about parameters only when nothing was left out', () => {
    const complete = (facts: ProvenanceFacts) =>
      at(provenance(facts, min).predicate, 'metadata', 'completeness', 'parameters')
    assert.equal(complete(FACTS), false)
    assert.equal(complete({ ...FACTS, request: { ...FACTS.request, args: { target: 'web' } } }), true)
  })
})

describe('completeness', () => {
  const claims = (facts: ProvenanceFacts) => {
    const { metadata } = provenance(facts, max).predicate as { metadata: Record<string, unknown> }
    return [at(metadata, 'completeness', 'materials'), metadata['https://mobyproject.org/buildkit@v1#hermetic']]
  }
  const remote = { ...FACTS, request: { ...FACTS.request, locals: [] }, network: false }

  test('a build that reads a directory of this machine is not complete', () => {
    assert.deepEqual(claims({ ...FACTS, network: false }), [false, undefined])
  })

  test('a build of what is named by digests alone is complete, and hermetic without a network', () => {
    assert.deepEqual(claims(remote), [true, true])
    assert.deepEqual(claims({ ...remote, network: true }), [true, undefined])
  })

  test('a file that was not read has no digest, and the materials are not complete', () => {
    const unread = { kind: 'url', url: 'https://example.com/b', digest: undefined } as const
    assert.deepEqual(claims({ ...remote, materials: [unread] }), [false, undefined])
  })
})

test('without an invocation the same facts give the same bytes, and other facts another invocation', () => {
  const { invocation: _, ...facts } = FACTS
  const idOf = (some: ProvenanceFacts) => at(provenance(some, max).predicate, 'metadata', 'buildInvocationID')
  assert.match(String(idOf(facts)), /^[0-9a-f]{25}$/)
  assert.equal(JSON.stringify(provenance(facts, max)), JSON.stringify(provenance({ ...facts }, max)))
  assert.notEqual(idOf(facts), idOf({ ...facts, source: { path: 'other' } }))
})

test('a build from an address says which, and where in it the Dockerfile is', () => {
  const from = { url: 'https://example.com/web.tar', digest: digest('d'), path: 'deploy/Dockerfile' }
  const facts = { ...FACTS, source: from }
  assert.deepEqual(at(provenance(facts, min).predicate, 'invocation', 'configSource'), {
    uri: from.url,
    digest: { sha256: 'd'.repeat(64) },
    entryPoint: from.path,
  })
})

test('an image of no step has a definition of no step', () => {
  const facts = { ...FACTS, definition: { ...FACTS.definition, steps: [] } }
  const { predicate } = provenance(facts, max)
  assert.deepEqual(at(predicate, 'buildConfig'), { llbDefinition: [] })
})
