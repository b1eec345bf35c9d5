import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parsePlatform, parseReference } from '#spec'
import { imageUrl, localImageUrl } from './image-url.ts'

const hex = 'a'.repeat(64)

/** As BuildKit writes them. */
const names: [name: string, platform: string | undefined, url: string][] = [
  ['debian', undefined, 'pkg:docker/debian@latest'],
  ['debian:12', undefined, 'pkg:docker/debian@12'],
  ['debian:12', 'linux/amd64', 'pkg:docker/debian@12?platform=linux%2Famd64'],
  ['debian', 'linux/arm64/v8', 'pkg:docker/debian@latest?platform=linux%2Farm64'],
  ['debian', 'linux/arm/v7', 'pkg:docker/debian@latest?platform=linux%2Farm%2Fv7'],
  [`debian@sha256:${hex}`, undefined, `pkg:docker/debian?digest=sha256%3A${hex}`],
  [`debian:12@sha256:${hex}`, undefined, `pkg:docker/debian@12?digest=sha256%3A${hex}`],
  ['ann/web:1', undefined, 'pkg:docker/ann/web@1'],
  ['localhost:5000/team/web:1', undefined, 'pkg:docker/localhost:5000/team/web@1'],
  ['ghcr.io/team/web:v1', 'linux/amd64', 'pkg:docker/ghcr.io/team/web@v1?platform=linux%2Famd64'],
]

for (const [name, platform, url] of names) {
  test(`${name} ${platform ?? ''} is ${url}`, () => {
    assert.equal(
      imageUrl(parseReference(name), { platform: platform === undefined ? undefined : parsePlatform(platform) }),
      url,
    )
  })
}

test('an image of a directory is one of no registry', () => {
  assert.equal(
    localImageUrl('my base', '1', { platform: parsePlatform('linux/amd64') }),
    'pkg:oci/my%20base@1?platform=linux%2Famd64',
  )
})
