import { humanDuration } from '#docker'
import { alignColumns } from '../render/align-columns.ts'
import { policyWords } from '../render/policy-words.ts'
import { defineVerb } from '../verb/verb.ts'
import { openAdmin, PLACE_OPTIONS } from './registry.ts'

export const verb = defineVerb({
  name: 'registry policy try',
  summary: 'List the tags that the next collection of a registry removes, and why',
  usage: '[PATTERN]',
  arguments: { max: 1 },
  options: PLACE_OPTIONS,
  examples: [
    {
      command: 'bale registry policy try',
      explains: 'Removes nothing; each tag with its place and age, and what would have been kept',
    },
    { command: "bale registry policy try 'team/**'", explains: 'In the repositories below team alone' },
  ],
  async run({ args, options, engine, io, signal }) {
    await using admin = await openAdmin(options, engine, io)
    const rows = (await admin.policies.try({ pattern: args[0], signal })).map(
      ({ repository, tag, digest, place, age, policies }) => {
        const kept = policies.map((policy) => `${policyWords(policy)} (policy ${policy.id})`).join('; ')
        return [`${repository}:${tag}`, digest, place, `${humanDuration(age)} ago`, kept].join('\t')
      },
    )
    await io.print(alignColumns(['TAG\tDIGEST\tPLACE\tPUSHED\tKEPT', ...rows].join('\n')))
    return 0
  },
})
