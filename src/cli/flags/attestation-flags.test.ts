import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isBaleError } from '#base'
import { readAttestations } from './attestation-flags.ts'

type Given = Parameters<typeof readAttestations>[0]

function read(given: Given) {
  const warnings: string[] = []
  return { wanted: readAttestations(given, { warn: (text) => warnings.push(text) }), warnings }
}

const provenance = {
  mode: 'max',
  version: 'v0.2',
  builderId: undefined,
  reproducible: false,
  inlineOnly: false,
  fileName: undefined,
} as const

const understood: [name: string, given: Given, wanted: ReturnType<typeof readAttestations>][] = [
  ['nothing', {}, undefined],
  ['--sbom=true', { sbom: 'true' }, { sbom: true }],
  ['--sbom=1 --provenance=t', { sbom: '1', provenance: 't' }, { sbom: true, provenance }],
  ['--sbom=false --provenance=0', { sbom: 'false', provenance: '0' }, undefined],
  ['--attest type=sbom,disabled=true', { attest: ['type=sbom,disabled=true'] }, undefined],
  ['--attest type=sbom', { attest: ['type=sbom', ''] }, { sbom: true }],
  [
    'of two of one kind the first',
    { attest: ['type=provenance,mode=min'], provenance: 'mode=max' },
    { provenance: { ...provenance, mode: 'min' } },
  ],
  [
    '--attest before its short form, also when it turns off',
    { attest: ['type=provenance,disabled=1'], provenance: 'true' },
    undefined,
  ],
  ['mode=full', { provenance: 'mode=full' }, { provenance }],
  [
    'every setting',
    {
      provenance:
        '"builder-id=https://ci.example/1,2",version=v1,mode=min,reproducible=true,inline-only=true,filename=/a/b.json',
    },
    {
      provenance: {
        mode: 'min',
        version: 'v1',
        builderId: 'https://ci.example/1,2',
        reproducible: true,
        inlineOnly: true,
        fileName: 'b.json',
      },
    },
  ],
]

for (const [name, given, wanted] of understood) {
  test(`${name} is understood`, () => {
    assert.deepEqual(read(given), { wanted, warnings: [] })
  })
}

const refused: [given: Given, code: string, message: RegExp][] = [
  [{ attest: ['mode=max'] }, 'INVALID_ARGUMENT', /attestation type not specified/],
  [{ attest: ['type=vex'] }, 'UNSUPPORTED', /unknown attestation type "vex"/],
  [{ attest: ['sbom'] }, 'INVALID_ARGUMENT', /invalid value sbom/],
  [{ attest: ['type=sbom,disabled=maybe'] }, 'INVALID_ARGUMENT', /disabled=maybe: neither true nor false/],
  [{ sbom: 'yes' }, 'INVALID_ARGUMENT', /invalid value yes/],
  [{ sbom: 'scanner=x' }, 'UNSUPPORTED', /sbom: the setting scanner is not supported/],
  [{ provenance: 'mode=all' }, 'INVALID_ARGUMENT', /invalid mode "all"/],
  [{ provenance: 'mode=constructor' }, 'INVALID_ARGUMENT', /invalid mode "constructor"/],
  [{ provenance: 'version=v2' }, 'INVALID_ARGUMENT', /invalid version "v2"/],
  [{ provenance: 'reproducible=perhaps' }, 'INVALID_ARGUMENT', /reproducible=perhaps/],
  [{ provenance: 'filename=/' }, 'INVALID_ARGUMENT', /invalid filename/],
  [{ provenance: 'capture-usage=true' }, 'UNSUPPORTED', /provenance: the setting capture-usage is not supported/],
]

for (const [given, code, message] of refused) {
  test(`${JSON.stringify(given)} is refused`, () => {
    assert.throws(
      () => read(given),
      (error) => isBaleError(error, code as 'UNSUPPORTED') && message.test(error.message),
    )
  })
}

test('another generator is not run, and that is said', () => {
  const { wanted, warnings } = read({ sbom: 'generator=docker/scout-sbom-indexer:latest' })
  assert.deepEqual(wanted, { sbom: true })
  assert.match(warnings.join(), /generator docker\/scout-sbom-indexer:latest is not run/)
})
