import { LICENCE_EXCEPTIONS } from './licence-exceptions.ts'

/** The id of a licence in its own letters (`mit` is `MIT`), or undefined for one that is not on SPDX's list. */
export type LicenceIds = (text: string) => string | undefined

/** Longer ones are no expressions but whole licences. */
const LONGEST = 1000

/**
 * The SPDX expression that a text is, with the ids in their own letters; undefined when it is none. References to licences that
 * the document would have to bring along (`LicenseRef-…`) are not taken. Source: SPDX 2.3, annex D.
 */
export function licenceExpression(text: string, idOf: LicenceIds): string | undefined {
  if (text.length > LONGEST) return undefined
  const words = text.replaceAll(/[()]/g, ' $& ').trim().split(/\s+/)
  const written: string[] = []
  let depth = 0
  let expected: 'operand' | 'operator' = 'operand'
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!
    if (expected === 'operand' && word === '(') depth++
    else if (expected === 'operator' && word === ')' && depth > 0) depth--
    else if (expected === 'operator' && (word === 'AND' || word === 'OR')) expected = 'operand'
    else if (expected === 'operator' && word === 'WITH' && isLicence(words[at - 1]!)) {
      const exception = LICENCE_EXCEPTIONS.get((words[++at] ?? '').toLowerCase())
      if (exception === undefined) return undefined
      written.push(word, exception)
      continue
    } else {
      const id = expected === 'operand' ? licenceId(word, idOf) : undefined
      if (id === undefined) return undefined
      written.push(id)
      expected = 'operator'
      continue
    }
    written.push(word)
  }
  if (depth > 0 || expected === 'operand') return undefined
  return written.join(' ').replaceAll('( ', '(').replaceAll(' )', ')')
}

/** All licences of a package as one expression; undefined if one of them is none. */
export function joinedExpression(licences: readonly string[], idOf: LicenceIds): string | undefined {
  const expressions = licences.map((text) => licenceExpression(text, idOf))
  if (expressions.length === 0 || expressions.includes(undefined)) return undefined
  const [first, ...rest] = new Set(expressions as string[])
  if (rest.length === 0) return first
  return [first!, ...rest].map((one) => (one.includes(' OR ') ? `(${one})` : one)).join(' AND ')
}

/** `GPL-2.0+`: this version or a later one. */
function licenceId(word: string, idOf: LicenceIds): string | undefined {
  const id = idOf(word)
  if (id !== undefined || !word.endsWith('+')) return id
  const base = idOf(word.slice(0, -1))
  return base === undefined ? undefined : `${base}+`
}

const isLicence = (word: string) => word !== ')' && !LICENCE_EXCEPTIONS.has(word.toLowerCase())
