import { defineVerb } from '../verb/verb.ts'
import { openAdmin, PLACE_OPTIONS } from './registry.ts'

export const verb = defineVerb({
  name: 'registry quota rm',
  summary: 'Remove quotas of a registry',
  usage: 'PATTERN [PATTERN...]',
  arguments: { min: 1 },
  options: PLACE_OPTIONS,
  examples: [
    { command: "bale registry quota rm 'acme/**'", explains: 'The pattern as bale registry quota ls shows it' },
  ],
  async run({ args, options, engine, io }) {
    await using admin = await openAdmin(options, engine, io)
    for (const pattern of args) {
      await admin.quotas.remove(pattern)
      await io.print(pattern)
    }
    return 0
  },
})
