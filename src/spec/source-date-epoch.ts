import { BaleError, printable } from '#base'

/**
 * SOURCE_DATE_EPOCH, seconds since 1970, undefined when it is empty. Throws INVALID_ARGUMENT.
 * Source: reproducible-builds.org/specs/source-date-epoch.
 */
export function parseSourceDateEpoch(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined
  if (/^\d{1,12}$/.test(text)) return Number(text)
  throw new BaleError('INVALID_ARGUMENT', `SOURCE_DATE_EPOCH is not a number of seconds: ${printable(text)}`)
}
