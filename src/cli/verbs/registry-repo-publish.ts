import { defineVerb } from '../verb/verb.ts'
import { openAdmin, PLACE_OPTIONS } from './registry.ts'

export const verb = defineVerb({
  name: 'registry repo publish',
  summary: 'Let everybody pull from repositories, without a login too',
  usage: 'PATTERN [PATTERN...]',
  arguments: { min: 1 },
  options: PLACE_OPTIONS,
  examples: [
    { command: "bale registry repo publish 'acme/public/**'", explains: 'All other repositories stay as they are' },
  ],
  async run({ args, options, engine, io }) {
    await using admin = await openAdmin(options, engine, io)
    for (const pattern of args) {
      await admin.visibility.publish(pattern)
      await io.print(pattern)
    }
    return 0
  },
})
