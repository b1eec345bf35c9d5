import * as v from 'valibot'
import type { Administration } from './administration.ts'
import { gateParts } from './gate-values.ts'
import { operation } from './operation.ts'
import {
  contentName,
  digest,
  items,
  milliseconds,
  PAGE,
  page,
  pageLimit,
  pattern,
  repositoryName,
  storedDigest,
  tagName,
  tagPattern,
  time,
  wholeNumber,
  withNext,
} from './values.ts'
import { administrators, BELOW, everybody, isBelow, ownersBelow, ownersOfListed, whatOfPattern } from './who.ts'

const identifier = wholeNumber('ID of a policy')
const keeping = {
  pattern,
  last: v.optional(wholeNumber('So many tags of each repository that were pushed last')),
  within: v.optional(milliseconds('Tags that were pushed within so long.')),
  tags: v.array(tagPattern),
}
const kept = v.object({ id: identifier, kind: v.literal('keep'), ...keeping })
const immutable = v.object({
  id: identifier,
  kind: v.literal('immutable'),
  pattern,
  tags: v.array(tagPattern),
  except: v.array(tagPattern),
})
const contentRule = {
  pattern,
  allow: v.array(contentName),
  block: v.array(contentName),
}
const types = v.object({ id: identifier, kind: v.literal('types'), ...contentRule })
const base = v.object({ id: identifier, kind: v.literal('base'), ...contentRule })
const gate = v.object({ id: identifier, kind: v.literal('gate'), ...gateParts })
const contentNames = v.pipe(v.array(contentName), v.maxLength(100, 'expects at most 100'))
const patterns = v.pipe(v.array(tagPattern), v.maxLength(100, 'expects at most 100'))

const unkept = v.object({
  repository: repositoryName,
  tag: tagName,
  digest: storedDigest,
  age: milliseconds('Since it was last pushed.'),
  place: wholeNumber('Its number among the tags of the repository, from 1, the one that was pushed last'),
  policies: v.array(kept),
})

const change = v.object({
  id: wholeNumber('Smaller than those of later changes'),
  digest: v.optional(storedDigest),
  at: time('When it changed.'),
  actor: v.pipe(v.string(), v.description('Who changed it: user:ann, robot:acme+ci, operator')),
  there: v.pipe(v.boolean(), v.description('Whether the tag can be set back to this manifest')),
})

const before = wholeNumber('Only changes before the one with this ID')
const tag = { repository: repositoryName, tag: tagName }

/** What is public, rules about tags, and their histories. */
export const repositoryOperations = {
  'visibility.repositories': operation('visibility.repositories', {
    method: 'GET',
    path: '/repositories',
    summary: 'Lists the repositories that the caller may pull from, in byte order',
    who: everybody,
    query: { last: v.optional(repositoryName), limit: pageLimit },
    result: page(v.object({ name: repositoryName, isPublic: v.boolean() }), repositoryName),
    pages: 'last',
    async run(_admin, { last, limit = PAGE }, { caller }) {
      const found: { name: string; isPublic: boolean }[] = []
      for await (const one of caller.repositories({ last })) {
        if (found.push(one) === limit) return { items: found, next: one.name }
      }
      return { items: found }
    },
    input: (options) => ({ last: options?.last }),
    output: ({ items }) => items,
  }),
  'visibility.list': operation('visibility.list', {
    method: 'GET',
    path: '/public-patterns',
    summary: 'Lists the patterns of repositories that everybody may pull from',
    who: ownersOfListed,
    result: items(pattern),
    run: async (admin, _, { caller }) => ({
      items: (await admin.visibility.list()).filter((one) => isBelow(caller.names, one)),
    }),
    input: () => ({}),
    output: ({ items }) => items,
  }),
  'visibility.publish': operation('visibility.publish', {
    method: 'PUT',
    path: '/public-patterns/{pattern}',
    summary: 'Lets everybody pull from the repositories that a pattern matches, without a login too',
    who: ownersBelow('pattern'),
    parameters: { pattern },
    run: (admin, { pattern }) => admin.visibility.publish(pattern),
    input: (pattern) => ({ pattern }),
    output: () => undefined,
  }),
  'visibility.hide': operation('visibility.hide', {
    method: 'DELETE',
    path: '/public-patterns/{pattern}',
    summary: 'Takes back what was published with exactly this pattern',
    who: ownersBelow('pattern'),
    parameters: { pattern },
    run: (admin, { pattern }) => admin.visibility.hide(pattern),
    input: (pattern) => ({ pattern }),
    output: () => undefined,
  }),
  'policies.list': operation('policies.list', {
    method: 'GET',
    path: '/policies',
    summary: 'Lists the rules about tags, content and what is given out',
    who: ownersOfListed,
    result: items(v.variant('kind', [immutable, kept, types, base, gate])),
    run: async (admin, _, { caller }) => ({
      items: (await admin.policies.list()).filter((policy) => isBelow(caller.names, policy.pattern)),
    }),
    input: () => ({}),
    output: ({ items }) => items,
  }),
  'policies.immutable': operation('policies.immutable', {
    method: 'POST',
    path: '/policies/immutable',
    summary: 'Keeps tags from being moved or deleted; gives the ID of the policy',
    who: ownersBelow('pattern'),
    body: { pattern, tags: tagPattern, except: v.optional(patterns) },
    result: v.object({ id: identifier }),
    run: async (admin, { pattern, tags, except }) => ({
      id: await admin.policies.immutable(pattern, tags, { except }),
    }),
    input: (pattern, tags, options) => ({ pattern, tags, except: options?.except && [...options.except] }),
    output: ({ id }) => id,
  }),
  'policies.keep': operation('policies.keep', {
    method: 'POST',
    path: '/policies/keep',
    summary: 'Has collections remove the tags that no such policy of a repository keeps; gives the ID of the policy',
    who: ownersBelow('pattern'),
    body: { ...keeping, tags: v.optional(patterns) },
    result: v.object({ id: identifier }),
    run: async (admin, { pattern, ...what }) => ({ id: await admin.policies.keep(pattern, what) }),
    input: (pattern, what) => ({ pattern, ...what, tags: what.tags && [...what.tags] }),
    output: ({ id }) => id,
  }),
  'policies.types': operation('policies.types', {
    method: 'POST',
    path: '/policies/types',
    summary: 'Says which media types repositories take; gives the ID of the policy',
    who: ownersBelow('pattern'),
    body: { pattern, allow: v.optional(contentNames), block: v.optional(contentNames) },
    result: v.object({ id: identifier }),
    run: async (admin, { pattern, ...rule }) => ({ id: await admin.policies.types(pattern, rule) }),
    input: (pattern, rule) => ({ pattern, ...listsOf(rule) }),
    output: ({ id }) => id,
  }),
  // Not for owners: whether an image of others is there would be told.
  'policies.base': operation('policies.base', {
    method: 'POST',
    path: '/policies/base',
    summary: 'Says which images those in repositories are made on; gives the ID of the policy',
    who: administrators,
    body: { pattern, allow: v.optional(contentNames), block: v.optional(contentNames) },
    result: v.object({ id: identifier }),
    run: async (admin, { pattern, ...rule }) => ({ id: await admin.policies.base(pattern, rule) }),
    input: (pattern, rule) => ({ pattern, ...listsOf(rule) }),
    output: ({ id }) => id,
  }),
  'policies.gate': operation('policies.gate', {
    method: 'POST',
    path: '/policies/gate',
    summary: 'Says what images must pass before they are given out; gives the ID of the policy',
    who: ownersBelow('pattern'),
    body: gateParts,
    result: v.object({ id: identifier }),
    run: async (admin, { pattern, ...rule }) => ({ id: await admin.policies.gate(pattern, rule) }),
    input: (pattern, rule) => ({ ...rule, pattern }),
    output: ({ id }) => id,
  }),
  'policies.remove': operation('policies.remove', {
    method: 'DELETE',
    path: '/policies/{id}',
    summary: 'Removes a policy',
    who: { words: BELOW, what: ({ id }, admin) => whatOfPolicy(id, admin) },
    parameters: { id: identifier },
    run: (admin, { id }) => admin.policies.remove(id),
    input: (id) => ({ id }),
    output: () => undefined,
  }),
  'policies.try': operation('policies.try', {
    method: 'GET',
    path: '/unkept-tags',
    summary: 'Lists the tags that the next collection removes, in all repositories or in those that a pattern matches',
    who: ownersBelow('pattern'),
    query: { pattern: v.optional(pattern) },
    result: items(unkept),
    run: async (admin, { pattern }, { signal }) => ({ items: await admin.policies.try({ pattern, signal }) }),
    input: (options) => ({ pattern: options?.pattern }),
    output: ({ items }) => items,
  }),
  'tags.history': operation('tags.history', {
    method: 'GET',
    path: '/repositories/{repository}/tags/{tag}/history',
    summary: 'Lists what a tag pointed to, newest first',
    who: ownersBelow('repository'),
    parameters: tag,
    query: { before: v.optional(before), limit: pageLimit },
    result: page(change, before),
    run: async (admin, { repository, tag, limit = PAGE, ...page }) =>
      withNext(await admin.tags.history(repository, tag, { ...page, limit }), limit),
    input: (repository, tag, page) => ({ repository, tag, ...page }),
    output: ({ items }) => items,
  }),
  'tags.restore': operation('tags.restore', {
    method: 'PUT',
    path: '/repositories/{repository}/tags/{tag}',
    summary: 'Points a tag to a manifest that it pointed to once',
    who: ownersBelow('repository'),
    parameters: tag,
    body: { digest },
    run: (admin, { repository, tag, digest }) => admin.tags.restore(repository, tag, digest),
    input: (repository, tag, digest) => ({ repository, tag, digest }),
    output: () => undefined,
  }),
}

function listsOf({ allow, block }: { allow?: readonly string[]; block?: readonly string[] }) {
  return { allow: allow && [...allow], block: block && [...block] }
}

/** Judged by the policy itself. A missing one looks like somebody else's. */
async function whatOfPolicy(id: number, admin: Administration) {
  const policy = (await admin.policies.list()).find((one) => one.id === id)
  return whatOfPattern(policy?.pattern)
}
