import assert from 'node:assert/strict'
import { test } from 'node:test'
import { comparatorOf, compareVersions, isVersion, type Scheme } from './compare-versions.ts'
import { orderContract } from './contract.ts'

interface Cases {
  /** `a < b = c`: each version of a line is compared with all others of the line. */
  orders: string[]
  /** Texts that are not versions of the scheme. */
  refused: string[]
}

/** One that parseInt and doubles cannot tell from its neighbours. */
const BIG = '123456789012345678901234567890'

const CASES: Record<Scheme, Cases> = {
  deb: {
    orders: [
      '1.0~~ < 1.0~~a < 1.0~ < 1.0~rc1-1 < 1.0 = 1.0-0 = 1.0-00 = 0:1.0 < 1.0-0.1 < 1.0-1 < 1.0a < 1.0+ < 1.0.1',
      '1.0-1~bpo12+1 < 1.0-1 < 1.0-1+b1 < 1.0-1+deb12u1 < 1.0-1+deb12u10 < 1.0-1.1 < 1.0-2 < 1.0-10',
      '9:0 < 10:0~ < 10:0',
      '1:1.2-3-4 < 1:1.2-3-5 < 1:1.2-4-1 < 1:1.2:3 < 1:1.3',
      '3.0.9-1 < 3.0.11-1~deb12u2 < 3.0.11-1',
      '0.99 < 1 = 01 < 1-1+ < 1A < 1Z < 1a < 1z < 1+ < 1.',
      `1.${BIG.replace(/0$/, '')} < 1.${BIG} < 1.${BIG.replace(/0$/, '1')}`,
    ],
    refused: [
      '',
      'a',
      'v1.0',
      '1 0',
      '1.0-',
      '-1',
      ':1',
      '1:',
      'a:1',
      '-1:1',
      '1_0',
      '1.0-a:b',
      '1:-1',
      '1/2',
      '1é',
      '٣',
    ],
  },
  rpm: {
    orders: [
      '1.0~rc1 < 1.0~rc1^git1 < 1.0 < 1.0^20200101 < 1.0^20200102 < 1.0.1',
      '1.0~rc1-1 < 1.0-1~ < 1.0-1 = 0:1.0-1 = 00:1.0-1 < 1.0-1.el9 < 1.0-2 < 1:0.1-1',
      '5.5p1 = 5.5.p1 < 5.5p2 < 5.5p10 < 5.6p1',
      'A < a < ab < b < 0 = 00 < 1 = 01',
      '1.el8 < 1.el8_10 < 1.el8_10.1 < 1.el9 < 1.1',
      '1.0 = 1_0 = 1+0 = 1.0. = 1..0 < 1.0a < 1.0.1',
      '2.28-225.el8 < 2.28-225.el8_8.6 < 2.28-251.el8_10.2',
      '1.0 < 1.0-~ < 1.0-0 < 1.0-1',
      '1.0~ < 1.0 < 1.0^ < 1.0^1 < 1.0A < 1.0a < 1.0.1',
      `1.${BIG} < 1.${BIG}1`,
    ],
    refused: ['', '1 0', '1-', '-1', ':1', '1:', 'a:1', '(none):1-1', '1-2-3', '1/2', '%{version}', '1é'],
  },
  apk: {
    orders: [
      '1.0_alpha < 1.0_alpha1 < 1.0_alpha2 < 1.0_beta < 1.0_pre < 1.0_rc1 < 1.0_rc1-r1 < 1.0 < 1.0-r0 < 1.0-r9 < 1.0-r10',
      '1.0 < 1.0-r1 < 1.0_cvs < 1.0_svn < 1.0_git20200101 < 1.0_git20200102 < 1.0_hg < 1.0_p < 1.0_p1 < 1.0_p10 < 1.0a < 1.0b',
      '1.0b-r9 < 1.0.0 < 1.0.1 < 1.1 < 1.9 < 1.10 < 2 = 02 < 10',
      '1.0 < 1.00 < 1.001 < 1.01 < 1.010 < 1.02 < 1.1 < 1.2 < 1.10',
      '1.1.1k-r0 < 1.1.1l-r0 < 1.1.1w-r1 < 3.0.0-r0',
      '1.0_rc1_alpha < 1.0_rc1 < 1.0_rc1_p1',
      '1.0 < 1.0-r1 < 1.0~1a < 1.0~1a-r1 < 1.0~2 < 1.0_p',
      `1.${BIG} < 1.${BIG}1`,
    ],
    refused: [
      '',
      'a',
      '1.',
      '.1',
      '1..2',
      '1.0ab',
      '1.0a1',
      '1.0_foo',
      '1.0_',
      '1.0-1',
      '1.0-r',
      '1.0-r1-r2',
      '1.0A',
      'v1',
    ],
  },
  semver: {
    orders: [
      '1.0.0-alpha < 1.0.0-alpha.1 < 1.0.0-alpha.beta < 1.0.0-beta < 1.0.0-beta.2 < 1.0.0-beta.11 < 1.0.0-rc.1 < 1.0.0',
      '0.0.0-0 < 0.0.0 < 0.0.1 < 0.0.2 < 0.0.10 < 0.1.0 < 1.0.0 = v1.0.0 = 1.0.0+build < 10.0.0',
      '1.0.0-0 < 1.0.0-2 < 1.0.0-10 < 1.0.0-- < 1.0.0--1 < 1.0.0-1a < 1.0.0-A < 1.0.0-a < 1.0.0-a-b',
      '1.0.0-20230101123456788 < 1.0.0-20230101123456789',
      `1.0.0-${BIG} < 1.0.0-${BIG}1 < 1.0.0 < ${BIG}.0.0 < ${BIG}1.0.0`,
    ],
    refused: [
      '',
      '1',
      '1.2',
      '1.2.3.4',
      '01.2.3',
      '1.2.3-01',
      '1.2.3-',
      '1.2.3-a..b',
      '1.2.3+',
      '1.2.3-é',
      'vv1.2.3',
      ' 1.2.3',
      '1.2.3\n',
    ],
  },
  cargo: {
    orders: [
      '0.0.0-0 < 0.1.0-alpha.1 < 0.1.0 = 0.1.0+wasm < 0.1.1 < 1.0.0-rc.1 < 1.0.0',
      '1.0.0-18446744073709551616 < 1.0.0-18446744073709551617',
    ],
    refused: ['', 'v1.0.0', '1.0', '1.0.0-01', '1.0.0.0'],
  },
  go: {
    orders: [
      'v0.0.0-20191109021931-daa7c04131f5 < v0.0.0-20210220033124-5f55cee0dc0d < v0.0.0 < v0.1.0',
      'v1.2.3 < v1.2.4-0.20191109021931-daa7c04131f5 < v1.2.4-pre < v1.2.4-pre.0.20191109021931-daa7c04131f5 < v1.2.4',
      'v1.9.9 < v2.0.0+incompatible = 2.0.0 = v2.0.0 = v2 = 2.0 < v2.0.1-0.20200101000000-abcdefabcdef+incompatible < 2.1',
      'go1.20 = 1.20.0 < go1.20.14 < go1.21rc2 = 1.21.0-rc.2 < go1.21rc10 < 1.21.0 = go1.21.0 < go1.21.1 = go1.21.1-vendor',
      'go1.18beta1 < go1.18beta2 < go1.18rc1 < go1.18 < go1.22.3 = go1.22.3 < go1.100.0',
    ],
    refused: [
      '',
      '(devel)',
      'v',
      'v1.2-pre',
      'v1.2.3.4',
      'v01.2.3',
      'go',
      'go1',
      'gov1.2',
      'devel go1.23-abc',
      'latest',
    ],
  },
  nuget: {
    orders: [
      '1.0.0-alpha < 1.0.0-BETA = 1.0.0-beta < 1.0.0-beta.2 < 1.0.0-beta.11 < 1.0.0-rc < 1 = 1.0 = 1.0.0 = 1.0.0.0 = 01.0.00',
      '1.0.0+a = 1.0.0+b < 1.0.0.1-a < 1.0.0.1 < 1.0.0.10 < 1.0.1 < 1.1 < 2',
      '1.0.0-1 < 1.0.0-2 < 1.0.0-10 < 1.0.0-a < 1.0.0-B < 1.0.0-c',
      `1.0.0-${BIG} < 1.0.0-${BIG}1`,
    ],
    refused: ['', 'v1.0', '1.0.0.0.0', '1.', '.1', '1.0-', '1.0+', '1.0-01', '1.0-a..b', '1.0.*', '1 .0', '[1.0]'],
  },
  pypi: {
    orders: [
      '1.0.dev1 < 1.0a1.dev1 < 1.0a1 < 1.0a1.post1.dev1 < 1.0a1.post1 < 1.0b1 < 1.0rc1.dev2 < 1.0rc1 = 1.0c1 = 1.0-pre-1 < 1.0',
      '1.0 = 1 = 1.0.0 = v1.0 = 0!1.0 < 1.0+a < 1.0+a.1 < 1.0+b < 1.0+1 = 1.0+01 < 1.0+1.a < 1.0+10 < 1.0.post1.dev1 < 1.0.post1',
      '1.0.post = 1.0-0 = 1.0.rev0 = 1.0-R0 < 1.0-1 = 1.0.post1 = 1.0_POST_1 < 1.0.post10 < 1.0.1.dev0 < 1.0.1 < 1.1 < 1.10',
      '2024.1 < 1!0.1 < 2!0',
      '1.0a = 1.0a0 = 1.0alpha0 = 1.0-ALPHA < 1.0b = 1.0.beta0 < 1.0rc = 1.0preview',
      '1.0+1e1 < 1.0+9 < 1.0+10',
      '20230101123456788 < 20230101123456789',
      `1.${BIG} < 1.${BIG}1`,
    ],
    refused: [
      '',
      'a',
      '1.0-foo',
      '1.0.',
      '.1',
      '1..0',
      '1.0+',
      '1.0+a+b',
      '1!',
      '!1',
      '1.0a1a2',
      '1.0 ',
      '2004d-1',
      '1.0.dev.dev',
      '*',
    ],
  },
  gem: {
    orders: [
      '1.0.a < 1.0.b1 < 1.0.b2 < 1.0.b10 < 1.0.pre < 1.0.rc1 < 1 = 1.0 = 1.0.0 < 1.0.1.rc1 < 1.0.1 < 1.1 < 1.9 < 1.10',
      '1.A < 1.B < 1.a < 1.b',
      '1.0-a = 1.pre.a < 1.0-b < 1.0',
      '1.0.0.a = 1.a < 1.a.1 < 1.a.1.1 < 1.b < 1',
      '4.2.0.beta1 < 4.2.0.beta2 < 4.2.0.rc1 < 4.2.0 < 4.2.0.1 < 4.2.1.rc1',
      `1.${BIG} < 1.${BIG}1`,
    ],
    refused: ['', 'a', 'v1.0', '1.', '.1', '1..2', '1.0-', '1.0_x', '1.0+x', '1.0-x86_64-linux', '1 0', '1.é'],
  },
  maven: {
    orders: [
      '1-alpha < 1-alpha-1 = 1-a1 = 1alpha1 < 1-beta < 1-b1 < 1-milestone < 1-m1 < 1-rc = 1-cr < 1-rc1 < 1-SNAPSHOT < 1 < 1-sp < 1-foo < 1-1',
      '1 = 1.0 = 1.0.0 = 1-0 = 1-ga = 1.Final = 1-RELEASE = 1.0.0-final < 1.0.1 < 1.1',
      '1.0.RC1 = 1.0-RC1 < 1.0.RC2 < 1.0.RC10 < 1.0.0.Final < 1.0.0.SP1 < 1.0.1.Alpha1 < 1.0.1',
      '2.0-1 < 2.0-1-a < 2.0-2 < 2.0.1 < 2.0.1-1',
      '1-rc-1-SNAPSHOT < 1-rc-1 < 1-rc-2 < 1-rc-10',
      '1-x1 < 1-x2 < 1-x10 < 1-y1',
      '1 < 1-ga-1 < 1-1 = 1.0-1 = 1.0.0-1 = 1-1.0-0 < 1.0.1',
      '5.3.18 < 5.3.18.RELEASE-1 < 5.3.19',
      '31.0-android < 31.1-android < 31.1-jre < 32',
      'Camden.SR6 < Finchley.SR1 < Finchley.SR2 < Finchley.SR10 < Greenwich.RELEASE < Greenwich.SR1 < 1',
      `1.${BIG} < 1.${BIG}1 < 2`,
    ],
    refused: ['', '1 0', '[1.0,2.0)', `1.0,2.0`, '$' + '{version}', '1é', '1\n'],
  },
  composer: {
    orders: [
      '1.0-dev < 1.0-alpha = 1.0a < 1.0-alpha1 = 1.0.0.0a1 < 1.0alpha.2 < 1.0-beta1 < 1.0b2 < 1.0RC1 = 1.0-rc.1 < 1.0-rc1.1 < 1.0-RC10',
      '1.0RC1-dev < 1.0RC1 < 1.0 = v1.0 = 1 = 1.0.0 = 1.0.0.0 = 1.0-stable = 1.0+build < 1.0-p = 1.0-patch < 1.0pl1 = 1.0-p1 < 1.0.0.1',
      '1.0-alpha-dev < 1.0-alpha < 1.0-alpha1-dev < 1.0-alpha1',
      '1.0.99 < 1.0.x-dev < 1.1 < 1.9.99 < 1.x-dev = 1.X-dev = 1.*-dev < 2.0-dev < 2.0 < 123456.x-dev',
      '2010.1 < 20100102 = 20100102-stable < 20100102.1 < 20100103',
      '2010-01-02 = 2010:01:02 < 2010.01.02 = 2010.1.2.0 < 2010-01-02.1.2 < 2010-01-02-10 < 2010-01-03',
      `1.${BIG} < 1.${BIG}1`,
    ],
    refused: [
      '',
      'dev-main',
      'master',
      '1.0-foo',
      '1.0.0.0.0',
      '2010-1-2',
      'x',
      '^1.0',
      '1.0 || 2.0',
      '1.0@dev',
      '1.0 ',
      '1.0alpha1beta',
      'v',
    ],
  },
}

for (const [scheme, { orders, refused }] of Object.entries(CASES) as [Scheme, Cases][]) {
  test(`${scheme}: hard cases are in order`, () => {
    for (const line of orders) checkLine(scheme, line.split(' '))
  })

  test(`${scheme}: what is no version is not compared`, () => {
    for (const text of refused) {
      assert.equal(isVersion(scheme, text), false, JSON.stringify(text))
      assert.equal(compareVersions(scheme, text, '1.0.0'), undefined, JSON.stringify(text))
      assert.equal(compareVersions(scheme, '1.0.0', text), undefined, JSON.stringify(text))
    }
  })

  test(`${scheme}: a version has at most 1,000 characters, and a megabyte of anything takes no time`, () => {
    const longest = `1.0.${'1'.repeat(996)}`
    assert.ok(isVersion(scheme, longest))
    assert.equal(isVersion(scheme, `${longest}1`), false)
    assert.equal(compareVersions(scheme, longest, `1.0.${'1'.repeat(995)}2`), -1)
    const started = process.cpuUsage()
    for (const piece of ['1', '1.', 'a1', '1-', '~', '-', '.a', '1a~+', '_p1', '\n', 'é'])
      assert.equal(compareVersions(scheme, piece.repeat(1 << 20), '1.0.0'), undefined)
    for (const piece of ['1', '.1', 'a1', '-1', '-a', '.', '~', '-', '.a', '_p1', '.0', '0', ' ']) {
      const text = `1.0.0${piece.repeat(990 / piece.length)}`
      for (const other of [text, `${text}!`, `${text}1`]) compareVersions(scheme, text, other)
    }
    assert.ok(process.cpuUsage(started).user < 1_000_000, 'more than a second of a processor')
  })

  orderContract(scheme, { circles: scheme === 'maven' })
}

test('maven: the order goes in circles where that of Maven does', () => {
  const compare = comparatorOf('maven')
  assert.ok(compare('1-snapshot', '1')! < 0)
  assert.ok(compare('1', '1.sp.1')! < 0)
  assert.ok(compare('1.sp.1', '1-snapshot')! < 0)
})

/** Versions at even places, `<` or `=` between them. */
function checkLine(scheme: Scheme, words: readonly string[]): void {
  const ranks = words.map((_, index) => words.slice(0, index).filter((word) => word === '<').length)
  for (let left = 0; left < words.length; left += 2)
    for (let right = 0; right < words.length; right += 2) {
      const order = compareVersions(scheme, words[left]!, words[right]!)
      const expected = Math.sign(ranks[left]! - ranks[right]!)
      assert.ok(order !== undefined, `${words[left]} or ${words[right]} is refused`)
      assert.equal(Math.sign(order), expected, `${words[left]} and ${words[right]}`)
    }
}
