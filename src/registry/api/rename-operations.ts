import * as v from 'valibot'
import { BaleError } from '#base'
import type { TagPolicy } from '../decide/index.ts'
import { matchesPattern } from '../pattern/index.ts'
import type { Administration } from './administration.ts'
import { type Caller, operation } from './operation.ts'
import { items, milliseconds, repositoryName, time } from './values.ts'
import { isBelow, OWNERS, ownersBelow, ownersOfListed, whatOfPattern } from './who.ts'

/** Names of repositories, and former ones that are still answered. */
export const renameOperations = {
  'renames.rename': operation('renames.rename', {
    method: 'PUT',
    path: '/repositories/{repository}/name',
    summary:
      'Gives a repository another name; only administrators do where owners would get around a rule that is not theirs',
    who: {
      words: `${OWNERS} or the user below whose name both are, the old name and the new one`,
      what: ({ repository, name }) => [whatOfPattern(repository), whatOfPattern(name)],
    },
    parameters: { repository: repositoryName },
    body: {
      name: repositoryName,
      redirect: v.optional(milliseconds('Answers pulls by the old name for so long, too; not at all by default.')),
    },
    async run(admin, { repository, name, redirect }, { caller }) {
      await checkUnruled(admin, caller, { from: repository, to: name })
      await admin.renames.rename(repository, name, { redirect })
    },
    input: (repository, name, options) => ({ repository, name, redirect: options?.redirect }),
    output: () => undefined,
  }),
  'renames.list': operation('renames.list', {
    method: 'GET',
    path: '/redirects',
    summary: 'Lists former names of repositories that are still answered, each with what it is called now',
    who: ownersOfListed,
    result: items(v.object({ name: repositoryName, to: repositoryName, until: time('When the old name is free.') })),
    run: async (admin, _, { caller: { names } }) => ({
      items: (await admin.renames.list()).filter(({ name, to }) => isBelow(names, name) && isBelow(names, to)),
    }),
    input: () => ({}),
    output: ({ items }) => items,
  }),
  'renames.end': operation('renames.end', {
    method: 'DELETE',
    path: '/redirects/{name}',
    summary: 'Makes a former name of a repository free',
    who: ownersBelow('name'),
    parameters: { name: repositoryName },
    run: (admin, { name }) => admin.renames.end(name),
    input: (name) => ({ name }),
    output: () => undefined,
  }),
}

/**
 * What a rename moves is not judged again, and its old name is free for other tags: by it, owners would get around policies that
 * are not theirs to change, and quotas of one repository. Judged by the names alone.
 */
async function checkUnruled(
  admin: Administration,
  { names }: Caller,
  { from, to }: { from: string; to: string },
): Promise<void> {
  if (names === undefined) return
  const others = (await admin.policies.list()).filter(({ pattern }) => !isBelow(names, pattern))
  const quotas = await Promise.all([from, to].map((name) => admin.quotas.list(name.split('/')[0])))
  const isLimited = quotas.flat().some(({ scope }) => scope === from || scope === to)
  if (!isLimited && !others.some((policy) => isEvaded(policy, { from, to }))) return
  throw new BaleError('DENIED', 'administrators have ruled about such repositories: only they may rename them')
}

function isEvaded({ kind, pattern }: TagPolicy, { from, to }: { from: string; to: string }): boolean {
  const [before, after] = [matchesPattern(pattern, from), matchesPattern(pattern, to)]
  if (kind === 'immutable') return before
  // Of a gate also the other way: exceptions and releases of before would come along.
  if (kind === 'gate') return before !== after
  return kind === 'keep' ? before && !after : after && !before
}
