import { defineVerb } from '../verb/verb.ts'
import { openAdmin, PLACE_OPTIONS } from './registry.ts'

export const verb = defineVerb({
  name: 'registry org rm',
  summary: 'Remove organisations without repositories, with their teams and robots',
  usage: 'NAME [NAME...]',
  arguments: { min: 1 },
  options: PLACE_OPTIONS,
  examples: [{ command: 'bale registry org rm acme', explains: 'Refused while there are repositories below acme/' }],
  async run({ args, options, engine, io }) {
    await using admin = await openAdmin(options, engine, io)
    for (const name of args) {
      await admin.organisations.remove(name)
      await io.print(name)
    }
    return 0
  },
})
