import * as v from 'valibot'
import { operation } from './operation.ts'
import {
  eventPattern,
  flag,
  hookName,
  items,
  PAGE,
  page,
  pageLimit,
  pattern,
  time,
  wholeNumber,
  withNext,
} from './values.ts'
import { administrators } from './who.ts'

const hook = v.object({
  id: v.pipe(v.string(), v.description('No later hook of the same name has it')),
  name: hookName,
  url: v.string(),
  pattern,
  events: v.array(eventPattern),
  active: v.boolean(),
  createdAt: time('When it was added.'),
})

const told = {
  status: v.optional(v.pipe(v.number(), v.description('Of the answer'))),
  failure: v.optional(v.pipe(v.string(), v.description('Why it was not taken'))),
  answer: v.optional(v.pipe(v.string(), v.description('How the answer began'))),
}

const identifier = wholeNumber('ID of a delivery')
const state = v.picklist(['pending', 'delivered', 'dead'], 'expects pending, delivered or dead')
const delivery = v.object({
  id: identifier,
  hook: hookName,
  action: v.string(),
  target: v.string(),
  at: time('When it happened.'),
  state,
  attempts: wholeNumber('How often it was tried'),
  dueAt: time('When it is tried next, if it is pending.'),
  lastAt: v.optional(time('When it was tried last.')),
  ...told,
})

/**
 * Who is told of changes. For administrators alone, also where a pattern is below an organisation's name: a hook connects to
 * whatever `hooks.allow-addresses` opens of the operator's networks and shows how the answer begins, each one costs every push, and
 * names of hooks are shared by the whole registry: one that is taken would show that somebody else has such a hook.
 */
export const hookOperations = {
  'hooks.list': operation('hooks.list', {
    method: 'GET',
    path: '/hooks',
    summary: 'Lists hooks, without their secrets',
    who: administrators,
    result: items(hook),
    run: async (admin) => ({ items: await admin.hooks.list() }),
    input: () => ({}),
    output: ({ items }) => items,
  }),
  'hooks.add': operation('hooks.add', {
    method: 'POST',
    path: '/hooks',
    summary: 'Has a URL told of what changes, and gives the secret that signs it',
    who: administrators,
    body: {
      name: hookName,
      url: v.pipe(v.string('expects a URL'), v.maxLength(4096, 'expects at most 4096 characters')),
      pattern: v.optional(pattern),
      events: v.optional(v.pipe(v.array(eventPattern), v.maxLength(100, 'expects at most 100'))),
      secret: v.optional(
        v.pipe(
          v.string('expects a secret'),
          v.maxLength(256, 'expects at most 256 characters'),
          v.description('whsec_ and 24 to 64 bytes in base64, in place of a new one'),
        ),
      ),
    },
    result: v.object({
      secret: v.pipe(v.string(), v.description('By which the receiver knows messages. It is shown this once.')),
    }),
    run: async (admin, { name, ...options }) => ({ secret: await admin.hooks.add(name, options) }),
    input: (name, { events, ...options }) => ({ ...options, name, events: events && [...events] }),
    output: ({ secret }) => secret,
  }),
  'hooks.remove': operation('hooks.remove', {
    method: 'DELETE',
    path: '/hooks/{name}',
    summary: 'Removes a hook with its deliveries',
    who: administrators,
    parameters: { name: hookName },
    run: (admin, { name }) => admin.hooks.remove(name),
    input: (name) => ({ name }),
    output: () => undefined,
  }),
  'hooks.enable': operation('hooks.enable', {
    method: 'PUT',
    path: '/hooks/{name}/enabled',
    summary: 'Has a hook told of what happens from now on, and of what still waits',
    who: administrators,
    parameters: { name: hookName },
    run: (admin, { name }) => admin.hooks.enable(name),
    input: (name) => ({ name }),
    output: () => undefined,
  }),
  'hooks.disable': operation('hooks.disable', {
    method: 'DELETE',
    path: '/hooks/{name}/enabled',
    summary: 'Has a hook told nothing until it is enabled',
    who: administrators,
    parameters: { name: hookName },
    run: (admin, { name }) => admin.hooks.disable(name),
    input: (name) => ({ name }),
    output: () => undefined,
  }),
  'hooks.test': operation('hooks.test', {
    method: 'POST',
    path: '/hooks/{name}/tests',
    summary: 'Sends a test from the registry, once; the answer says what came of it',
    who: administrators,
    parameters: { name: hookName },
    result: v.object({
      delivered: flag('Whether it was taken'),
      ...told,
      milliseconds: wholeNumber('How long it took. Milliseconds.'),
    }),
    run: (admin, { name }, { signal }) => admin.hooks.test(name, { signal }),
    input: (name) => ({ name }),
    output: (tried) => tried,
  }),
  'hooks.deliveries': operation('hooks.deliveries', {
    method: 'GET',
    path: '/deliveries',
    summary: 'Lists what hooks were told or are still to be told, newest first',
    who: administrators,
    query: { hook: v.optional(hookName), state: v.optional(state), before: v.optional(identifier), limit: pageLimit },
    result: page(delivery, identifier),
    run: async (admin, { limit = PAGE, ...filter }) =>
      withNext(await admin.hooks.deliveries({ ...filter, limit }), limit),
    input: (filter) => ({ ...filter }),
    output: ({ items }) => items,
  }),
  'hooks.redeliver': operation('hooks.redeliver', {
    method: 'POST',
    path: '/deliveries/{id}/attempts',
    summary: 'Has a delivery sent again, whatever became of it',
    who: administrators,
    parameters: { id: identifier },
    run: (admin, { id }) => admin.hooks.redeliver(id),
    input: (id) => ({ id }),
    output: () => undefined,
  }),
}
