import { defineVerb } from '../verb/verb.ts'
import { openAdmin, PLACE_OPTIONS } from './registry.ts'

export const verb = defineVerb({
  name: 'registry repo hide',
  summary: 'Take back what registry repo publish gave',
  usage: 'PATTERN [PATTERN...]',
  arguments: { min: 1 },
  options: PLACE_OPTIONS,
  examples: [
    { command: "bale registry repo hide 'acme/public/**'", explains: 'The pattern exactly as it was published' },
  ],
  async run({ args, options, engine, io }) {
    await using admin = await openAdmin(options, engine, io)
    for (const pattern of args) {
      await admin.visibility.hide(pattern)
      await io.print(pattern)
    }
    return 0
  },
})
