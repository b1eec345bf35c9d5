import { BaleError } from '#base'
import { parsePeriod } from '../flags/period.ts'
import { alignColumns } from '../render/align-columns.ts'
import type { AccessToken, Grant, Group, KeptLogin } from './registry.ts'

export function grantText(grants: readonly Grant[]): string {
  return grants.map(({ pattern, role }) => `${pattern}=${role}`).join(' ')
}

/** Organisations or teams; a star marks owners. */
export function groupTable(groups: readonly Group[]): string {
  const rows = groups.map(({ name, members, grants }) => {
    const names = members.map((member) => (member.role === 'owner' ? `${member.name}*` : member.name))
    return `${name}\t${names.join(' ')}\t${grantText(grants)}`
  })
  return alignColumns(['NAME\tMEMBERS\tGRANTS', ...rows].join('\n'))
}

/** Of UTC. */
const day = (time: number | undefined) => (time === undefined ? 'never' : new Date(time).toISOString().slice(0, 10))

/** Columns of `registry user logout --list`. */
export function loginRow(user: string, { kind, client, createdAt, usedAt, endsAt }: KeptLogin): string {
  return [user, kind, client, day(createdAt), day(usedAt), day(endsAt)].join('\t')
}

/** Columns of `registry token ls`. */
export function tokenRow({ label, role, pattern, createdAt, expiresAt, usedAt }: AccessToken): string {
  return [label, role, pattern, day(createdAt), day(expiresAt), day(usedAt)].join('\t')
}

/** `90d` or `12h` in milliseconds; undefined is for ever. */
export function lifetimeOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : parsePeriod('--expires-in', text)
}

/** `acme/**=write`. The registry checks both parts. */
export function readGrant(text: string): Grant {
  const at = text.lastIndexOf('=')
  if (at > 0) return { pattern: text.slice(0, at), role: text.slice(at + 1) as Grant['role'] }
  throw new BaleError('INVALID_ARGUMENT', `not a pattern and a role: ${text}`, { hint: 'for example acme/**=write' })
}

/** Of `--limit`: how many lines a list may have. */
export function lineLimit(text: string): number {
  if (/^[1-9]\d{0,4}$/.test(text)) return Number(text)
  throw new BaleError('INVALID_ARGUMENT', `--limit takes a number from 1 to 99999, not ${text}`)
}
