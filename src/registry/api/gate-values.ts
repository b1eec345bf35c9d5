import * as v from 'valibot'
import { SEVERITIES } from '#trust/advisories'
import { flag, milliseconds, pattern, text } from './values.ts'

const RATED = ['negligible', 'low', 'medium', 'high', 'critical'] as const

function word<const Words extends readonly string[]>(words: Words, description: string) {
  return v.optional(v.pipe(v.picklist(words, `expects one of ${words.join(', ')}`), v.description(description)))
}

const act = (description: string) => word(['allow', 'block'], description)

const wait = v.strictObject({ wait: milliseconds('As long as this a pull waits for the scan; then it is blocked.') })

/** What a gate says, with its pattern. */
export const gateParts = {
  pattern,
  severity: word([...SEVERITIES, 'none'], 'Vulnerabilities at least so bad block; critical by default'),
  onlyFixable: v.optional(flag('Only those that an update ends')),
  grace: v.optional(milliseconds('Since a vulnerability is known here in a package, so long it does not block.')),
  unknown: word(
    [...RATED, 'block', 'allow'],
    'How bad a vulnerability counts that nobody has rated; medium by default',
  ),
  notCovered: act('What no data covers or cannot be read, and what is no image; allow by default'),
  unscanned: v.optional(
    v.pipe(
      v.union([v.picklist(['allow', 'block']), wait], 'expects allow, block, or an object with wait'),
      v.description('What has not been scanned; pulls wait for 30 seconds by default'),
    ),
  ),
  exploited: act('Vulnerabilities that are known to be exploited, however bad; block by default'),
  signers: v.optional(
    v.pipe(
      v.array(text('A public key (PEM)', 8192)),
      v.maxLength(20, 'expects at most 20'),
      v.description('One of these must have signed'),
    ),
  ),
  stale: v.optional(milliseconds('Data on vulnerabilities is old after this time.')),
  staleAct: word(['warn', 'block'], 'What is done when it is; warn by default'),
  exempt: v.optional(
    v.pipe(
      v.array(text('An account', 256, ['user:ann', 'robot:acme+scanner'])),
      v.maxLength(100, 'expects at most 100'),
      v.description('Accounts that get blocked images as well; that is on record'),
    ),
  ),
}
