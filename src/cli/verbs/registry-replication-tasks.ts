import { alignColumns } from '../render/align-columns.ts'
import { localRfc3339 } from '../render/local-time.ts'
import { defineVerb } from '../verb/verb.ts'
import { openAdmin, PLACE_OPTIONS, type ReplicationTask } from './registry.ts'
import { lineLimit } from './registry-accounts.ts'

export const verb = defineVerb({
  name: 'registry replication tasks',
  summary: 'List what became of each tag that a registry replicates, newest first',
  usage: '[RULE]',
  arguments: { max: 1 },
  options: [
    ...PLACE_OPTIONS,
    {
      flags: '--state <STATE>',
      description: 'Only those that wait (also for another try), run, are done, or were given up (failed)',
      choices: ['waiting', 'running', 'done', 'failed'],
    },
    { flags: '--limit <NUMBER>', description: 'Show at most so many', default: '100' },
  ],
  examples: [
    {
      command: 'bale registry replication tasks --state failed site',
      explains: 'What the rule site could not replicate, and why',
    },
  ],
  async run({ args, options, engine, io }) {
    const limit = lineLimit(options.limit)
    await using admin = await openAdmin(options, engine, io)
    const rows: string[] = []
    // The choices of the flag are the states.
    const state = options.state as ReplicationTask['state'] | undefined
    for await (const task of admin.replications.tasks({ rule: args[0], state })) {
      if (rows.push(row(task)) === limit) break
    }
    await io.print(alignColumns(['ID\tRULE\tTAG\tSTATE\tTRIES\tNEXT\tBYTES\tLAST', ...rows].join('\n')))
    return 0
  },
})

function row({
  id,
  rule,
  repository,
  reference,
  state,
  tries,
  dueAt,
  bytes,
  failure,
  lastAt,
}: ReplicationTask): string {
  const what =
    reference === ''
      ? `${repository || 'all'} (compared)`
      : repository + (reference.includes(':') ? '@' : ':') + reference
  const next = state === 'waiting' ? localRfc3339(dueAt) : ''
  const last = failure ?? (lastAt === undefined ? '' : localRfc3339(lastAt))
  return [id, rule, what, state, tries, next, bytes, last].join('\t')
}
