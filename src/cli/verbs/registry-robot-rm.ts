import { defineVerb } from '../verb/verb.ts'
import { openAdmin, PLACE_OPTIONS } from './registry.ts'

export const verb = defineVerb({
  name: 'registry robot rm',
  summary: 'Remove robots from a registry',
  usage: 'OWNER+NAME [OWNER+NAME...]',
  arguments: { min: 1 },
  options: PLACE_OPTIONS,
  examples: [{ command: 'bale registry robot rm acme+ci', explains: 'Its logins and tokens stop working at once' }],
  async run({ args, options, engine, io }) {
    await using admin = await openAdmin(options, engine, io)
    for (const name of args) {
      await admin.robots.remove(name)
      await io.print(name)
    }
    return 0
  },
})
