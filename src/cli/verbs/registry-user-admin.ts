import { defineVerb } from '../verb/verb.ts'
import { openAdmin, PLACE_OPTIONS } from './registry.ts'

export const verb = defineVerb({
  name: 'registry user admin',
  summary: 'Make users of a registry administrators, or users like others again',
  usage: 'NAME [NAME...]',
  arguments: { min: 1 },
  options: [...PLACE_OPTIONS, { flags: '--take', description: 'They are administrators no more' }],
  examples: [
    { command: 'bale registry user admin ann', explains: 'ann may do everything, in all repositories' },
    { command: 'bale registry user admin --take ann', explains: 'ann keeps what was granted' },
  ],
  async run({ args, options, engine, io }) {
    await using admin = await openAdmin(options, engine, io)
    for (const name of args) {
      await admin.users.setAdmin(name, !options.take)
      await io.print(name)
    }
    return 0
  },
})
