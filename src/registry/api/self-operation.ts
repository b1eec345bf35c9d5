import * as v from 'valibot'
import type { Operation } from './operation.ts'
import { accountName, grant, groupName, organisationName } from './values.ts'
import { everybody } from './who.ts'

/** Who am I, and what may I? No method of the administration: it is about the caller. */
export const selfOperation: Operation = {
  method: 'GET',
  path: '/me',
  summary: 'Says who the caller is and what it may do',
  who: everybody.words,
  what: () => 'self',
  parameters: v.strictObject({}),
  query: v.strictObject({}),
  result: v.object({
    name: accountName,
    kind: v.picklist(['user', 'robot']),
    admin: v.pipe(v.boolean(), v.description('May do everything, everywhere')),
    grants: v.pipe(v.array(grant), v.description('With those of its groups')),
    groups: v.array(v.object({ group: groupName, role: v.picklist(['owner', 'member']) })),
    administers: v.optional(
      v.pipe(v.array(organisationName), v.description('Below which names it administers; absent for everything')),
    ),
    limit: v.optional(v.pipe(grant, v.description('What its access token gives at most'))),
  }),
  run: (_admin, _input, { caller }) => caller.describe(),
  input: () => ({}),
  output: (result) => result,
}
