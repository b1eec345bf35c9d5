import { table } from '#base'
import { SEVERITIES, type Severity } from '../advisory.ts'

/** The words of GitHub, distributions and vendors. Others (`not yet assigned`, `untriaged`, `none`) are no rating. */
const WORDS = table<Severity>({
  unimportant: 'negligible',
  negligible: 'negligible',
  low: 'low',
  moderate: 'medium',
  medium: 'medium',
  high: 'high',
  important: 'high',
  critical: 'critical',
})

/** The level that a word of a source means; undefined when it is none. Debian marks guesses with asterisks. */
export function ratingOf(word: unknown): Severity | undefined {
  return typeof word === 'string' && word.length < 40 ? WORDS[word.trim().toLowerCase().replaceAll('*', '')] : undefined
}

/** True for a level above the other one, and for any where there is no other. */
export function isWorse(level: Severity | undefined, than: Severity | undefined): boolean {
  if (level === undefined) return false
  return than === undefined || SEVERITIES.indexOf(level) > SEVERITIES.indexOf(than)
}
