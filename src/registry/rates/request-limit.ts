/** Whose requests a limit is about. */
export const CALLERS = ['anonymous', 'users', 'robots', 'everybody'] as const
/** What has a count of its own: an address, or an account. */
export const COUNTED_PER = ['address', 'identity'] as const
/** A pull is a GET of a manifest, as Docker Hub counts; a push is a PUT of one; requests are all but probes. */
export const LIMITED = ['pulls', 'pushes', 'requests'] as const

/** What is counted. */
export type Limited = (typeof LIMITED)[number]

/** So many of these in any period of this length. */
export interface RequestLimit {
  who: (typeof CALLERS)[number]
  /** All tokens of an account are one identity. Of an anonymous caller there is only the address. */
  per: (typeof COUNTED_PER)[number]
  what: Limited
  most: number
  /** Milliseconds. */
  within: number
}

/** Whose request it is. */
export interface Caller {
  account?: { id: string; kind: string } | undefined
  /** Who has one of its addresses has them all: an IPv4 address, or 64 bits of an IPv6 one. */
  network: string
}

/** Whether a limit is about this caller. */
export function isAbout({ who }: RequestLimit, { account }: Caller): boolean {
  if (who === 'everybody') return true
  if (!account) return who === 'anonymous'
  return who === (account.kind === 'robot' ? 'robots' : 'users')
}

/** Under which name a limit counts the caller. Limits that differ in their number alone count the same. */
export function countedAs({ who, per, what, within }: RequestLimit, { account, network }: Caller): string {
  const subject = per === 'identity' && account ? `account/${account.id}` : `address/${network}`
  return `${what}/${who}/${per}/${within}/${subject}`
}
