import assert from 'node:assert/strict'
import { test } from 'node:test'
import { digestOf } from '#blob'
import { MediaType, parsePlatform } from '#spec'
import { choosePlatform } from './choose-platform.ts'
import { describe, makeIndex } from './make-image.ts'

const entry = (
  platform: string | undefined,
  digest = digestOf(platform ?? ''),
  annotations?: Record<string, string>,
) => ({
  ...describe(new Uint8Array(), MediaType.ociManifest),
  digest,
  ...(platform ? { platform: parsePlatform(platform) } : {}),
  ...(annotations ? { annotations } : {}),
})
const choices: [wanted: string, offered: string[], chosen: string][] = [
  ['linux/amd64', ['linux/arm64', 'linux/386', 'linux/amd64'], 'linux/amd64'],
  ['linux/amd64', ['linux/386', 'linux/arm'], 'linux/386'],
  ['linux/amd64/v3', ['linux/amd64', 'linux/amd64/v2', 'linux/amd64/v4'], 'linux/amd64/v2'],
  ['linux/arm64', ['linux/arm/v5', 'linux/arm/v7'], 'linux/arm/v7'],
  ['linux/arm/v6', ['linux/arm/v7', 'linux/arm/v5'], 'linux/arm/v5'],
]

test('the entry that suits a platform best is chosen', () => {
  for (const [wanted, offered, chosen] of choices) {
    const { index } = makeIndex(offered.map((one) => entry(one)))
    assert.equal(choosePlatform(index, parsePlatform(wanted)).digest, digestOf(chosen), `${wanted} of ${offered}`)
  }
})

test('a lone entry without platform is taken, an attestation never', () => {
  const attestation = entry('unknown/unknown', digestOf('sbom'), {
    'vnd.docker.reference.type': 'attestation-manifest',
  })
  const { index } = makeIndex([attestation, entry(undefined)])
  assert.equal(choosePlatform(index, parsePlatform('linux/amd64')).digest, digestOf(''))
  const { index: lonely } = makeIndex([attestation])
  assert.throws(() => choosePlatform(lonely, parsePlatform('unknown/unknown')), { code: 'NO_MATCHING_PLATFORM' })
})
