import { defineVerb } from '../verb/verb.ts'
import { openAdmin, PLACE_OPTIONS } from './registry.ts'

export const verb = defineVerb({
  name: 'registry policy immutable',
  summary: 'Keep tags of a registry from being moved or deleted',
  usage: 'PATTERN TAGS',
  arguments: { min: 2, max: 2 },
  options: [
    ...PLACE_OPTIONS,
    {
      flags: '--except <TAGS>',
      description: 'Tags that may be moved all the same; may be given several times',
      repeat: true,
    },
  ],
  examples: [
    {
      command: "bale registry policy immutable 'team/**' 'v*'",
      explains: 'Tags like v1 can be pushed once in repositories below team; prints the ID of the policy',
    },
    {
      command: "bale registry policy immutable '**' '*' --except latest --except 'dev-*'",
      explains: 'All tags everywhere, but for some',
    },
  ],
  async run({ args, options, engine, io }) {
    const [pattern, tags] = args as [string, string]
    await using admin = await openAdmin(options, engine, io)
    await io.print(String(await admin.policies.immutable(pattern, tags, { except: options.except })))
    return 0
  },
})
