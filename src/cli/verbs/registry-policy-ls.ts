import { alignColumns } from '../render/align-columns.ts'
import { policyWords } from '../render/policy-words.ts'
import { defineVerb } from '../verb/verb.ts'
import { openAdmin, PLACE_OPTIONS } from './registry.ts'

export const verb = defineVerb({
  name: 'registry policy ls',
  summary: 'List what a registry rules about tags and content',
  arguments: { max: 0 },
  options: PLACE_OPTIONS,
  examples: [
    { command: 'bale registry policy ls', explains: 'Each policy with its ID, its repositories and what it says' },
  ],
  async run({ options, engine, io }) {
    await using admin = await openAdmin(options, engine, io)
    const rows = (await admin.policies.list()).map((policy) =>
      [policy.id, policy.kind, policy.pattern, policyWords(policy)].join('\t'),
    )
    await io.print(alignColumns(['ID\tKIND\tREPOSITORIES\tRULE', ...rows].join('\n')))
    return 0
  },
})
