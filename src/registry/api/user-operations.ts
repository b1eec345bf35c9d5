import * as v from 'valibot'
import { BaleError } from '#base'
import { operation } from './operation.ts'
import { pageOfOwned } from './page-of-owned.ts'
import { accountName, flag, grant, items, page, pageLimit, password, pattern, role, time, userName } from './values.ts'
import { administrators, ownersBelow } from './who.ts'

const user = v.object({
  name: userName,
  origin: v.optional(
    v.pipe(v.string(), v.description('The directory by which they log in; absent for a password here')),
  ),
  admin: v.boolean(),
  grants: v.array(grant),
})

const login = v.object({
  kind: v.pipe(v.picklist(['browser', 'program']), v.description('What keeps it')),
  client: v.pipe(v.string(), v.description('What the program calls itself')),
  createdAt: time('Since when.'),
  usedAt: v.optional(time('About when it was used last.')),
  endsAt: v.optional(time('When it ends, however much it is used.')),
})

/** Users, and the rights of all accounts. */
export const userOperations = {
  'users.list': operation('users.list', {
    method: 'GET',
    path: '/users',
    summary: 'Lists the users with their own rights',
    who: administrators,
    query: { last: v.optional(userName), limit: pageLimit },
    result: page(user, userName),
    pages: 'last',
    gathered: true,
    run: async (admin, page) =>
      await pageOfOwned({ names: undefined, wanted: undefined }, page, (_, page) => admin.users.list(page)),
    input: (page) => ({ ...page }),
    output: ({ items }) => items,
  }),
  'users.add': operation('users.add', {
    method: 'POST',
    path: '/users',
    summary: 'Adds a user',
    who: administrators,
    body: {
      name: userName,
      password,
      admin: v.optional(flag('May do everything, everywhere')),
      adopt: v.optional(flag('Also takes over repositories that are below the name')),
    },
    run: (admin, { name, password, ...options }) => admin.users.add(name, password, options),
    input: (name, password, options) => ({ name, password, ...options }),
    output: () => undefined,
  }),
  'users.remove': operation('users.remove', {
    method: 'DELETE',
    path: '/users/{name}',
    summary: 'Removes a user with all tokens, rights and robots',
    who: administrators,
    parameters: { name: userName },
    run: (admin, { name }) => admin.users.remove(name),
    input: (name) => ({ name }),
    output: () => undefined,
  }),
  'users.logins': operation('users.logins', {
    method: 'GET',
    path: '/users/{name}/logins',
    summary: 'Lists what a user is logged in with, in browsers and programs',
    who: { words: 'administrators; users their own', what: ({ name }) => ({ owner: name }) },
    parameters: { name: userName },
    result: items(login),
    run: async (admin, { name }) => ({ items: await admin.users.logins(name) }),
    input: (name) => ({ name }),
    output: ({ items }) => items,
  }),
  'users.logOut': operation('users.logOut', {
    method: 'DELETE',
    path: '/users/{name}/logins',
    summary: 'Ends the logins of a user, wherever browsers and programs keep them; the password and access tokens stay',
    who: { words: 'administrators; users their own', what: ({ name }) => ({ owner: name }) },
    parameters: { name: userName },
    run: (admin, { name }) => admin.users.logOut(name),
    input: (name) => ({ name }),
    output: () => undefined,
  }),
  'users.setPassword': operation('users.setPassword', {
    method: 'PUT',
    path: '/users/{name}/password',
    summary: 'Changes a password',
    who: {
      words: 'administrators; users their own, with the old one',
      what: ({ name }) => ({ owner: name }),
    },
    parameters: { name: userName },
    body: {
      password,
      old: v.optional(v.pipe(password, v.description('The password of before; administrators need none'))),
    },
    async run(admin, { name, password, old }, { caller }) {
      if (!caller.admin && name !== caller.name) throw new BaleError('DENIED', `${caller.name} may not do that`)
      if (!caller.admin && old === undefined) {
        throw new BaleError('INVALID_ARGUMENT', 'the old password is needed to change one’s own')
      }
      if (!caller.admin) await caller.confirm(old!)
      await admin.users.setPassword(name, password)
    },
    input: (name, password, options) => ({ name, password, ...options }),
    output: () => undefined,
  }),
  'users.setAdmin': operation('users.setAdmin', {
    method: 'PUT',
    path: '/users/{name}/admin',
    summary: 'Makes a user an administrator, or one like others again',
    who: administrators,
    parameters: { name: userName },
    body: { admin: flag('May do everything, everywhere') },
    run: (admin, { name, admin: isAdmin }) => admin.users.setAdmin(name, isAdmin),
    input: (name, admin) => ({ name, admin }),
    output: () => undefined,
  }),
  'users.grant': operation('users.grant', {
    method: 'PUT',
    path: '/accounts/{name}/grants/{pattern}',
    summary: 'Gives an account a role in all repositories that a pattern matches',
    who: ownersBelow('pattern'),
    parameters: { name: accountName, pattern },
    body: { role },
    run: (admin, { name, pattern, role }) => admin.users.grant(name, pattern, role),
    input: (name, pattern, role) => ({ name, pattern, role }),
    output: () => undefined,
  }),
  'users.revoke': operation('users.revoke', {
    method: 'DELETE',
    path: '/accounts/{name}/grants/{pattern}',
    summary: 'Takes the role away that was given with exactly this pattern',
    who: ownersBelow('pattern'),
    parameters: { name: accountName, pattern },
    run: (admin, { name, pattern }) => admin.users.revoke(name, pattern),
    input: (name, pattern) => ({ name, pattern }),
    output: () => undefined,
  }),
}
