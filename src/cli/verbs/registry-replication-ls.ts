import { alignColumns } from '../render/align-columns.ts'
import { localRfc3339 } from '../render/local-time.ts'
import { defineVerb } from '../verb/verb.ts'
import { openAdmin, PLACE_OPTIONS, type ReplicationStatus } from './registry.ts'

export const verb = defineVerb({
  name: 'registry replication ls',
  summary: 'List the rules by which a registry replicates images, and how they stand',
  arguments: { max: 0 },
  options: PLACE_OPTIONS,
  examples: [
    {
      command: 'bale registry replication ls --server https://registry.example',
      explains: 'Each rule of the configuration, with how many tags wait, run, are done or were given up',
    },
  ],
  async run({ options, engine, io }) {
    await using admin = await openAdmin(options, engine, io)
    const rows = (await admin.replications.list()).map(row)
    const head = 'NAME\tDIRECTION\tREPOSITORIES\tWAITING\tRUNNING\tDONE\tFAILED\tNEXT\tSTATE'
    await io.print(alignColumns([head, ...rows].join('\n')))
    return 0
  },
})

function row({ name, direction, repositories, tasks, nextAt, restsUntil, failure }: ReplicationStatus): string {
  const { waiting, running, done, failed } = tasks
  const next = nextAt === undefined ? '' : localRfc3339(nextAt)
  const state = restsUntil === undefined ? '' : `rests until ${localRfc3339(restsUntil)}: ${failure ?? ''}`
  return [name, direction, repositories.join(' '), waiting, running, done, failed, next, state].join('\t')
}
