import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { loadLicenceIds } from './cyclonedx-library.ts'
import { joinedExpression, licenceExpression } from './licence-expression.ts'

const idOf = await loadLicenceIds()

const CASES: [text: string, expression: string | undefined][] = [
  ['MIT', 'MIT'],
  ['mit', 'MIT'],
  ['GPL-2.0+', 'GPL-2.0+'],
  ['MPL-1.1+', 'MPL-1.1+'],
  ['(MIT OR Apache-2.0)', '(MIT OR Apache-2.0)'],
  ['( MIT  OR (BSD-3-Clause AND Zlib) )', '(MIT OR (BSD-3-Clause AND Zlib))'],
  ['GPL-2.0-only WITH classpath-exception-2.0 AND MIT', 'GPL-2.0-only WITH Classpath-exception-2.0 AND MIT'],
  ['', undefined],
  ['GPL-2+', undefined],
  ['MIT or Apache-2.0', undefined],
  ['MIT OR', undefined],
  ['OR MIT', undefined],
  ['MIT MIT', undefined],
  ['(MIT', undefined],
  ['MIT)', undefined],
  ['()', undefined],
  ['MIT WITH MIT', undefined],
  ['(MIT) WITH Classpath-exception-2.0', undefined],
  ['MIT WITH', undefined],
  ['Classpath-exception-2.0', undefined],
  ['LicenseRef-own', undefined],
  ['NOASSERTION', undefined],
  ['constructor', undefined],
  ['__proto__', undefined],
]

for (const [text, expression] of CASES) {
  test(`"${text}" is ${expression === undefined ? 'no licence expression' : `the expression ${expression}`}`, () => {
    assert.equal(licenceExpression(text, idOf), expression)
  })
}

test('a licence expression may be nested as deep as its length allows, and no longer than a line', () => {
  assert.equal(licenceExpression(`${'('.repeat(400)}MIT${')'.repeat(400)}`, idOf)?.length, 803)
  assert.equal(licenceExpression(`${'('.repeat(1e6)}MIT`, idOf), undefined)
})

test('an expression that was understood is understood as itself', () => {
  const words = fc.constantFrom('MIT', 'zlib', '(', ')', 'AND', 'OR', 'WITH', 'LLVM-exception', 'x')
  fc.assert(
    fc.property(fc.array(words, { maxLength: 9 }), (text) => {
      const expression = licenceExpression(text.join(' '), idOf)
      if (expression !== undefined) assert.equal(licenceExpression(expression, idOf), expression)
    }),
  )
})

test('licences of one package are joined, and alternatives keep together', () => {
  assert.equal(joinedExpression(['MIT', 'mit'], idOf), 'MIT')
  assert.equal(joinedExpression(['MIT OR Zlib', 'ISC'], idOf), '(MIT OR Zlib) AND ISC')
  assert.equal(joinedExpression(['MIT', 'own'], idOf), undefined)
  assert.equal(joinedExpression([], idOf), undefined)
})
