import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { PackageURL } from 'packageurl-js'
import { parseReference } from '#spec'
import type { FoundPackage, OperatingSystem, PackageType } from '#trust/inventory'
import { someDigest } from '../../../test/kit/small-scan.ts'
import { imagePurl, packageUrlOf, purlOf } from './purl.ts'

const DEBIAN: OperatingSystem = { id: 'debian', version: '12' }
const RHEL: OperatingSystem = { id: 'rhel', version: '9.4' }

interface Case {
  name: string
  found: FoundPackage
  system?: OperatingSystem
  purl: string | undefined
}

const CASES: Case[] = [
  {
    name: 'deb with an epoch, signs to escape and a source of another name and version',
    found: {
      type: 'deb',
      name: 'libstdc++6',
      version: '1:12.2.0-14+deb12u1~x',
      architecture: 'amd64',
      source: { name: 'gcc-12', version: '12.2.0-14+deb12u1~y' },
    },
    system: DEBIAN,
    purl: 'pkg:deb/debian/libstdc%2B%2B6@1:12.2.0-14%2Bdeb12u1~x?arch=amd64&distro=debian-12&upstream=gcc-12%4012.2.0-14%2Bdeb12u1~y',
  },
  {
    name: 'deb of a source with its own name',
    found: { type: 'deb', name: 'zlib', version: '1.2', source: { name: 'zlib', version: '1.2' } },
    system: { id: 'debian', codename: 'sid' },
    purl: 'pkg:deb/debian/zlib@1.2?distro=debian-sid',
  },
  {
    name: 'apk',
    found: {
      type: 'apk',
      name: 'libcrypto3',
      version: '3.1.4-r5',
      architecture: 'x86_64',
      source: { name: 'openssl', version: '3.1.4-r5' },
    },
    system: { id: 'alpine', version: '3.19.1' },
    purl: 'pkg:apk/alpine/libcrypto3@3.1.4-r5?arch=x86_64&distro=alpine-3.19.1&upstream=openssl',
  },
  {
    name: 'rpm with an epoch and a module stream',
    found: {
      type: 'rpm',
      name: 'nodejs-libs',
      version: '1:18.9.1-1.el9',
      architecture: 'x86_64',
      source: { name: 'nodejs', version: '1:18.9.1-1.el9' },
      modularity: 'nodejs:18:1:c0',
    },
    system: RHEL,
    purl: 'pkg:rpm/redhat/nodejs-libs@18.9.1-1.el9?arch=x86_64&distro=rhel-9.4&epoch=1&rpmmod=nodejs:18:1:c0&upstream=nodejs-18.9.1-1.el9.src.rpm',
  },
  {
    name: 'rpm with an epoch of 0',
    found: { type: 'rpm', name: 'bash', version: '0:5.1-2' },
    system: { id: 'fedora', version: '40' },
    purl: 'pkg:rpm/fedora/bash@5.1-2?distro=fedora-40',
  },
  {
    name: 'deb of an unknown system',
    found: { type: 'deb', name: 'bash', version: '5' },
    purl: 'pkg:deb/bash@5',
  },
  {
    name: 'npm with a scope, in its own letters',
    found: { type: 'npm', name: '@Scope/JSONStream', version: '1.0.0' },
    purl: 'pkg:npm/%40Scope/JSONStream@1.0.0',
  },
  {
    name: 'pypi by its normal name',
    found: { type: 'pypi', name: 'Zope._Interface', version: '5.0' },
    purl: 'pkg:pypi/zope-interface@5.0',
  },
  {
    name: 'golang with a capital letter and a plus',
    found: { type: 'golang', name: 'github.com/Azure/go', version: 'v1.2.3+incompatible' },
    purl: 'pkg:golang/github.com/Azure/go@v1.2.3%2Bincompatible',
  },
  {
    name: 'golang without a path',
    found: { type: 'golang', name: 'stdlib', version: '1.21.0' },
    purl: 'pkg:golang/stdlib@1.21.0',
  },
  { name: 'maven', found: { type: 'maven', name: 'org.x:core', version: '1' }, purl: 'pkg:maven/org.x/core@1' },
  { name: 'a jar without a group has none', found: { type: 'maven', name: 'core', version: '1' }, purl: undefined },
  {
    name: 'composer',
    found: { type: 'composer', name: 'Vendor/Name', version: '1' },
    purl: 'pkg:composer/vendor/name@1',
  },
  {
    name: 'nuget',
    found: { type: 'nuget', name: 'Newtonsoft.Json', version: '13' },
    purl: 'pkg:nuget/Newtonsoft.Json@13',
  },
  { name: 'gem', found: { type: 'gem', name: 'rails', version: '7' }, purl: 'pkg:gem/rails@7' },
  { name: 'cargo', found: { type: 'cargo', name: 'serde', version: '1' }, purl: 'pkg:cargo/serde@1' },
  { name: 'a blank name has none', found: { type: 'gem', name: ' ', version: '7' }, purl: undefined },
  {
    name: 'signs of URLs and HTML',
    found: { type: 'gem', name: "a?b#c/d@e'(f)", version: '<1>' },
    purl: 'pkg:gem/a%3Fb%23c%2Fd%40e%27%28f%29@%3C1%3E',
  },
]

for (const { name, found, system, purl } of CASES) {
  test(`package URL: ${name}`, () => assert.equal(purlOf(found, system), purl))
}

const TYPES: PackageType[] = [
  'deb',
  'apk',
  'rpm',
  'npm',
  'pypi',
  'gem',
  'golang',
  'cargo',
  'maven',
  'composer',
  'nuget',
]

test('a package URL of any package, however named, is plain ASCII', () => {
  const text = fc.string({
    unit: fc.oneof(fc.string(), fc.constantFrom('\ud800', '@', '/', ':', '%', '+', '~')),
    maxLength: 12,
  })
  const found = fc.record({ type: fc.constantFrom(...TYPES), name: text, version: text, architecture: text })
  fc.assert(
    fc.property(found, text, (one, id) => {
      const purl = purlOf(one, { id })
      if (purl === undefined) return
      assert.match(purl, /^pkg:[a-z]+\/[A-Za-z0-9%._~:/@?&=-]+$/)
    }),
  )
})

test('name and version of a package URL read back as they were', () => {
  const text = fc.string({
    unit: fc.oneof(fc.string(), fc.constantFrom('@', '/', ':', '%', '+', '~', '#', '?')),
    maxLength: 9,
  })
  fc.assert(
    fc.property(text, text, (name, version) => {
      const purl = purlOf({ type: 'cargo', name, version })
      if (purl === undefined) return assert.equal(name.trim(), '')
      const url = PackageURL.fromString(purl)
      assert.deepEqual([url.name, url.version ?? ''], [name.trim(), version.trim()])
    }),
  )
})

test('the source package of a distribution has a package URL of its own', () => {
  const found: FoundPackage = {
    type: 'deb',
    name: 'libssl3',
    version: '3.0',
    architecture: 'amd64',
    source: { name: 'openssl', version: '3.0.1' },
  }
  const url = packageUrlOf(found, DEBIAN, { source: true })
  assert.equal(url?.toString(), 'pkg:deb/debian/openssl@3.0.1?arch=source&distro=debian-12')
})

test('the package URL of an image has its repository and tag', () => {
  assert.equal(
    imagePurl(parseReference('registry.example:5000/team/web:1.0'), someDigest('a')),
    `pkg:oci/web@${someDigest('a')}?repository_url=registry.example:5000%2Fteam%2Fweb&tag=1.0`,
  )
  assert.equal(
    imagePurl(parseReference('web'), someDigest('a')),
    `pkg:oci/web@${someDigest('a')}?repository_url=docker.io%2Flibrary%2Fweb`,
  )
  assert.equal(imagePurl(undefined, someDigest('a')), undefined)
})
