import * as v from 'valibot'
import type { Digest } from '#spec'
import { ROLES, type Role } from '../decide/index.ts'

/**
 * Values of several operations. What a name or pattern may be is said by the rooms that own it, in their words; here is how
 * long it may be, and what the description says of it.
 */
export function text(description: string, limit: number, examples: readonly string[] = []) {
  return v.pipe(
    v.string(`expects a text: ${description}`),
    v.maxLength(limit, `expects at most ${limit} characters`),
    v.metadata({ description, ...(examples.length > 0 && { examples }) }),
  )
}

export const userName = text('Name of a user', 256, ['ann'])
export const organisationName = text('Name of an organisation', 256, ['acme'])
export const teamName = text('Name of a team, with its organisation', 256, ['acme/web'])
export const groupName = text('Name of an organisation or team', 256, ['acme', 'acme/web'])
export const robotName = text('Name of a robot, with the organisation or user that it belongs to', 256, ['acme+ci'])
export const accountName = text('Name of a user, organisation, team or robot', 256, ['ann', 'acme/web', 'acme+ci'])
export const holderName = text('Name of a user or robot', 256, ['ann', 'acme+ci'])
export const label = text('Label of a token', 256, ['laptop'])
export const password = text('A password, of 8 to 512 characters', 4096)
export const pattern = text('Pattern of repositories: * is one part of a name, ** everything below', 512, [
  'acme/web',
  'acme/*',
  'acme/**',
])
export const repositoryName = text('Name of a repository', 512, ['acme/web'])
export const tagName = text('A tag', 256, ['latest'])
export const tagPattern = text('Pattern of tags: * stands for any characters', 512, ['v*'])
export const contentName = text('A media type, with * for any characters, or an image of this registry', 512, [
  'application/vnd.oci.image.*',
  'base/debian:12',
])
export const digest = text('Digest of a manifest', 256, [`sha256:${'0123456789abcdef'.repeat(4)}`])
export const imageName = text('Images of a repository, or of several', 1024, [
  'team/web:1.2',
  'team/web@sha256:…',
  'team/*:v*',
])
export const oneImage = text('An image of a repository', 512, ['team/web:1.2', 'team/web@sha256:…'])
export const reason = text('Why, on one line', 1000)
export const hookName = text('Name of a hook', 256, ['scanner'])
export const eventPattern = text('Action, as the audit log names it, with * for any characters', 256, ['tag.*'])
export const ruleName = text('Name of a rule of replication', 256, ['backup-site'])
export const auditText = text('Of a line of the audit log', 1024)

/** A text of a narrower type, which the registry checks itself, or has checked. */
const narrower = <T extends string>(schema: v.GenericSchema<string>) => schema as unknown as v.GenericSchema<T>

export const role = narrower<Role>(
  v.pipe(
    v.string('expects a role'),
    v.maxLength(64, 'expects a role'),
    v.metadata({ enum: [...ROLES], description: 'Each role includes the ones before it' }),
  ),
)
export const storedDigest = narrower<Digest>(v.pipe(v.string(), v.description('Digest of a manifest')))

export const flag = (description: string) => v.pipe(v.boolean('expects true or false'), v.description(description))

export function wholeNumber(description: string, least = 0, most = Number.MAX_SAFE_INTEGER) {
  const message = `expects a whole number from ${least} to ${most}`
  return v.pipe(
    v.number(message),
    v.integer(message),
    v.minValue(least, message),
    v.maxValue(most, message),
    v.description(description),
  )
}

export const milliseconds = (description: string) => wholeNumber(`${description} Milliseconds.`)
export const time = (description: string) => wholeNumber(`${description} Milliseconds since 1970.`)

export const grant = v.strictObject({ pattern, role })
const member = v.object({ name: holderName, role: v.picklist(['owner', 'member']) })
export const group = v.object({ name: groupName, grants: v.array(grant), members: v.array(member) })

/** An answer with several things. */
export function items<const Item extends v.GenericSchema>(item: Item) {
  return v.object({ items: v.array(item) })
}

/** One that goes on. */
export function page<const Item extends v.GenericSchema, const Next extends v.GenericSchema>(item: Item, next: Next) {
  return v.object({ items: v.array(item), next: v.optional(next) })
}

/** A page of lines that are counted by their IDs, newest first. */
export function withNext<T extends { id: number }>(items: T[], limit: number): { items: T[]; next?: number } {
  return items.length < limit ? { items } : { items, next: items.at(-1)!.id }
}

/** At most so many items of a page. */
export const pageLimit = v.optional(wholeNumber('At most so many; 100 by default.', 1, 1000))
export const PAGE = 100
