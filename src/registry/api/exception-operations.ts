import * as v from 'valibot'
import type { Administration } from './administration.ts'
import { operation } from './operation.ts'
import { checkOwnGates } from './own-gates.ts'
import { items, milliseconds, pattern, reason, text, time, wholeNumber } from './values.ts'
import { BELOW, isBelow, ownersBelow, ownersOfListed, whatOfPattern } from './who.ts'

const identifier = wholeNumber('ID of an exception')
const parts = {
  vulnerability: text('Id of a vulnerability, or an alias of it', 160, ['CVE-2024-3094']),
  package: v.optional(text('Type and name of a package; all packages without it', 300, ['deb/openssl'])),
  pattern,
  reason,
}

/** Vulnerabilities that gates do not count. Of those below a name, whoever owns it answers. */
export const exceptionOperations = {
  'exceptions.list': operation('exceptions.list', {
    method: 'GET',
    path: '/exceptions',
    summary: 'Lists the vulnerabilities that gates do not count, also those that expired less than 30 days ago',
    who: ownersOfListed,
    result: items(
      v.object({
        id: identifier,
        ...parts,
        author: v.pipe(v.string(), v.description('Who made it: user:ann, operator')),
        createdAt: time('When it was made.'),
        expiresAt: time('When it ends.'),
      }),
    ),
    run: async (admin, _, { caller }) => ({
      items: (await admin.exceptions.list()).filter((one) => isBelow(caller.names, one.pattern)),
    }),
    input: () => ({}),
    output: ({ items }) => items,
  }),
  'exceptions.add': operation('exceptions.add', {
    method: 'POST',
    path: '/exceptions',
    summary:
      'Has gates not count a vulnerability for a time; gives the ID of the exception. Owners do where all gates are theirs',
    who: ownersBelow('pattern'),
    body: { ...parts, lasts: milliseconds('From a minute to 366 days.') },
    result: v.object({ id: identifier }),
    async run(admin, { vulnerability, ...rest }, { caller }) {
      await checkOwnGates(admin, caller, rest.pattern)
      return { id: await admin.exceptions.add(vulnerability, rest) }
    },
    input: (vulnerability, exception) => ({ vulnerability, ...exception }),
    output: ({ id }) => id,
  }),
  'exceptions.remove': operation('exceptions.remove', {
    method: 'DELETE',
    path: '/exceptions/{id}',
    summary: 'Has gates count a vulnerability again',
    who: { words: BELOW, what: ({ id }, admin) => whatOfException(id, admin) },
    parameters: { id: identifier },
    run: (admin, { id }) => admin.exceptions.remove(id),
    input: (id) => ({ id }),
    output: () => undefined,
  }),
}

/** A missing one looks like somebody else's. */
async function whatOfException(id: number, admin: Administration) {
  const exception = (await admin.exceptions.list()).find((one) => one.id === id)
  return whatOfPattern(exception?.pattern)
}
