import { BaleError } from '#base'

const LONGEST = 1000

/** What a person gives as a reason, for others who read lists and logs. INVALID_ARGUMENT for none, and for more than a line. */
export function checkReason(reason: string): void {
  if (reason.trim() !== '' && reason.length <= LONGEST && !/\p{Cc}/u.test(reason)) return
  throw new BaleError('INVALID_ARGUMENT', `a reason is a line of 1 to ${LONGEST} characters`)
}
