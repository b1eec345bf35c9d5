import * as v from 'valibot'
import { BaleError } from '#base'
import { type Caller, operation } from './operation.ts'
import { pageOfOwned } from './page-of-owned.ts'
import {
  accountName,
  grant,
  holderName,
  items,
  label,
  milliseconds,
  page,
  pageLimit,
  pattern,
  robotName,
  role,
  time,
} from './values.ts'
import { ownersOf, ownersOfListed } from './who.ts'

const secret = v.object({
  secret: v.pipe(v.string(), v.description('Takes the place of a password. It is shown this once.')),
})
const lifetime = v.optional(milliseconds('How long the secret lasts; without an end by default.'))

const token = v.object({
  id: v.string(),
  label,
  role,
  pattern,
  createdAt: time('When it was made.'),
  expiresAt: v.optional(time('When it ends.')),
  usedAt: v.optional(time('When it was used, to the hour.')),
})

/** Robots and access tokens. */
export const secretOperations = {
  'robots.list': operation('robots.list', {
    method: 'GET',
    path: '/robots',
    summary: 'Lists robots with their rights, of all organisations and users or of one',
    who: ownersOfListed,
    query: { owner: v.optional(accountName), last: v.optional(robotName), limit: pageLimit },
    result: page(v.object({ name: robotName, grants: v.array(grant) }), robotName),
    pages: 'last',
    gathered: true,
    run: (admin, { owner, ...page }, { caller: { names } }) =>
      pageOfOwned({ names, wanted: owner }, page, (one, page) => admin.robots.list(one, page)),
    input: (owner, page) => ({ owner, ...page }),
    output: ({ items }) => items,
  }),
  'robots.add': operation('robots.add', {
    method: 'POST',
    path: '/robots',
    summary: 'Adds a robot, and gives the secret of its first token',
    who: ownersOf('name'),
    body: {
      name: robotName,
      grants: v.optional(v.pipe(v.array(grant), v.maxLength(100, 'expects at most 100'))),
      lifetime,
    },
    result: secret,
    async run(admin, { name, ...options }, { caller }) {
      checkLifetime(caller, options.lifetime)
      return { secret: await admin.robots.add(name, options) }
    },
    input: (name, options) => ({ name, ...options, grants: options?.grants && [...options.grants] }),
    output: ({ secret }) => secret,
  }),
  'robots.remove': operation('robots.remove', {
    method: 'DELETE',
    path: '/robots/{name}',
    summary: 'Removes a robot with its tokens',
    who: ownersOf('name'),
    parameters: { name: robotName },
    run: (admin, { name }) => admin.robots.remove(name),
    input: (name) => ({ name }),
    output: () => undefined,
  }),
  'accessTokens.list': operation('accessTokens.list', {
    method: 'GET',
    path: '/accounts/{account}/tokens',
    summary: 'Lists the access tokens of a user or robot',
    who: ownersOf('account'),
    parameters: { account: holderName },
    result: items(token),
    run: async (admin, { account }) => ({ items: await admin.accessTokens.list(account) }),
    input: (account) => ({ account }),
    output: ({ items }) => items,
  }),
  'accessTokens.add': operation('accessTokens.add', {
    method: 'POST',
    path: '/accounts/{account}/tokens',
    summary: 'Adds an access token to a user or robot, and gives its secret',
    who: ownersOf('account'),
    parameters: { account: holderName },
    body: { label, role: v.optional(role), pattern: v.optional(pattern), lifetime },
    result: secret,
    async run(admin, { account, label, ...options }, { caller }) {
      checkLifetime(caller, options.lifetime)
      return { secret: await admin.accessTokens.add(account, label, options) }
    },
    input: (account, label, options) => ({ account, label, ...options }),
    output: ({ secret }) => secret,
  }),
  'accessTokens.remove': operation('accessTokens.remove', {
    method: 'DELETE',
    path: '/accounts/{account}/tokens/{label}',
    summary: 'Removes an access token; what was issued for it ends at once',
    who: ownersOf('account'),
    parameters: { account: holderName, label },
    run: (admin, { account, label }) => admin.accessTokens.remove(account, label),
    input: (account, label) => ({ account, label }),
    output: () => undefined,
  }),
}

/** A token with an end would have none if it could give others that last longer. */
function checkLifetime({ left }: Caller, lifetime = Number.POSITIVE_INFINITY): void {
  if (left === undefined || lifetime <= left) return
  throw new BaleError('DENIED', 'an access token with an end gives no secret that lasts longer than itself')
}
