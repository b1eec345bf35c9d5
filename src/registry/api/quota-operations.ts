import * as v from 'valibot'
import type { QuotaUse } from '../policies/index.ts'
import { operation } from './operation.ts'
import { accountName, items, pattern, wholeNumber } from './values.ts'
import { administrators, ownersOfListed } from './who.ts'

const numbers = {
  bytes: wholeNumber('Of blobs, manifests and unfinished uploads'),
  tags: wholeNumber('Number of tags'),
  repositories: wholeNumber('Number of repositories'),
}
const limits = {
  bytes: v.optional(numbers.bytes),
  tags: v.optional(numbers.tags),
  repositories: v.optional(numbers.repositories),
}

/** Limits of what repositories hold. Owners see theirs and set none: they are what the registry lets them have. */
export const quotaOperations = {
  'quotas.list': operation('quotas.list', {
    method: 'GET',
    path: '/quotas',
    summary: 'Lists quotas with what is used of them, of all organisations and users or of one',
    who: ownersOfListed,
    query: { owner: v.optional(accountName) },
    result: items(v.object({ scope: pattern, limits: v.object(limits), used: v.object(numbers) })),
    async run(admin, { owner }, { caller: { names } }) {
      const found: QuotaUse[] = []
      for (const name of names?.filter((one) => owner === undefined || one === owner).sort() ?? [owner]) {
        found.push(...(await admin.quotas.list(name)))
      }
      return { items: found }
    },
    input: (owner) => ({ owner }),
    output: ({ items }) => items,
  }),
  'quotas.set': operation('quotas.set', {
    method: 'PUT',
    path: '/quotas/{scope}',
    summary: 'Sets or replaces the limits of a repository, of all below a name, or of all',
    who: administrators,
    parameters: { scope: pattern },
    body: limits,
    run: (admin, { scope, ...limits }) => admin.quotas.set(scope, limits),
    input: (scope, limits) => ({ ...limits, scope }),
    output: () => undefined,
  }),
  'quotas.remove': operation('quotas.remove', {
    method: 'DELETE',
    path: '/quotas/{scope}',
    summary: 'Removes a quota',
    who: administrators,
    parameters: { scope: pattern },
    run: (admin, { scope }) => admin.quotas.remove(scope),
    input: (scope) => ({ scope }),
    output: () => undefined,
  }),
}
