import assert from 'node:assert/strict'
import { test } from 'node:test'
import { digestOf } from '#blob'
import type { PackedEntry } from '#format/tar'
import { hexOf } from '#spec'
import { type AttestationDocument, attestedFiles } from './attested-files.ts'

const document: AttestationDocument = {
  predicateType: 'https://spdx.dev/Document',
  predicate: { spdxVersion: 'SPDX-2.3' },
  fileName: 'sbom.spdx.json',
  inlineOnly: false,
}

const ENTRIES: PackedEntry[] = [
  { entry: { name: 'etc', type: 'directory' } },
  { entry: { name: 'etc/caf\xc3\xa9', type: 'file', size: 1 }, data: Buffer.from('x') },
  { entry: { name: 'link', type: 'symlink', linkName: 'etc' } },
  { entry: { name: 'same', type: 'hardlink', linkName: 'etc/caf\xc3\xa9' } },
  { entry: { name: 'sbom.spdx.json', type: 'file', size: 3 }, data: Buffer.from('old') },
]

/** Entries as they come, each read before the next. */
async function written(documents: readonly AttestationDocument[]): Promise<Map<string, string | undefined>> {
  const files = attestedFiles(
    {
      files: async function* () {
        yield* ENTRIES
      },
    },
    documents,
    1_700_000_000_500,
  )
  const found = new Map<string, string | undefined>()
  for await (const { entry, data } of files) {
    assert.equal(found.has(entry.name), false, entry.name)
    const isMade = entry.name.endsWith('.json') && entry.mode !== undefined
    if (isMade) assert.deepEqual([entry.mode, entry.mtime], [0o600, 1_700_000_000])
    found.set(entry.name, data instanceof Uint8Array ? Buffer.from(data).toString() : undefined)
  }
  return found
}

test('attestations come last, about every regular file, in place of files of their names', async () => {
  const found = await written([document])
  assert.deepEqual([...found.keys()], ['etc', 'etc/caf\xc3\xa9', 'link', 'same', 'sbom.spdx.json'])
  const sha256 = hexOf(digestOf(Buffer.from('x')))
  assert.deepEqual(JSON.parse(found.get('sbom.spdx.json')!), {
    _type: 'https://in-toto.io/Statement/v1',
    predicateType: document.predicateType,
    subject: [
      { name: 'etc/café', digest: { sha256 } },
      { name: 'same', digest: { sha256 } },
    ],
    predicate: document.predicate,
  })
})

test('what is said with images alone is no file', async () => {
  const found = await written([{ ...document, inlineOnly: true }])
  assert.equal(found.get('sbom.spdx.json'), 'old')
})
