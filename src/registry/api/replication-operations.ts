import * as v from 'valibot'
import { BaleError } from '#base'
import { operation } from './operation.ts'
import {
  flag,
  items,
  milliseconds,
  PAGE,
  page,
  pageLimit,
  pattern,
  repositoryName,
  ruleName,
  storedDigest,
  tagPattern,
  time,
  wholeNumber,
} from './values.ts'
import { administrators } from './who.ts'

const count = (description: string) => wholeNumber(description)
const failure = v.optional(v.pipe(v.string(), v.description('What went wrong last')))

const status = v.object({
  name: ruleName,
  direction: v.picklist(['push', 'pull']),
  repositories: v.array(pattern),
  tags: v.array(tagPattern),
  onPush: flag('Whether what is pushed here is replicated at once'),
  every: v.optional(milliseconds('Everything is compared so often.')),
  referrers: flag('Whether signatures, SBOMs and the like follow'),
  deletes: flag('Whether deletions of tags follow'),
  nextAt: v.optional(time('When everything is compared next.')),
  restsUntil: v.optional(time('Until when the other registry is left alone, since it could not be asked.')),
  failure,
  tasks: v.object({
    waiting: count('Tags that wait, also for another try'),
    due: count('Of those, what is to be done now'),
    running: count('Tags that are being replicated'),
    done: count('Tags that are replicated'),
    failed: count('Tags that were given up'),
  }),
})

const state = v.picklist(['waiting', 'running', 'done', 'failed'], 'expects one of waiting, running, done, failed')
const identifier = wholeNumber('ID of a task')

const task = v.object({
  id: identifier,
  rule: ruleName,
  repository: v.union([v.literal(''), repositoryName]),
  reference: v.pipe(
    v.string(),
    v.description('A tag, or a digest; empty for the task that compares everything and makes tasks of it'),
  ),
  state,
  tries: count('Since it was queued'),
  queuedAt: time('When it was queued last.'),
  dueAt: time('When it is tried next, if it waits.'),
  lastAt: v.optional(time('When the last try ended.')),
  digest: v.optional(storedDigest),
  bytes: count('Bytes that the last try moved, or this one so far'),
  blobs: count('Blobs that it moved'),
  failure,
})

/** Rules of replication, which the configuration has: how they stand, and what is to be done now. */
export const replicationOperations = {
  'replications.list': operation('replications.list', {
    method: 'GET',
    path: '/replications',
    summary: 'Lists the rules of replication and how they stand',
    who: administrators,
    result: items(status),
    run: async (admin) => ({ items: await admin.replications.list() }),
    input: () => ({}),
    output: ({ items: rules }) => rules,
  }),
  'replications.tasks': operation('replications.tasks', {
    method: 'GET',
    path: '/replication-tasks',
    summary: 'Lists what became of each tag that is replicated, or is still to become of it, newest first',
    who: administrators,
    query: { rule: v.optional(ruleName), state: v.optional(state), before: v.optional(identifier), limit: pageLimit },
    result: page(task, identifier),
    pages: 'before',
    async run(admin, { limit = PAGE, ...filter }) {
      const found: v.InferOutput<typeof task>[] = []
      for await (const one of admin.replications.tasks(filter)) {
        if (found.push(one) === limit) return { items: found, next: one.id }
      }
      return { items: found }
    },
    input: (filter) => ({ ...filter }),
    output: ({ items: tasks }) => tasks,
  }),
  'replications.run': operation('replications.run', {
    method: 'POST',
    path: '/replications/{rule}/runs',
    summary: 'Has a rule compare everything now, and replicate what differs. The answer does not wait for that',
    who: administrators,
    parameters: { rule: ruleName },
    run: (admin, { rule }) => admin.replications.run(rule),
    input: (rule) => ({ rule }),
    output: (result) => result,
  }),
  'replications.retry': operation('replications.retry', {
    method: 'POST',
    path: '/replication-tasks/retries',
    summary: 'Has what failed, or waits for another try, be tried now: one task, or all of a rule',
    who: administrators,
    body: { task: v.optional(identifier), rule: v.optional(ruleName) },
    result: v.object({ tasks: count('Tasks that are tried again') }),
    async run(admin, { task, rule }) {
      if (task !== undefined && rule === undefined) return { tasks: await admin.replications.retry({ task }) }
      if (rule !== undefined && task === undefined) return { tasks: await admin.replications.retry({ rule }) }
      throw new BaleError('INVALID_ARGUMENT', 'expects a task or a rule, and not both')
    },
    input: (which) => ({ ...which }),
    output: ({ tasks }) => tasks,
  }),
}
