/** Texts that are hard to order, for each scheme, and the laws that every order keeps. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { compareVersions, isVersion, type Scheme } from './compare-versions.ts'

/** A version is one choice out of each slot. Choices are separated by spaces; an empty one comes first. */
type Slots = readonly string[]

const IDENTIFIERS = ['0', '1', '2', '10', '9007199254740993', 'a', 'A', 'b', '-', '0a', 'a-1', '-1']
const PRERELEASES = [
  '',
  ...IDENTIFIERS.map((first) => ` -${first}`),
  ...IDENTIFIERS.flatMap((first) => IDENTIFIERS.slice(0, 6).map((second) => ` -${first}.${second}`)),
].join('')
const BUILDS = ' +0 +a.01 +-'
const NUMBER = '0 1 2 10 20'
const PHP_RELEASES = [
  ...['0', '1', '10', '01', '2010'].flatMap((first) =>
    ['', '.0', '.1', '.10', '.01', '.0.0', '.1.10.1'].map((rest) => first + rest),
  ),
  ...['20100102', '2010-01-02', '2010.1', '2010.01.02', '2010-01-02.1', '201001021'],
]

/** Valid versions alone. */
export const VERSION_SLOTS: Readonly<Record<Scheme, Slots>> = {
  deb: [' 0: 1: 01:', '0 1 9 10 01', ...repeated(' . ~ + a Z 0 1 9 ~~ .~ -1 -a -~', 6), ' -0 -1 -01 -1~ -1+ -a -~'],
  rpm: [' 0: 1: 01:', '0 1 9 a ~ ^', ...repeated(' . ~ ^ + _ a Z ab 0 1 9 10 00', 6), ' -0 -1 -01 -1~ -1^ -a -~ -.'],
  apk: [
    '0 1 2 10 01',
    ...repeated(' .0 .1 .2 .10 .01 .010 .00', 3),
    ' a b z',
    ...repeated(' _alpha _beta2 _pre _pre1 _rc _rc01 _cvs _svn _git _hg _p _p0 _p10', 2),
    ' ~0 ~a ~0a',
    ' -r0 -r1 -r10 -r01',
  ],
  semver: [' v', NUMBER, ...repeated('.0 .1 .10', 2), PRERELEASES, BUILDS],
  cargo: [NUMBER, ...repeated('.0 .1 .10', 2), PRERELEASES, BUILDS],
  go: [' v', NUMBER, ...repeated('.0 .1 .10', 2), PRERELEASES, ' +incompatible'],
  nuget: [NUMBER, ...repeated(' .0 .1 .10 .01', 3), PRERELEASES, BUILDS],
  pypi: [
    ' v V',
    ' 0! 1! 01!',
    '0 1 10 01',
    ...repeated(' .0 .1 .10', 2),
    ' a .a1 -A2 alpha alpha_01 b Beta.1 c1 rc RC2 _pre preview1',
    ' -0 -1 .post post1 .r2 _rev-02 -POST',
    ' dev .dev1 -dev2 _DEV10 dev01',
    ' +0 +1 +01 +a +A +1a +1e1 +a.1 +a-01 +a_b +1.a',
  ],
  gem: ['0 1 10 01', ...repeated(' .0 .1 .10 .00 .a .B .b .rc1 .a0 .0a', 4), ' -0 -1 -a -a.1 -a-b -0.a --'],
  maven: [
    '0 1 10 01 a1 foo alpha 1.ga . -',
    ...repeated(' . - 0 1 10 a b m x RC cr Final ga release SNAPSHOT sp foo alpha .0 -0 -1 .1 _ +', 6),
  ],
  composer: [
    ' v V',
    PHP_RELEASES.join(' '),
    ' - . _ -a -alpha1 .beta b2 _b-2 RC rc1 -RC.10 -rc1.2 stable -patch p1 -pl1',
    ' dev -dev .dev',
    ' +build +1',
  ],
}

/** Versions that differ in few of their slots. */
export function nearVersions(slots: Slots, count: number): fc.Arbitrary<string[]> {
  const choices = slots.map((slot) => {
    const choice = fc.constantFrom(...slot.split(' '))
    const change = fc.option(choice, { freq: 2, nil: undefined })
    return fc.tuple(choice, fc.array(change, { minLength: count, maxLength: count }))
  })
  return fc
    .tuple(...choices)
    .map((picked) =>
      Array.from({ length: count }, (_, index) => picked.map(([usual, changes]) => changes[index] ?? usual).join('')),
    )
}

/** The laws of an order. `circles`: the scheme is known not to be transitive for odd texts, so it is not tested. */
export function orderContract(scheme: Scheme, { circles = false } = {}): void {
  const versions = nearVersions(VERSION_SLOTS[scheme], 3)
  const compare = (left: string, right: string): number => {
    const order = compareVersions(scheme, left, right)
    assert.ok(order !== undefined && !Number.isNaN(order), `${left} and ${right} are comparable`)
    return Math.sign(order)
  }

  test(`${scheme}: the order is reflexive, antisymmetric and, unless it goes in circles, transitive`, () => {
    const property = fc.property(versions, ([a, b, c]) => {
      assert.equal(compare(a!, a!), 0)
      assert.equal(compare(a!, b!), 0 - compare(b!, a!))
      if (!circles && compare(a!, b!) <= 0 && compare(b!, c!) <= 0) assert.ok(compare(a!, c!) <= 0)
    })
    fc.assert(property, { numRuns: 2000 })
  })

  test(`${scheme}: any text is a version or is none, and nothing throws`, () => {
    const text = fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom(...'0019abvxr.-_~^+:! \n\u0000é') }))
    fc.assert(
      fc.property(text, text, (left, right) => {
        const order = compareVersions(scheme, left, right)
        assert.equal(order !== undefined, isVersion(scheme, left) && isVersion(scheme, right))
      }),
    )
  })
}

function repeated(slot: string, times: number): string[] {
  return Array.from({ length: times }, () => slot)
}
