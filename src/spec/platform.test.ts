import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isBaleError } from '#base'
import {
  formatPlatform,
  hostPlatform,
  matchPlatform,
  normalizePlatform,
  parsePlatform,
  platformPreferences,
} from './platform.ts'

const spellings: [written: string, normal: string][] = [
  ['linux/x86_64', 'linux/amd64'],
  ['Linux/x86-64', 'linux/amd64'],
  ['linux/amd64/v1', 'linux/amd64'],
  ['linux/amd64/v3', 'linux/amd64/v3'],
  ['linux/aarch64', 'linux/arm64'],
  ['linux/arm64/v8', 'linux/arm64'],
  ['linux/arm64/8', 'linux/arm64'],
  ['linux/arm', 'linux/arm/v7'],
  ['linux/arm/6', 'linux/arm/v6'],
  ['linux/armhf', 'linux/arm/v7'],
  ['linux/armel', 'linux/arm/v6'],
  ['linux/i386', 'linux/386'],
  ['macos/arm64', 'darwin/arm64'],
  ['arm64', 'linux/arm64'],
  ['unknown/unknown', 'unknown/unknown'],
]

test('each platform has one spelling', () => {
  for (const [written, normal] of spellings) assert.equal(formatPlatform(parsePlatform(written)), normal, written)
})

test('an operating system alone takes the architecture of the host', () => {
  const host = hostPlatform({ os: 'linux', architecture: 'arm', level: 'v6' })
  assert.equal(formatPlatform(parsePlatform('linux', host)), 'linux/arm/v6')
  assert.throws(() => parsePlatform('linux'), { code: 'INVALID_PLATFORM' })
})

test('M08 hostile platforms are refused', () => {
  for (const text of [
    '',
    '/',
    '../amd64',
    'linux/../x',
    'linux/amd64/v1/x',
    'linux/',
    'li nux/a',
    'a\n/b',
    `linux/${'a'.repeat(65)}`,
  ]) {
    assert.throws(() => parsePlatform(text), { code: 'INVALID_PLATFORM' }, JSON.stringify(text))
  }
})

const orders: [wanted: string, order: string][] = [
  ['linux/amd64', 'linux/amd64 linux/386'],
  ['linux/amd64/v3', 'linux/amd64/v3 linux/amd64/v2 linux/amd64 linux/386'],
  ['linux/arm64', 'linux/arm64 linux/arm/v8 linux/arm/v7 linux/arm/v6 linux/arm/v5'],
  ['linux/arm', 'linux/arm/v7 linux/arm/v6 linux/arm/v5'],
  ['linux/arm/v6', 'linux/arm/v6 linux/arm/v5'],
  ['linux/riscv64', 'linux/riscv64'],
]

test('what runs on a machine is ordered from the best', () => {
  for (const [wanted, order] of orders) {
    assert.equal(platformPreferences(parsePlatform(wanted)).map(formatPlatform).join(' '), order)
  }
  const v9 = platformPreferences(parsePlatform('linux/arm64/v9.1')).map(formatPlatform)
  assert.deepEqual(v9.slice(0, 4), ['linux/arm64/v9.1', 'linux/arm64/v9', 'linux/arm64/v8.6', 'linux/arm64/v8.5'])
})

test('matching is exact, and os.version counts only when it is wanted', () => {
  const windows = { os: 'windows', architecture: 'amd64', 'os.version': '10.0.1' }
  assert.ok(matchPlatform({ os: 'windows', architecture: 'x86_64' }, windows))
  assert.ok(!matchPlatform({ ...windows, 'os.version': '10.0.2' }, windows))
  assert.ok(!matchPlatform(parsePlatform('linux/arm/v6'), parsePlatform('linux/arm')))
})

test('property: normalising twice is normalising once, and any text is read or refused', () => {
  const word = fc.constantFrom('linux', 'arm', 'arm64', 'amd64', 'x86_64', 'v7', '8', 'V1', 'v8.0', 'armhf', '')
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(word, { maxLength: 4 }).map((words) => words.join('/')),
      ),
      (text) => {
        try {
          const platform = parsePlatform(text)
          assert.deepEqual(normalizePlatform(platform), platform)
          assert.deepEqual(parsePlatform(formatPlatform(platform)), platform)
          assert.ok(matchPlatform(platformPreferences(platform)[0]!, platform))
        } catch (error) {
          assert.ok(isBaleError(error, 'INVALID_PLATFORM'), String(error))
        }
      },
    ),
  )
})
